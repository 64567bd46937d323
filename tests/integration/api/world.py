"""The whole API server on a port of 127.0.0.1, with the real operator, and pods that are played."""

import asyncio
import base64
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from apify_client import ApifyClientAsync
from fastapi import FastAPI
from starlette.types import ASGIApp
from tests.integration.operator.bench import SCENARIOS
from tests.integration.operator.replica import Replica
from tests.support.apiserver import ApiServer, PodPlayer
from tests.support.connection import connection_to
from tests.support.statements import every_statement_names_its_account

from actor_operator.api.v1alpha1.actor_token import TokenScope
from actor_operator.api_factory import Api, build_api
from actor_operator.api_parts import read_keyring
from actor_operator.constants import KEYS_SECRET
from actor_operator.desired.keyring import KEY_BYTES, Keyring
from actor_operator.desired.tokens import PermissionLevel, run_token
from actor_operator.engine.supervisor import Supervisor
from actor_operator.server.application import build_application
from actor_operator.server.measured import Measured
from actor_operator.server.process import HttpServer, http_server
from actor_operator.services.errors import ApiError
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiLimitSettings, ApiSettings
from actor_operator.storage.database import Database
from actor_operator.storage.folder import Folder
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.postgres import PostgresDatabase
from actor_operator.storage.sqlite import SqliteDatabase

CRDS = Path(__file__).parents[3] / "crds"
"""The project's definitions."""

HOST = "127.0.0.1"

OWNER = "owners"
"""The account whose things the tests are about."""

STRANGER = "strangers"
"""Another account."""

AUTHOR = "authors"
"""The account whose public Actors others run: their runs have limited permissions."""

SPEED = 50.0
"""Seconds of a pod's life that pass in one second."""

STOP_SECONDS = 10.0

EVERY_SCOPE = tuple(scope.value for scope in TokenScope)


class World:
    """What a test works with.

    Parameters
    ----------
    server
        The API server of Kubernetes.
    api
        The services of the API server.
    url
        Its address, without ``/v2``.
    keyring
        The keys of the installation.
    """

    def __init__(self, server: ApiServer, api: Api, url: str, keyring: Keyring) -> None:
        self.server = server
        self.api = api
        self.url = url
        self.keyring = keyring
        self.application: FastAPI = build_application(api)
        self.app: ASGIApp = Measured(self.application, api.cluster.metrics)

    # Who asks

    async def token(
        self, account: str, *scopes: str, lasts: timedelta | None = None, name: str = ""
    ) -> str:
        """A token of an account, which the API server has heard of; without scopes: of all."""
        token = f"apify_api_{secrets.token_urlsafe(32)}"
        spec: dict[str, Any] = {
            "account": account,
            "sha256": hashlib.sha256(token.encode()).hexdigest(),
            "scopes": list(scopes or EVERY_SCOPE),
        }
        if lasts is not None:
            spec["expiresAt"] = (datetime.now(tz=UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
        name = name or f"token-{secrets.token_hex(4)}"
        self.server.create("actortokens", {"metadata": {"name": name}, "spec": spec}, "")
        if lasts is None or lasts > timedelta(0):
            await until("the token is known", lambda: self.knows(token))
        return token

    async def revoke(self, name: str, token: str) -> None:
        """Take a token back; returns once the API server has heard of it."""
        self.server.delete("actortokens", "", name)

        async def is_gone() -> bool:
            return not await self.knows(token)

        await until("the token is gone", is_gone)

    async def knows(self, token: str) -> bool:
        """Whether a token is one that the API server takes."""
        try:
            await self.api.authentication.identify(token)
        except ApiError:
            return False
        return True

    def token_of_run(
        self, name: str, level: PermissionLevel = PermissionLevel.FULL, namespace: str = OWNER
    ) -> str:
        """The token that an attempt of a run has."""
        run = self.server.get("actorruns", namespace, name)
        return run_token(
            self.keyring,
            namespace=namespace,
            name=name,
            uid=run["metadata"]["uid"],
            attempt=run.get("status", {}).get("attempt", 1),
            level=level,
        )

    # How they ask

    def client(self, token: str = "") -> httpx.AsyncClient:
        """A plain client over a real connection."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)

    def apify(self, token: str, retries: int = 0) -> ApifyClientAsync:
        """Apify's client for Python, as users have it; no failure of the server is to be hidden."""
        return ApifyClientAsync(
            token, api_url=self.url, api_public_url=self.url, max_retries=retries
        )

    # What there is

    def make_actor(self, name: str, namespace: str = OWNER, **spec: Any) -> None:
        """Make an Actor whose image plays the scenario of its name."""
        build = {"number": "1.0.1", "image": f"registry.example/{name}:1", **spec.pop("build", {})}
        body = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}, **spec}
        self.server.create("actors", {"metadata": {"name": name}, "spec": body}, namespace)


@asynccontextmanager
async def open_world(
    server: ApiServer, database: Database, objects: ObjectStore, folder: Path, **more: Any
) -> AsyncIterator[World]:
    """A world in which everything works; the accounts and their Actors are there.

    Parameters
    ----------
    server, database, objects
        Where things are kept; the database is closed at the end.
    folder
        For files.
    more
        Other settings.
    """
    # With its protocol named, or asyncio would leave Nagle's algorithm on: 40 ms an answer.
    with closing(
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ) as listening:
        listening.bind((HOST, 0))
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        keyring = make_keys(server, folder / "keys")
        settings = Settings(api=api_settings(url, folder / "keys"), **more)
        api = build_api(settings, connection_to(server), keyring, database, objects)
        world = World(server, api, url, keyring)
        _make_accounts(world)
        supervisor, http = Supervisor(), http_server(world.app, HOST, 0)
        for name, run in api.tasks().items():
            supervisor.start(name, run)
        replica = Replica(server, settings)
        await api.warm()
        serving = asyncio.create_task(http.serve(sockets=[listening]))
        try:
            with PodPlayer(server, SCENARIOS, speed=SPEED):
                yield world
        finally:
            await _stop(api, http, serving)
            await replica.stopped()
            await supervisor.stop_all(STOP_SECONDS)
            await api.close()


def api_settings(url: str, keys: Path) -> ApiSettings:
    """Settings of an API server at an address."""
    return ApiSettings(
        enabled=True,
        internal_url=url,
        events_url=url,
        keys_folder=keys,
        # Tests ask as fast as they can.
        limits=ApiLimitSettings(requests_per_second=1_000_000, request_burst=10_000_000),
    )


def make_keys(server: ApiServer, folder: Path) -> Keyring:
    """The keys of the installation, in their Secret and in the files that the API server reads."""
    folder.mkdir()
    data = {"active": b"k1", "k1": secrets.token_bytes(KEY_BYTES)}
    for name, value in data.items():
        (folder / name).write_bytes(value)
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    namespace = Settings().namespace
    server.create("secrets", {"metadata": {"name": KEYS_SECRET}, "data": encoded}, namespace)
    return read_keyring(folder)


async def until(what: str, check: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait until something holds that nobody signals."""
    try:
        async with asyncio.timeout(seconds):
            while not await check():  # noqa: ASYNC110 -- as said
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:g} s") from None


def _make_accounts(world: World) -> None:
    for account in (OWNER, STRANGER, AUTHOR):
        world.server.create("namespaces", {"metadata": {"name": account}}, "")
    for name in SCENARIOS:
        world.make_actor(name)
        world.make_actor(f"public-{name}", AUTHOR, isPublic=True, build={"image": f"x/{name}:1"})


async def _stop(api: Api, http: HttpServer, serving: asyncio.Task[None]) -> None:
    api.stop_waiting()
    http.should_exit = True
    await serving


@asynccontextmanager
async def world_on(backend: str, folder: Path, postgres_url: str = "") -> AsyncIterator[World]:
    """A world with a Kubernetes of its own and an empty database; each statement is looked at."""
    database: Database
    if backend == "sqlite":
        database = await SqliteDatabase.open(folder / "database")
    else:
        database = await PostgresDatabase.open(postgres_url)
    crds = sorted(CRDS.glob("*.yaml"))
    kubernetes = ApiServer(crds=crds, namespaces=["default", Settings().namespace])
    objects = Folder(folder / "objects")
    with every_statement_names_its_account():
        async with kubernetes as server, open_world(server, database, objects, folder) as world:
            yield world
