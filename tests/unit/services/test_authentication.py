"""Whose token it is, and for how long."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.support.builders import KEYRING, RUN_UID, a_run
from tests.support.toy_cluster import drive

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.run import RunView
from actor_operator.api.views.token import TokenSpec, TokenView
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.tokens import PermissionLevel, run_token
from actor_operator.engine.store import Store
from actor_operator.services.accounts import Accounts
from actor_operator.services.authentication import GRACE, MESSAGE_GRACE, Authentication
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.tokens import TOKENS_BY_HASH, Tokens, token_index

NOW = datetime(2026, 3, 1, 13, 0, 0, tzinfo=UTC)
SECRET = "apify_api_secret"
OTHER_KEYS = Keyring("k1", {"k1": b"o" * 32})
SECOND = timedelta(seconds=1)


class Runs:
    """One run, or none."""

    def __init__(self, run: RunView | None) -> None:
        self.run = run

    async def find(self, namespace: str, name: str) -> RunView | None:
        known = self.run is not None and (self.run.namespace, self.run.name) == (namespace, name)
        return self.run if known else None


def identify(
    token: str,
    run: RunView | None = None,
    *,
    now: datetime = NOW,
    named: str = "",
    **spec: Any,
) -> Caller:
    """Who has a token, where there is one ActorToken and perhaps one run."""
    namespaces: Store[NamespaceView] = Store()
    if not spec.pop("no_namespace", False):
        namespaces.apply(NamespaceView(Metadata("team", uid="n-1", resource_version="1")))
    tokens: Store[TokenView] = Store({TOKENS_BY_HASH: token_index})
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    known = {"account": "team", "sha256": digest, "scopes": ("read",), **spec}
    tokens.apply(TokenView(Metadata("mine", resource_version="1"), TokenSpec(**known)))

    async def ensure(namespace: str, uid: str, _adopted: str) -> int:
        assert (namespace, uid) == ("team", "n-1")
        return 7

    authentication = Authentication(
        keyring=KEYRING,
        tokens=Tokens(tokens, lambda: now),
        runs=Runs(run),
        accounts=Accounts(namespaces, ensure),
        now=lambda: now,
    )
    return drive(authentication.identify(token, named))


def refused(*arguments: Any, **more: Any) -> bool:
    with pytest.raises(ApiError) as caught:
        identify(*arguments, **more)
    assert (caught.value.status, caught.value.error_type) == (401, "user-or-token-not-found")
    return True


def token_of(run: RunView, *, attempt: int = 1, keyring: Keyring = KEYRING) -> str:
    return run_token(
        keyring,
        namespace=run.namespace,
        name=run.name,
        uid=run.uid,
        attempt=attempt,
        level=PermissionLevel.LIMITED,
    )


def finished(run: RunView, ago: timedelta) -> RunView:
    status = msgspec.structs.replace(run.status, finished=True, finished_at=NOW - ago)
    return msgspec.structs.replace(run, status=status)


def test_a_token_acts_for_its_account_with_its_scopes() -> None:
    caller = identify(SECRET, scopes=("read", "run"))
    assert (caller.account, caller.namespace, caller.run) == (7, "team", None)
    assert Permission.RUN in caller.permissions
    assert Permission.STATUS in caller.permissions
    assert Permission.WRITE not in caller.permissions
    assert Permission.ADMIN not in caller.permissions


def test_an_unknown_token_is_refused() -> None:
    assert refused("apify_api_another")
    assert refused("")
    assert refused("apify_run_x.y")


def test_a_token_ends_when_its_time_is_over() -> None:
    assert identify(SECRET, expires_at=NOW + SECOND).account == 7
    assert refused(SECRET, expires_at=NOW)


def test_a_token_of_a_namespace_that_is_gone_is_refused() -> None:
    assert refused(SECRET, no_namespace=True)


def test_a_run_acts_for_its_account() -> None:
    run = a_run()
    caller = identify(token_of(run), run)
    assert (caller.account, caller.namespace, caller.is_limited) == (7, "team", True)
    assert caller.run is not None
    assert caller.run.uid == RUN_UID
    assert Permission.WRITE in caller.permissions
    assert Permission.ADMIN not in caller.permissions


def test_the_token_of_another_attempt_or_run_or_installation_is_refused() -> None:
    run = a_run()
    assert refused(token_of(run, attempt=2), run)
    assert refused(token_of(run, keyring=OTHER_KEYS), run)
    assert refused(token_of(run), None)
    metadata = msgspec.structs.replace(run.metadata, uid="another")
    assert refused(token_of(run), msgspec.structs.replace(run, metadata=metadata))


def test_what_a_run_sent_last_may_arrive_after_its_end() -> None:
    run = finished(a_run(), GRACE)
    assert Permission.WRITE in identify(token_of(run), run).permissions


def test_after_that_a_run_can_only_set_its_message() -> None:
    run = finished(a_run(), GRACE + SECOND)
    permissions = identify(token_of(run), run).permissions
    assert Permission.STATUS in permissions
    assert not permissions & {Permission.READ, Permission.WRITE, Permission.RUN}


def test_and_in_the_end_nothing() -> None:
    run = finished(a_run(), MESSAGE_GRACE + SECOND)
    assert refused(token_of(run), run)


def test_a_token_of_an_account_names_no_other_one_in_the_address() -> None:
    run = a_run()
    own = token_of(run)
    assert identify(SECRET, named="team").namespace == "team"
    assert refused(SECRET, named="others")
    assert refused(own, run, named="others")
