"""A request queue against a list in memory, with several clients and locks that end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, create_engine, insert, select
from typing_extensions import override

from actor_operator.storage.queue_locks import LockNotHeldError, QueueLocks, RequestMissingError
from actor_operator.storage.queue_rows import Client, attempt_name
from actor_operator.storage.queues import NewRequest, QueueRequests
from actor_operator.storage.tables import METADATA, REQUESTS, STORAGES

ACCOUNT = 3
QUEUE = "queue000000000000"

IDS = st.sampled_from([f"request{number:08}" for number in range(12)])
CLIENTS = st.sampled_from(
    [
        Client("alone"),
        Client("first", attempt_name("uid-1", 1)),
        Client("second", attempt_name("uid-1", 1)),
        Client("other", attempt_name("uid-2", 1)),
    ]
)
MILLIS = st.integers(min_value=1, max_value=50)


@dataclass
class Expected:
    """What should be known of a request."""

    size: int
    is_handled: bool = False
    holder: Client | None = None
    until: int = 0

    def is_locked(self, now: int) -> bool:
        return self.holder is not None and self.until > now

    def is_held_by(self, client: Client, now: int) -> bool:
        if self.holder is None or not self.is_locked(now):
            return False
        same_attempt = client.attempt is not None and client.attempt == self.holder.attempt
        return client.key == self.holder.key or same_attempt


class QueueMachine(RuleBasedStateMachine):
    """The order of the dict is that of the queue, also for handled ones, which it does not say."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        METADATA.create_all(self.engine)
        self.now = 1_000_000
        self.expected: dict[str, Expected] = {}
        self.keys: set[str] = set()
        with self.engine.begin() as connection:
            connection.execute(insert(STORAGES).values(**queue_row()))

    @override
    def teardown(self) -> None:
        self.engine.dispose()

    @rule(ids=st.lists(IDS, min_size=1, max_size=6), forefront=st.booleans(), client=CLIENTS)
    def add(self, ids: list[str], forefront: bool, client: Client) -> None:  # noqa: FBT001 -- drawn
        with self.requests() as requests:
            results = requests.add(
                QUEUE, list(map(new, ids)), forefront=forefront, key=client.key, now=self.now
            )
        added: dict[str, Expected] = {}
        for request_id, result in zip(ids, results, strict=True):
            before = self.expected.get(request_id) or added.get(request_id)
            assert result.id == request_id
            assert result.was_present == (before is not None)
            assert result.was_handled == (before is not None and before.is_handled)
            if before is None:
                added[request_id] = Expected(len(new(request_id).body))
        self.expected = added | self.expected if forefront else self.expected | added
        self.keys.add(client.key or "")

    @rule(
        request_id=IDS,
        is_handled=st.booleans(),
        forefront=st.booleans(),
        padding=st.integers(0, 9),
        client=CLIENTS,
    )
    def put(
        self,
        request_id: str,
        is_handled: bool,  # noqa: FBT001 -- drawn
        forefront: bool,  # noqa: FBT001 -- drawn
        padding: int,
        client: Client,
    ) -> None:
        request = new(request_id, handled_at=self.now if is_handled else None, padding=padding)
        with self.requests() as requests:
            result = requests.update(
                QUEUE, request, forefront=forefront, key=client.key, now=self.now
            )
        before = self.expected.get(request_id)
        assert result.was_present == (before is not None)
        assert result.was_handled == (before is not None and before.is_handled)
        after = Expected(len(request.body), is_handled=is_handled)
        if before is not None and not is_handled:
            after.holder, after.until = before.holder, before.until
        self.expected.pop(request_id, None)
        self.place(request_id, after, forefront=forefront)
        self.keys.add(client.key or "")

    @rule(ids=st.lists(IDS, min_size=1, max_size=4), client=CLIENTS)
    def delete(self, ids: list[str], client: Client) -> None:
        with self.requests() as requests:
            count = requests.delete(QUEUE, ids, key=client.key, now=self.now)
        assert count == len(self.expected.keys() & set(ids))
        for request_id in ids:
            self.expected.pop(request_id, None)
        self.keys.add(client.key or "")

    @rule(limit=st.integers(1, 5), millis=MILLIS, client=CLIENTS)
    def lock_head(self, limit: int, millis: int, client: Client) -> None:
        free = [
            request_id
            for request_id, request in self.expected.items()
            if not request.is_handled and not request.is_locked(self.now)
        ]
        with self.locks() as locks:
            head = locks.head_and_lock(
                QUEUE, limit=limit, until=self.now + millis, client=client, now=self.now
            )
        assert head.heads == [request_id.encode() for request_id in free[:limit]]
        for request_id in free[:limit]:
            self.expected[request_id].holder = client
            self.expected[request_id].until = self.now + millis
        locked = [request for request in self.expected.values() if request.is_locked(self.now)]
        assert head.has_locked == bool(locked)
        self.keys.add(client.key or "")

    @rule(request_id=IDS, millis=MILLIS, forefront=st.booleans(), client=CLIENTS)
    def prolong(self, request_id: str, millis: int, forefront: bool, client: Client) -> None:  # noqa: FBT001 -- drawn
        until, error = self.now + millis, None
        try:
            with self.locks() as locks:
                locks.prolong(
                    QUEUE, request_id, until=until, forefront=forefront, client=client, now=self.now
                )
        except (RequestMissingError, LockNotHeldError) as raised:
            error = type(raised)
        request = self.expected.get(request_id)
        if request is None:
            assert error is RequestMissingError
        elif not request.is_held_by(client, self.now):
            assert error is LockNotHeldError
        else:
            assert error is None
            request.until = until
            if forefront:
                self.place(request_id, self.expected.pop(request_id), forefront=True)
            self.keys.add(client.key or "")

    @rule(request_id=IDS, forefront=st.booleans(), client=CLIENTS)
    def unlock(self, request_id: str, forefront: bool, client: Client) -> None:  # noqa: FBT001 -- drawn
        error = None
        try:
            with self.locks() as locks:
                locks.unlock(QUEUE, request_id, forefront=forefront, client=client, now=self.now)
        except (RequestMissingError, LockNotHeldError) as raised:
            error = type(raised)
        request = self.expected.get(request_id)
        if request is None:
            assert error is RequestMissingError
        elif request.is_held_by(client, self.now):
            assert error is None
            request.holder = None
            self.place(request_id, self.expected.pop(request_id), forefront=forefront)
            self.keys.add(client.key or "")
        else:
            assert error is (LockNotHeldError if request.is_locked(self.now) else None)

    @rule(client=CLIENTS)
    def unlock_all(self, client: Client) -> None:
        with self.locks() as locks:
            count = locks.unlock_all(QUEUE, client=client, now=self.now)
        held = [one for one in self.expected.values() if one.is_held_by(client, self.now)]
        assert count == len(held)
        for request in held:
            request.holder = None
        self.keys.add(client.key or "")

    @rule(uid=st.sampled_from(["uid-1", "uid-2"]))
    def end_attempt(self, uid: str) -> None:
        with self.locks() as locks:
            locks.free_locks_of_run(uid, 1, self.now)
        for request in self.expected.values():
            if request.holder is not None and request.holder.attempt == attempt_name(uid, 1):
                request.holder = None

    @rule(millis=MILLIS)
    def wait(self, millis: int) -> None:
        self.now += millis

    @invariant()
    def the_head_has_all_that_is_not_handled_in_order(self) -> None:
        with self.locks() as locks:
            heads = locks.head(QUEUE, 1000)
        pending = [key.encode() for key, request in self.expected.items() if not request.is_handled]
        assert heads == pending

    @invariant()
    def the_counters_are_right(self) -> None:
        with self.engine.begin() as connection:
            row = connection.execute(select(STORAGES)).one()
            bodies = connection.execute(select(REQUESTS.c.body, REQUESTS.c.size)).all()
        handled = [request for request in self.expected.values() if request.is_handled]
        assert row.item_count == len(self.expected)
        assert row.handled_count == len(handled)
        assert row.storage_bytes == sum(request.size for request in self.expected.values())
        assert all(len(body) == size for body, size in bodies)

    @invariant()
    def it_is_known_whether_there_were_several_clients(self) -> None:
        with self.engine.begin() as connection:
            assert connection.execute(select(STORAGES.c.had_multiple_clients)).scalar_one() == (
                len(self.keys) > 1
            )

    def place(self, request_id: str, request: Expected, *, forefront: bool) -> None:
        one = {request_id: request}
        self.expected = one | self.expected if forefront else self.expected | one

    @contextmanager
    def requests(self) -> Iterator[QueueRequests]:
        with self.connection() as connection:
            yield QueueRequests(connection, ACCOUNT)

    @contextmanager
    def locks(self) -> Iterator[QueueLocks]:
        with self.connection() as connection:
            yield QueueLocks(connection, ACCOUNT)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection


def new(request_id: str, handled_at: int | None = None, padding: int = 0) -> NewRequest:
    return NewRequest(request_id, request_id.encode(), b"{}" + b" " * padding, handled_at)


def queue_row() -> dict[str, object]:
    return {
        "account": ACCOUNT,
        "id": QUEUE,
        "kind": "requestQueue",
        "created_at": 0,
        "modified_at": 0,
        "accessed_at": 0,
        "signing_key": "",
    }


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
