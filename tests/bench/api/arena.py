"""The API server and its baseline, each in a process on one core; all else is on the others."""

import asyncio
import base64
import hashlib
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import insert
from tests.bench.api.bare import make_tables
from tests.bench.api.client import Call, Connection, WrongAnswerError
from tests.integration.operator.replica import Replica
from tests.support.apiserver import ApiServer, PodPlayer
from tests.support.apiserver.player import Scenario
from tests.support.s3_server import s3_server

from actor_operator.constants import KEYS_SECRET
from actor_operator.desired.keyring import KEY_BYTES
from actor_operator.desired.names import object_id
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.counters import Counters
from actor_operator.storage.sqlite import SqliteDatabase
from actor_operator.storage.tables import RUNS

REPOSITORY = Path(__file__).parents[3]
CRDS = sorted((REPOSITORY / "crds").glob("*.yaml"))

FEW, MANY = "few", "many"
"""Accounts with a short and with a long history of runs."""

HISTORY = {FEW: 1_000, MANY: 100_000}
"""How many runs they have."""

SCENARIOS = {"quick": Scenario(start_after=0.0), "endless": Scenario(run_for=None)}
"""What pods do."""

SPEED = 50.0
"""Seconds of a pod's life that pass in one second."""

DAY = 86_400_000


@dataclass(frozen=True)
class Side:
    """One of the two that are compared."""

    port: int
    headers: dict[str, str]

    async def ask(self, call: Call) -> bytes:
        """Ask once."""
        connection = await Connection.open(self.port, self.headers)
        try:
            return await connection.ask(call)
        finally:
            connection.close()


@dataclass(frozen=True)
class Arena:
    """What is measured."""

    kubernetes: ApiServer
    served: Side
    """With the token of the account with a short history."""
    bare: Side
    long: Side
    """The API server, with the token of the account with a long history."""
    health: Side
    """The API server's port for metrics."""

    async def make(self, kind: str) -> str:
        """Make a storage, and return its path."""
        answer = await self.served.ask(Call("POST", f"/v2/{kind}", status=201))
        return f"/v2/{kind}/{msgspec.json.decode(answer)['data']['id']}"


@asynccontextmanager
async def open_arena(folder: Path, *, bucket: bool = False) -> AsyncIterator[Arena]:
    """Start everything; the API server keeps large bodies in a folder, or in a bucket."""
    others = os.sched_getaffinity(0) - {0}
    if others:
        os.sched_setaffinity(0, others)
    namespaces = ["default", Settings().namespace]
    async with ApiServer(crds=CRDS, namespaces=namespaces) as server, AsyncExitStack() as stack:
        settings, main, health = _settings(folder), _free_port(), _free_port()
        if bucket:
            in_bucket = stack.enter_context(s3_server()).settings("bench")
            storage = {"objects": "s3", "bucket": in_bucket.model_dump(by_alias=True)}
            settings["api"]["storage"] |= storage
        settings["api"] |= {"host": "127.0.0.1", "port": main, "metricsPort": health}
        settings["api"] |= {"internalUrl": f"http://127.0.0.1:{main}", "eventsUrl": "http://e.test"}
        _make_keys(server, folder / "keys")
        tokens = await _make_accounts(server, folder)
        (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
        replica = Replica(server, Settings(api=ApiSettings.model_validate(settings["api"])))
        bare_port = _free_port()
        await make_tables(folder / "bare")
        processes = [
            _start("served", str(folder / "settings.json"), server.url),
            _start("bare", str(folder / "bare"), str(bare_port)),
        ]
        try:
            with PodPlayer(server, SCENARIOS, speed=SPEED):
                arena = Arena(
                    server,
                    Side(main, {"Authorization": f"Bearer {tokens[FEW]}"}),
                    Side(bare_port, {}),
                    Side(main, {"Authorization": f"Bearer {tokens[MANY]}"}),
                    Side(health, {}),
                )
                await _wait_for(arena.long, Call("GET", "/v2/users/me"))
                await _wait_for(arena.bare, Call("GET", "/spent/x"))
                yield arena
        finally:
            for process in processes:
                process.terminate()
                process.wait()
            await replica.stopped()


def _start(module: str, *words: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(REPOSITORY / "operator"), str(REPOSITORY)])
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.api.{module}", *words],
        env={**os.environ, "PYTHONPATH": path},
    )


async def _wait_for(side: Side, call: Call) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                await side.ask(call)
            except (OSError, WrongAnswerError):
                await asyncio.sleep(0.05)
            else:
                return


def _settings(folder: Path) -> dict[str, dict[str, Any]]:
    limits = {"requestsPerSecond": 1_000_000, "requestBurst": 10_000_000}
    api = {
        "enabled": True,
        "keysFolder": str(folder / "keys"),
        "storage": {"folder": str(folder / "served")},
        "limits": limits,
    }
    return {"api": api}


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _make_keys(server: ApiServer, folder: Path) -> None:
    folder.mkdir()
    data = {"active": b"k1", "k1": secrets.token_bytes(KEY_BYTES)}
    for name, value in data.items():
        (folder / name).write_bytes(value)
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    body = {"metadata": {"name": KEYS_SECRET}, "data": encoded}
    server.create("secrets", body, Settings().namespace)


async def _make_accounts(server: ApiServer, folder: Path) -> dict[str, str]:
    """Make the accounts with their tokens, Actors and old runs."""
    tokens = {}
    database = await SqliteDatabase.open(folder / "served")
    bare = await SqliteDatabase.open(folder / "bare" / "database")
    for account in (FEW, MANY):
        made = server.create("namespaces", {"metadata": {"name": account}}, "")
        for scenario in SCENARIOS:
            build = {"number": "1.0.1", "image": f"registry.example/{scenario}:1"}
            spec = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}}
            server.create("actors", {"metadata": {"name": scenario}, "spec": spec}, account)
        tokens[account] = _make_token(server, account)
        for each in (database, bare):
            await each.write(partial(_add_history, account, made["metadata"]["uid"]))
    await database.close()
    await bare.close()
    return tokens


def _make_token(server: ApiServer, account: str) -> str:
    token = f"apify_api_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(token.encode()).hexdigest()
    spec = {"account": account, "sha256": digest, "scopes": ["read", "write", "run", "admin"]}
    server.create("actortokens", {"metadata": {"name": account}, "spec": spec}, "")
    return token


def _add_history(account: str, uid: str, connection: SqlConnection) -> None:
    number = Accounts(connection).ensure(account, uid, 0)
    count = HISTORY[account]
    rows = [
        {
            "account": number,
            "id": object_id("old-run", f"{account}/{position}"),
            "name": f"old-{position}",
            "uid": f"uid-{account}-{position}",
            "state": "visible",
            "actor_id": object_id("actor", account),
            "actor": f"{account}/quick",
            "origin": "API",
            "started_at": 1_700_000_000_000 + position,
            "attempt": 1,
            "phase_rank": 9,
            "status": "SUCCEEDED",
            "finished_at": 1_700_000_000_000 + position + 1000,
            "build_number": "1.0.1",
            "meta": b'{"origin":"API"}',
        }
        for position in range(count)
    ]
    for start in range(0, count, 1000):
        connection.execute(insert(RUNS), rows[start : start + 1000])
    Counters(connection, number).add("runs", "SUCCEEDED", count)
