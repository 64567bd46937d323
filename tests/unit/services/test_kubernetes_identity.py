"""Tokens of Kubernetes: whose they are, what they allow, and how often Kubernetes is asked."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.services.test_bearer import jwt

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.store import Store
from actor_operator.kube.errors import UnreachableError
from actor_operator.kube.reviews import Subject
from actor_operator.services import kubernetes_identity
from actor_operator.services.accounts import Accounts
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.kubernetes_identity import KubernetesIdentities

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROBOT = Subject("system:serviceaccount:team:robot", "u", ("system:serviceaccounts",))
PERSON = Subject("jane@example.com", groups=("devs",))

VIEW = {("actorruns", "list"), ("actorruns", "get"), ("storages", "get"), ("storages", "list")}
EDIT = VIEW | {
    (resource, verb)
    for resource in ("actorruns", "storages")
    for verb in ("create", "update", "patch", "delete")
}


class World:
    """Kubernetes with two namespaces, and clocks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.subjects: dict[str, Subject] = {}
        self.rights: dict[str, set[tuple[str, str]]] = {"team": VIEW, "others": set()}
        self.asked: list[str] = []
        self.away = False
        self.hold: asyncio.Event | None = None
        namespaces: Store[NamespaceView] = Store()
        for number, name in enumerate(self.rights, start=1):
            meta = Metadata(name, uid=f"u{number}", resource_version=str(number))
            namespaces.apply(NamespaceView(meta))
        self.identities = KubernetesIdentities(
            reviews=self,
            accounts=Accounts(namespaces, self._ensure),
            now=lambda: NOW + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
        )

    async def _ensure(self, _namespace: str, uid: str, _adopts: str) -> int:
        return int(uid[1:])

    async def whose(self, token: str) -> Subject | None:
        self.asked.append(token)
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise UnreachableError("It is away.")
        return self.subjects.get(token)

    async def may(self, _subject: Subject, namespace: str, resource: str, verb: str) -> bool:
        return (resource, verb) in self.rights[namespace]

    def token(self, subject: Subject | None, lasts: float = 3600) -> str:
        token = jwt({"exp": NOW.timestamp() + lasts, "n": len(self.subjects)})
        if subject is not None:
            self.subjects[token] = subject
        return token

    async def permissions(self, token: str, namespace: str = "") -> set[Permission]:
        caller = await self.identities.identify(token, namespace)
        shared = {Permission.PUBLIC, Permission.SHARED}
        return set(caller.permissions) - shared if caller else set()


async def test_a_service_account_is_of_the_account_that_is_its_namespace() -> None:
    world = World()

    found = await world.identities.identify(world.token(ROBOT), "")

    read = {Permission.PUBLIC, Permission.SHARED, Permission.READ}
    assert found == Caller(1, "team", frozenset(read))


async def test_somebody_else_names_the_account_in_the_address() -> None:
    world = World()
    token = world.token(PERSON)

    assert await world.identities.identify(token, "") is None
    found = await world.identities.identify(token, "team")
    assert found is not None
    assert found.namespace == "team"


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (EDIT, set(kubernetes_identity.NEEDED)),
        (VIEW, {Permission.READ}),
        (VIEW - {("storages", "get")}, set()),
        ({("actorruns", "create"), ("actorruns", "update")}, {Permission.RUN, Permission.STATUS}),
        ({("actorruns", "create")}, set()),
        ({("storages", "create"), ("storages", "update")}, set()),
        ({("actorruns", "delete")}, {Permission.ADMIN}),
    ],
)
async def test_a_permission_needs_all_of_its_rights(
    rights: set[tuple[str, str]], expected: set[Permission]
) -> None:
    world = World()
    world.rights["team"] = rights

    assert await world.permissions(world.token(ROBOT)) == expected


async def test_rights_in_one_account_say_nothing_of_another() -> None:
    world = World()
    token = world.token(ROBOT)

    assert await world.permissions(token, "team") == {Permission.READ}
    assert await world.identities.identify(token, "others") is None
    assert await world.identities.identify(token, "nowhere") is None


async def test_an_answer_holds_for_a_minute_and_a_refusal_for_five_seconds() -> None:
    world = World()
    token, unknown = world.token(ROBOT), world.token(None, 4000)
    for world.seconds in (0, 4.9, 5, 59.9, 60):
        await world.permissions(token)
        await world.permissions(unknown)
    assert world.asked.count(token) == 2
    assert world.asked.count(unknown) == 3


async def test_what_was_taken_away_no_longer_holds_after_a_minute() -> None:
    world = World()
    token = world.token(ROBOT)
    assert await world.permissions(token)
    world.rights["team"] = set()
    world.seconds = 60

    assert not await world.permissions(token)


async def test_a_token_holds_no_longer_than_it_says() -> None:
    world = World()
    token = world.token(ROBOT, 10)
    assert await world.permissions(token)
    world.seconds = 10

    assert not await world.permissions(token)
    assert len(world.asked) == 1, "what is over is not asked about"


async def test_what_has_not_the_form_of_a_token_is_not_asked_about() -> None:
    world = World()
    for token in ("apify_api_x", "a.b.c", ""):
        assert await world.identities.identify(token, "team") is None
    assert world.asked == []


async def test_many_requests_with_a_new_token_are_one_question_even_if_the_first_goes_away() -> (
    None
):
    world = World()
    world.hold = asyncio.Event()
    token = world.token(ROBOT)
    first, *others = [asyncio.create_task(world.permissions(token)) for _ in range(9)]
    await asyncio.sleep(0)
    first.cancel()
    world.hold.set()

    assert await asyncio.gather(*others) == [{Permission.READ}] * 8
    assert len(world.asked) == 1


async def test_made_up_tokens_do_not_keep_kubernetes_busy() -> None:
    world = World()
    known = world.token(ROBOT)
    await world.permissions(known)
    for number in range(kubernetes_identity.QUESTIONS_AT_ONCE - 1):
        await world.permissions(jwt({"n": number}))
    with pytest.raises(ApiError) as caught:
        await world.permissions(jwt({"n": -1}))

    assert caught.value.status == 429
    assert len(world.asked) == kubernetes_identity.QUESTIONS_AT_ONCE
    assert await world.permissions(known) == {Permission.READ}, "who is known is not asked about"


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_identity, "MOST_KNOWN", 3)
    world = World()
    tokens = [world.token(ROBOT) for _ in range(4)]
    for token in (*tokens, tokens[3], tokens[0]):
        await world.permissions(token)

    assert [world.asked.count(token) for token in tokens] == [2, 1, 1, 1]


async def test_while_kubernetes_is_away_nobody_is_told_that_the_token_is_wrong() -> None:
    world = World()
    world.away = True
    token = world.token(ROBOT)
    with pytest.raises(ApiError) as caught:
        await world.permissions(token)
    assert caught.value.status == 503

    world.away = False
    assert await world.permissions(token) == {Permission.READ}
