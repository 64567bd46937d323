"""The routes of runs over a real database, a Kubernetes API server, and the operator itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import httpx
from fastapi import FastAPI, Request
from tests.support.apiserver import ApiServer
from tests.support.builders import KEYRING
from typing_extensions import override

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.full_actor import FullActor
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store
from actor_operator.kube.accounts import ACTOR_ACCOUNTS, decode_account
from actor_operator.kube.actors import ACTORS, decode_full_actor
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import Connection
from actor_operator.kube.namespaces import NAMESPACES, decode_namespace
from actor_operator.kube.pods import PODS, decode_pod
from actor_operator.kube.pods import SELECTOR as PODS_OF_RUNS
from actor_operator.kube.run_requests import RunRequests, decode_slim_run
from actor_operator.kube.runs import ACTOR_RUNS, Runs
from actor_operator.kube.source import KindSource
from actor_operator.server.app import build_app
from actor_operator.server.gate import Gate
from actor_operator.server.routes.actor_runs import ActorRunUses, actor_run_routes
from actor_operator.server.routes.actors import PREFIXES, actor_routes
from actor_operator.server.routes.builds import actor_build_routes, build_routes
from actor_operator.server.routes.logs import log_routes
from actor_operator.server.routes.runs import run_routes
from actor_operator.services.account_use import AccountUses
from actor_operator.services.accounts import Accounts
from actor_operator.services.actor_directory import ActorDirectory
from actor_operator.services.actors import Actors
from actor_operator.services.dataset_compaction import DatasetCompactor
from actor_operator.services.datasets import Datasets
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import NOBODY, Caller, Permission
from actor_operator.services.key_value_stores import KeyValueStores
from actor_operator.services.log_tails import Tails
from actor_operator.services.logs import Logs
from actor_operator.services.mirror import Mirror
from actor_operator.services.run_answers import RunAnswers
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_finding import RunFinding
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_start import RunStart
from actor_operator.services.run_sweeper import RunSweeper
from actor_operator.services.run_sync import RunSync
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.services.runs import RunService
from actor_operator.services.storage_object import Addresses
from actor_operator.services.storage_use import StorageUse
from actor_operator.services.times import millis_of
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiLimitSettings, ApiSettings
from actor_operator.storage.accounts import Accounts as AccountRows
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore

NAMESPACE = "default"

SETTINGS = Settings(
    api=ApiSettings(
        enabled=True,
        internal_url="http://api.test",
        events_url="http://events.test",
        limits=ApiLimitSettings(start_seconds=10),
    )
)
"""What the API server and the operator are set to."""


class StubGate(Gate):
    """Knows callers by simple tokens."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    @override
    async def admit(self, request: Request, needed: Permission) -> Caller:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        caller = self.callers.get(token, NOBODY)
        if needed not in caller.permissions:
            raise ApiError("insufficient-permissions", "It may not.", status=403)
        return caller


class RunBench:
    """What a test works with.

    Parameters
    ----------
    server
        The Kubernetes API server.
    database, objects
        Where rows and bodies are.
    """

    def __init__(
        self,
        server: ApiServer,
        database: Database,
        objects: ObjectStore,
        settings: Settings = SETTINGS,
    ) -> None:
        self.server = server
        self.database = database
        self.settings = settings
        connection = Connection(
            url=server.url,
            ssl=False,
            namespace=NAMESPACE,
            authorization=lambda: None,
            reload=lambda: connection,
        )
        self.kube = KubeClient(connection, user_agent="api-test")
        self.runs, self.pods = run_store(), pod_store()
        self.actors: Store[FullActor] = Store()
        self.namespaces: Store[NamespaceView] = Store()
        self.accounts: Store[AccountView] = Store()
        self.hub = RunHub(self.runs, self.pods)
        self.directory = RunDirectory(self.runs, Runs(self.kube))
        self.parts = self._parts(objects)
        self.mirror = Mirror(self.parts)
        self.start = RunStart(self.parts)
        self.sweeper = RunSweeper(self.parts, self.start)
        self.gate = StubGate()
        self.uses = self._uses(objects)
        self.logs = Logs(database, objects, Tails())
        self._tasks: list[asyncio.Task[None]] = []
        self._informers = self._watch()

    async def begin(self) -> None:
        """Fill the caches, and have the caller "owner" with every permission."""
        self._tasks = [asyncio.create_task(informer.run()) for informer in self._informers]
        self._tasks.append(asyncio.create_task(self.mirror.run()))
        for informer in self._informers:
            await informer.synced.wait()
        self.gate.callers["owner"] = await self.caller(NAMESPACE)

    async def caller(
        self, namespace: str, permissions: Iterable[Permission] = Permission
    ) -> Caller:
        """Somebody of an account."""
        account = await self.parts.accounts.expect(namespace)
        return Caller(account, namespace, frozenset(permissions))

    def client(self, who: str = "owner") -> httpx.AsyncClient:
        """A client of the routes."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._app),
            base_url="http://api.test",
            headers={"Authorization": f"Bearer {who}"},
            timeout=60,
        )

    @cached_property
    def _app(self) -> FastAPI:
        """The routes, which take a moment to build."""
        return build_app(
            self.gate,
            [
                run_routes(self.uses.runs, self.uses.answers),
                build_routes(self.uses.actors),
                log_routes(self.logs, self.uses.answers, self.uses.actors),
                *(actor_run_routes(prefix, self.uses) for prefix in PREFIXES),
                *(actor_build_routes(prefix, self.uses.actors) for prefix in PREFIXES),
                *(actor_routes(prefix, self.uses.actors) for prefix in PREFIXES),
            ],
        )

    async def close(self) -> None:
        """Stop everything."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.kube.close()

    def _parts(self, objects: ObjectStore) -> RunParts:
        accounts = Accounts(self.namespaces, self._ensure)
        return RunParts(
            database=self.database,
            objects=objects,
            directory=self.directory,
            hub=self.hub,
            runs=Runs(self.kube),
            requests=RunRequests(self.kube),
            actors=ActorDirectory(
                store=self.actors, database=self.database, accounts=accounts, now=now
            ),
            accounts=accounts,
            settings=self.settings,
            keyring=KEYRING,
            now=now,
        )

    def _uses(self, objects: ObjectStore) -> ActorRunUses:
        parts, millis = self.parts, lambda: millis_of(now())
        answers = RunAnswers(parts)
        usage = AccountUses(
            directory=self.directory,
            hub=self.hub,
            accounts=self.accounts,
            settings=self.settings.accounts,
        )
        runs = RunService(parts, answers, usage)
        use = StorageUse(self.database, millis)
        return ActorRunUses(
            actors=Actors(parts.actors, self.database, self.settings.defaults, "http://api.test"),
            answers=answers,
            finding=RunFinding(runs, parts.actors),
            sync=RunSync(self.start, answers),
            runs=runs,
            stores=KeyValueStores(self.database, objects, use, millis, max_record_bytes=1_000_000),
            datasets=Datasets(
                self.database,
                objects,
                use,
                DatasetCompactor(self.database),
                millis,
                Addresses("http://api.test"),
            ),
        )

    async def _ensure(self, namespace: str, uid: str, adopts: str) -> int:
        return await self.database.write(
            lambda connection: AccountRows(connection).ensure(
                namespace, uid, millis_of(now()), adopts
            )
        )

    def _watch(self) -> list[Informer[Any]]:
        kinds: list[tuple[Any, Any, Any, str]] = [
            (NAMESPACES, self.namespaces, decode_namespace, ""),
            (ACTORS, self.actors, decode_full_actor, ""),
            (ACTOR_ACCOUNTS, self.accounts, decode_account, ""),
            (PODS, self.pods, decode_pod, PODS_OF_RUNS),
            (ACTOR_RUNS, self.runs, decode_slim_run, ""),
        ]
        return [
            Informer(
                source=KindSource(self.kube, resource, label_selector=selector),
                store=store,
                decode=decode,
                on_change=lambda _old, _new: None,
            )
            for resource, store, decode, selector in kinds
        ]


@asynccontextmanager
async def run_bench(
    server: ApiServer, database: Database, objects: ObjectStore, settings: Settings = SETTINGS
) -> AsyncIterator[RunBench]:
    """A bench that has begun."""
    bench = RunBench(server, database, objects, settings)
    await bench.begin()
    try:
        yield bench
    finally:
        await bench.close()


async def until(what: str, check: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    """Wait until something holds that nobody signals: what an answer says, or a row."""
    try:
        async with asyncio.timeout(seconds):
            while not await check():  # noqa: ASYNC110 -- as said
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:g} s") from None


def now() -> datetime:
    """The time."""
    return datetime.now(tz=UTC)
