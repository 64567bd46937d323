"""The command line, run against an API server in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.integration.api.world import OWNER, World, open_world
from tests.integration.cli.api_user import ApiUser
from tests.support.apiserver import ApiServer, on

from actor_operator.cli.main import cli
from actor_operator.log import configure
from actor_operator.storage.folder import Folder
from actor_operator.storage.sqlite import SqliteDatabase

PATIENCE = 90.0
"""Seconds after which what a test waits for does not come any more."""


def kubeconfig(server: ApiServer, namespace: str = "default") -> dict[str, Any]:
    """A kubeconfig for a server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server.url}}],
        "users": [{"name": "test", "user": {"token": "secret"}}],
        "contexts": [
            {
                "name": "test",
                "context": {"cluster": "test", "user": "test", "namespace": namespace},
            }
        ],
        "current-context": "test",
    }


@dataclass(frozen=True, slots=True)
class Actorctl:
    """Runs command lines in a thread of their own, so that the server can answer meanwhile."""

    server: ApiServer
    kubeconfig: Path
    started: "list[asyncio.Task[Result]]" = field(default_factory=list)

    async def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        """Run a command line to its end."""
        return await asyncio.to_thread(self._run, words, stdin)

    def start(self, *words: str) -> "asyncio.Task[Result]":
        """Run a command line beside the test."""
        self.started.append(asyncio.create_task(self(*words)))
        return self.started[-1]

    async def stop(self) -> None:
        """End what a failed test left behind: a thread ends by itself only."""
        if all(command.done() for command in self.started):
            return
        self.server.faults.clear()
        self.server.faults.fail(403, on(times=None))
        self.server.watches.cut("*", abort=True)
        await asyncio.wait(self.started)

    async def complete(self, line: str) -> str:
        """What a shell is offered for the last word of a line."""
        count = str(len(line.split()) - 1)
        env = {"_ACTORCTL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": count}
        return (await asyncio.to_thread(self._run, (), None, env)).stdout

    def _run(
        self, words: tuple[str, ...], stdin: str | bytes | None, env: dict[str, str] | None = None
    ) -> Result:
        return CliRunner().invoke(
            cli,
            words,
            input=stdin,
            env={"KUBECONFIG": str(self.kubeconfig)} | (env or {}),
            prog_name="actorctl",
            complete_var="_ACTORCTL_COMPLETE",
        )


@pytest.fixture
async def actorctl(server: ApiServer, tmp_path: Path) -> AsyncIterator[Actorctl]:
    """The command line, with the server as its cluster."""
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig(server)))
    server.create("actors", an_actor())
    actorctl = Actorctl(server, file)
    yield actorctl
    await actorctl.stop()


@pytest.fixture
async def world(server: ApiServer, tmp_path: Path) -> AsyncIterator[World]:
    """The API server on a port of this machine, and all that it needs."""
    # What the servers say would else stand in the output of the commands.
    configure(level="ERROR", json=False)
    database = await SqliteDatabase.open(tmp_path / "database")
    objects = Folder(tmp_path / "objects")
    async with open_world(server, database, objects, tmp_path) as world:
        yield world


@pytest.fixture
async def user(world: World, tmp_path: Path) -> ApiUser:
    """A user who is logged in to the API, with every permission."""
    user = ApiUser(world, tmp_path / "settings")
    await user.done("login", "--url", world.url, stdin=f"{await world.token(OWNER)}\n")
    return user


def an_actor(name: str = "hello", **spec: Any) -> dict[str, Any]:
    """An Actor with one build."""
    builds = [{"number": "1.0.1", "image": "hello:1"}]
    tags = {"latest": "1.0.1"}
    return {"metadata": {"name": name}, "spec": {"builds": builds, "taggedBuilds": tags} | spec}


def a_run(name: str, **spec: Any) -> dict[str, Any]:
    """A run of that Actor."""
    return {"metadata": {"name": name}, "spec": {"actor": "hello"} | spec}


def a_pod(name: str) -> dict[str, Any]:
    """A run's pod."""
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "actor", "image": "hello:1"}]},
    }


def condition(kind: str, status: str, reason: str, message: str = "As it is.") -> dict[str, Any]:
    """A condition as it stands in a status."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
        "observedGeneration": 1,
    }


RUNNING = {
    "phase": "RUNNING",
    "observedGeneration": 1,
    "startedAt": "2026-03-01T12:00:00Z",
    "conditions": [condition("Started", "True", "Started")],
}
"""The status of a run whose container has started."""


def ended(phase: str, reason: str = "Completed", **fields: Any) -> dict[str, Any]:
    """The status of a run that has ended 90 s after its start."""
    failure = {"failure": {"reason": reason, "message": f"It is {reason}."}}
    return {
        "phase": phase,
        "finished": True,
        "observedGeneration": 1,
        "finishedAt": "2026-03-01T12:01:30Z",
        "conditions": [
            condition("Started", "True", "Started"),
            condition("Succeeded", "True" if phase == "SUCCEEDED" else "False", reason),
        ],
        **({} if phase == "SUCCEEDED" else failure),
        **fields,
    }


@pytest.fixture
def set_status(server: ApiServer) -> Callable[..., None]:
    """What the operator does: `set_status(name, status, ...)` writes one after the other."""

    def write(name: str, *statuses: dict[str, Any]) -> None:
        for status in statuses:
            server.patch("actorruns", "default", name, {"status": status}, "status")

    return write


async def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until something is true, and return it."""
    async with asyncio.timeout(PATIENCE):
        while not (found := condition()):  # noqa: ASYNC110 -- there is nobody who could tell
            await asyncio.sleep(0.01)
    return found


async def in_time(awaitable: Awaitable[Result]) -> Result:
    """The result of a command that must end soon."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable
