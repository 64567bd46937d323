"""``actorctl`` as a process of its own: signals, pipes, and kubectl's way of starting it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.cli.conftest import PATIENCE, RUNNING, Actorctl, a_run, eventually
from tests.support.apiserver import ApiServer

FOLDER = Path(__file__).parents[3] / "operator"
"""Where the package is."""


@asynccontextmanager
async def process(
    actorctl: Actorctl, *words: str, program: tuple[str, ...] = ("-m", "actor_operator")
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program as a process, which is gone when the context ends."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *program,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"KUBECONFIG": str(actorctl.kubeconfig), "PYTHONPATH": str(FOLDER)},
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_ctrl_c_while_waiting_says_that_the_run_goes_on(
    server: ApiServer, actorctl: Actorctl
) -> None:
    words = ("run", "hello", "--name", "x", "--wait")
    async with asyncio.timeout(PATIENCE), process(actorctl, *words) as started:
        await eventually(lambda: server.watches.open("actorruns"))
        started.send_signal(signal.SIGINT)
        out, err = await started.communicate()

    assert started.returncode == 130
    assert out.decode() == "x created.\n[0s] READY\n"
    assert err.decode() == "Interrupted: x goes on. Stop it with: actorctl abort x\n"
    assert "abort" not in server.get("actorruns", "default", "x")["spec"]


async def test_ctrl_c_ends_watching_without_a_word(server: ApiServer, actorctl: Actorctl) -> None:
    async with asyncio.timeout(PATIENCE), process(actorctl, "get", "-w") as started:
        await eventually(lambda: server.watches.open("actorruns"))
        started.send_signal(signal.SIGINT)
        out, err = await started.communicate()

    assert (started.returncode, out, err) == (130, b"", b"")


async def test_a_reader_that_goes_away_ends_the_program_quietly(
    server: ApiServer, actorctl: Actorctl
) -> None:
    for number in range(2000):
        server.create("actorruns", a_run(f"run-{number}"))
    async with asyncio.timeout(PATIENCE), process(actorctl, "get", "-o", "json") as started:
        assert started.stdout is not None
        await started.stdout.readline()
        started.stdout._transport.close()  # type: ignore[attr-defined]
        assert started.stderr is not None
        assert await started.stderr.read() == b""
        await started.wait()


async def test_as_a_plugin_of_kubectl_it_calls_itself_so(
    actorctl: Actorctl, tmp_path: Path
) -> None:
    plugin = tmp_path / "kubectl-actor"
    plugin.write_text("from actor_operator.cli.main import main\n\nmain()\n")
    async with (
        asyncio.timeout(PATIENCE),
        process(actorctl, "describe", "x", program=(str(plugin),)) as started,
    ):
        _, err = await started.communicate()

    assert b"List them with: kubectl actor get\n" in err


async def test_what_runs_is_shown_while_it_runs(server: ApiServer, actorctl: Actorctl) -> None:
    words = ("run", "hello", "--name", "x", "--wait")
    async with asyncio.timeout(PATIENCE), process(actorctl, *words) as started:
        assert started.stdout is not None
        lines = [await started.stdout.readline() for _ in range(2)]
        server.patch("actorruns", "default", "x", {"status": RUNNING}, "status")
        lines.append(await started.stdout.readline())

    assert lines[2].endswith(b"] RUNNING\n")
