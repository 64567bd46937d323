"""Faults that tests put between a client and the store.

`on(...)` says which requests are meant, a method of `Faults` what happens to them:

    server.faults.fail(503, on("update", "actorruns/status", nth=2, times=3))
    server.faults.reset(on("create", "pods"), applied=True)
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.support.apiserver.errors import ApiError, made_up
from tests.support.apiserver.requestlog import Request, verb_matches

Predicate = Callable[[Request], bool]


@dataclass(slots=True)
class Which:
    """Which requests a fault is for. Made by `on`."""

    verb: str
    kind: str
    name: str
    namespace: str
    when: Predicate | None
    skip: int
    left: int | None
    until: float | None

    def takes(self, request: Request, now: float) -> bool:
        """Whether this request is one; counts it."""
        if not self._is_meant(request) or (self.until is not None and now >= self.until):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.left is not None:
            if not self.left:
                return False
            self.left -= 1
        return True

    def _is_meant(self, request: Request) -> bool:
        return (
            verb_matches(self.verb, request.verb)
            and self.kind in {"*", request.kind}
            and self.name in {"*", request.name}
            and self.namespace in {"*", request.namespace}
            and (self.when is None or self.when(request))
        )


def on(
    verb: str = "*",
    kind: str = "*",
    name: str = "*",
    *,
    namespace: str = "*",
    when: Predicate | None = None,
    nth: int = 1,
    times: int | None = 1,
    seconds: float | None = None,
) -> Which:
    """Say which requests a fault is for.

    Parameters
    ----------
    verb
        A verb, `write`, `read` or `*`.
    kind
        Plural with subresource, as `pods` or `actorruns/status`, or `*`.
    when
        A further condition.
    nth
        The first of the matching requests that is hit, counted from 1.
    times
        How many are hit, None for all that follow.
    seconds
        Hit all that come within this time from now; overrides `times`.
    """
    until = None
    if seconds is not None:
        until, times = asyncio.get_running_loop().time() + seconds, None
    return Which(verb, kind, name, namespace, when, nth - 1, times, until)


class Moment(StrEnum):
    """When a fault strikes, seen from the write."""

    BEFORE = "before"
    """Nothing is applied."""
    APPLIED = "applied"
    """It is committed, the answer is not sent."""
    DURING = "during"
    """It is committed, half of the answer is sent."""


class Reset(Exception):  # noqa: N818 - not an error of ours but what a test asked for
    """The connection is to be reset."""


Action = Callable[[Request], Awaitable[None]]
"""What happens at the moment; may raise `ApiError` or `Reset`."""


@dataclass(slots=True)
class Fault:
    """What happens to some requests."""

    which: Which
    moment: Moment
    action: Action
    hits: list[Request] = field(default_factory=list)
    """The requests that were hit."""


class Faults:
    """The faults of a server, looked at in the order in which they were added."""

    def __init__(self, touch: Callable[[Request], None]) -> None:
        self._faults: list[Fault] = []
        self._touch = touch

    def clear(self) -> None:
        """Let all requests pass from now on; those that hang go on hanging."""
        self._faults.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault for a request, None to let it pass."""
        now = asyncio.get_running_loop().time()
        for fault in self._faults:
            if fault.which.takes(request, now):
                fault.hits.append(request)
                return fault
        return None

    def fail(
        self,
        code: int,
        which: Which,
        *,
        message: str = "made up by a test",
        retry_after: int | None = None,
        applied: bool = False,
    ) -> Fault:
        """Answer with an error; with `applied` after the write was committed."""
        error = made_up(code, message, retry_after)

        async def action(_request: Request) -> None:
            raise error

        return self._add(which, action, applied=applied)

    def refuse(self, error: ApiError, which: Which) -> Fault:
        """Answer with an error of the server's own making."""

        async def action(_request: Request) -> None:
            raise error

        return self._add(which, action)

    def reset(self, which: Which, *, applied: bool = False, during: bool = False) -> Fault:
        """Reset the connection: before, after (`applied`) or in the midst of (`during`) it."""

        async def action(_request: Request) -> None:
            raise Reset

        moment = Moment.DURING if during else Moment.APPLIED if applied else Moment.BEFORE
        return self._append(Fault(which, moment, action))

    def hang(self, which: Which, *, applied: bool = False) -> Fault:
        """Never answer; the client has to give up."""

        async def action(_request: Request) -> None:
            await asyncio.get_running_loop().create_future()

        return self._add(which, action, applied=applied)

    def delay(self, seconds: float, which: Which, *, applied: bool = False) -> Fault:
        """Answer late."""

        async def action(_request: Request) -> None:
            await asyncio.sleep(seconds)

        return self._add(which, action, applied=applied)

    def touch(self, which: Which) -> Fault:
        """Let another client change the object first, so that a lock fails for real."""

        async def action(request: Request) -> None:
            self._touch(request)

        return self._add(which, action)

    def call(
        self, call: Callable[[Request], object], which: Which, *, applied: bool = False
    ) -> Fault:
        """Run a function of the test at that moment, for instance to kill the client."""

        async def action(request: Request) -> None:
            call(request)

        return self._add(which, action, applied=applied)

    def _add(self, which: Which, action: Action, *, applied: bool = False) -> Fault:
        moment = Moment.APPLIED if applied else Moment.BEFORE
        return self._append(Fault(which, moment, action))

    def _append(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault
