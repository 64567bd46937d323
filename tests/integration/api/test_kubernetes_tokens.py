"""Tokens of Kubernetes over HTTP: the account in the address, and what is refused."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.api.world import OWNER, STRANGER, World, world_on
from tests.unit.services.test_bearer import jwt

from actor_operator.clock import SystemClock
from actor_operator.kube.reviews import Subject
from actor_operator.services.kubernetes_identity import KubernetesIdentities

TOKEN = jwt({"exp": time.time() + 3600})
ROBOT = Subject(f"system:serviceaccount:{OWNER}:robot")


class Reviews:
    """A service account that may read where it lives, and nothing elsewhere."""

    async def whose(self, token: str) -> Subject | None:
        return ROBOT if token == TOKEN else None

    async def may(self, _subject: Subject, namespace: str, _resource: str, verb: str) -> bool:
        return namespace == OWNER and verb in {"get", "list"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_on("sqlite", tmp_path) as world:
        identities = KubernetesIdentities(
            reviews=Reviews(),
            accounts=world.api.parts.accounts,
            now=SystemClock().now,
            monotonic=time.monotonic,
        )
        world.api.authentication._kubernetes = identities
        yield world


async def test_a_service_account_reads_and_does_not_write(world: World) -> None:
    async with world.client(TOKEN) as client:
        for base in ("", f"/accounts/{OWNER}"):
            me = await client.get(f"{base}/v2/users/me")
            assert (me.status_code, me.json()["data"]["username"]) == (200, OWNER)
            assert (await client.get(f"{base}/v2/datasets")).status_code == 200
            refused = await client.post(f"{base}/v2/datasets?name=new")
            assert refused.status_code == 403


async def test_other_accounts_and_missing_ones_look_the_same(world: World) -> None:
    async with world.client(TOKEN) as client:
        answers = [
            await client.get(f"/accounts/{account}/v2/datasets")
            for account in (STRANGER, "no-such-account")
        ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


async def test_our_own_tokens_name_their_own_account_only(world: World) -> None:
    token = await world.token(OWNER)
    async with world.client(token) as client:
        statuses = [
            (await client.get(f"/accounts/{account}/v2/datasets")).status_code
            for account in (OWNER, STRANGER, "no-such-account")
        ]

    assert statuses == [200, 401, 401]


async def test_a_made_up_token_is_refused(world: World) -> None:
    async with world.client(jwt({"exp": time.time() + 3600, "sub": "me"})) as client:
        assert (await client.get("/v2/users/me")).status_code == 401
