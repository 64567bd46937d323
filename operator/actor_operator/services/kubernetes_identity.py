"""People and programs that come with a token of Kubernetes instead of one of ours.

Kubernetes says whose token it is and what that one may do: with runs, and with the virtual resource
``storages.actor-operator.dev``, which stands in roles and nowhere else.
"""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from actor_operator.errors import ActorOperatorError
from actor_operator.kube.reviews import Subject
from actor_operator.log import logger
from actor_operator.services.accounts import Accounts
from actor_operator.services.bearer import expiry_of
from actor_operator.services.errors import ApiError, unavailable
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.rates import Rates

log = logger(__name__)

SERVICE_ACCOUNT = re.compile(r"system:serviceaccount:([a-z0-9-]+):[^:]+")
"""Names of service accounts, with their namespace."""

RUNS, STORAGES = "actorruns", "storages"

NEEDED: dict[Permission, tuple[tuple[str, str], ...]] = {
    Permission.READ: ((RUNS, "list"), (STORAGES, "get"), (STORAGES, "list")),
    Permission.WRITE: ((STORAGES, "create"), (STORAGES, "update"), (STORAGES, "delete")),
    Permission.STATUS: ((RUNS, "update"),),
    Permission.RUN: ((RUNS, "create"), (RUNS, "update")),
    Permission.ADMIN: ((RUNS, "delete"),),
}
"""What one must be allowed in Kubernetes, all of it, to have a permission here."""

KNOWN_SECONDS = 60.0
"""How long an answer of Kubernetes holds; a token that ends sooner ends sooner."""

UNKNOWN_SECONDS = 5.0
"""How long a token that was refused is not asked about again."""

MOST_KNOWN = 10_000
"""Most answers that are kept; the oldest goes first."""

QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE = 20.0, 100
"""How many tokens Kubernetes is asked about; whoever sends made-up ones must not keep it busy."""

Key = bytes


class Reviewer(Protocol):
    """Asks Kubernetes about people."""

    async def whose(self, token: str) -> Subject | None:
        """Whose token it is; None: it is none, or none for us."""
        ...

    async def may(self, subject: Subject, namespace: str, resource: str, verb: str) -> bool:
        """Whether somebody may do something with a resource of our group in a namespace."""
        ...


class KubernetesIdentities:
    """Finds out who has a token of Kubernetes.

    Parameters
    ----------
    reviews
        Asks Kubernetes.
    accounts
        The accounts that there are.
    now
        The time.
    monotonic
        Seconds of a clock that only goes forwards.
    """

    def __init__(
        self,
        *,
        reviews: Reviewer,
        accounts: Accounts,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._reviews = reviews
        self._accounts = accounts
        self._now = now
        self._monotonic = monotonic
        self._rates = Rates(per_second=QUESTIONS_PER_SECOND, burst=QUESTIONS_AT_ONCE, now=monotonic)
        self._known: OrderedDict[Key, tuple[float, Caller | None]] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[Caller | None]] = {}

    async def identify(self, token: str, namespace: str) -> Caller | None:
        """Who has a token; None: it is none, or it allows nothing in that account.

        Parameters
        ----------
        token
            The token.
        namespace
            The account that is meant; empty: the one of the service account.

        Raises
        ------
        ApiError
            429 when too many tokens have to be asked about, 503 when Kubernetes does not answer.
        """
        ends = expiry_of(token)
        if ends is None or ends <= self._now().timestamp():
            return None
        # Not the token itself: what is kept must be of no use to who can read it.
        key = hashlib.sha256(f"{namespace}/{token}".encode()).digest()
        until, caller = self._known.get(key, (0.0, None))
        if until > self._monotonic():
            return caller
        if key not in self._asking:
            self._require_room()
            task = asyncio.create_task(self._ask(key, token, namespace, ends))
            self._asking[key] = task
            task.add_done_callback(partial(self._finish, key))
        # One who goes away while it is asked must not take the answer from the others.
        return await asyncio.shield(self._asking[key])

    def _finish(self, key: Key, task: asyncio.Task[Caller | None]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; perhaps nobody does any more

    def _require_room(self) -> None:
        if not self._rates.take(""):
            raise ApiError(
                "rate-limit-exceeded",
                "Too many unknown tokens of Kubernetes. Wait a moment and try again.",
                status=429,
            )

    async def _ask(self, key: Key, token: str, namespace: str, ends: float) -> Caller | None:
        try:
            caller = await self._look_up(token, namespace)
        except ApiError:
            raise
        except ActorOperatorError as error:
            log.warning("Kubernetes does not say whose a token is.", cause=str(error))
            raise unavailable("Kubernetes does not say now whose token it is.") from None
        left = max(0.0, ends - self._now().timestamp())
        seconds = UNKNOWN_SECONDS if caller is None else min(KNOWN_SECONDS, left)
        self._known.pop(key, None)
        self._known[key] = (self._monotonic() + seconds, caller)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return caller

    async def _look_up(self, token: str, namespace: str) -> Caller | None:
        subject = await self._reviews.whose(token)
        if subject is None:
            return None
        own = SERVICE_ACCOUNT.fullmatch(subject.username)
        account = namespace or (own[1] if own else "")
        number = await self._accounts.number(account) if account else None
        if number is None:
            return None
        permissions = await self._permissions(subject, account)
        if not permissions:
            return None
        shared = {Permission.PUBLIC, Permission.SHARED}
        return Caller(number, account, permissions | shared)

    async def _permissions(self, subject: Subject, namespace: str) -> frozenset[Permission]:
        rights = sorted({right for needed in NEEDED.values() for right in needed})
        answers = await asyncio.gather(
            *(self._reviews.may(subject, namespace, *right) for right in rights)
        )
        allowed = {right for right, answer in zip(rights, answers, strict=True) if answer}
        return frozenset(one for one, needed in NEEDED.items() if allowed.issuperset(needed))
