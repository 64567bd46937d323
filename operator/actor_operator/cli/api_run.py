"""``actorctl run --api``: a run that is started through the API, and if wanted waited for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import msgspec

from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.cli.api_log import follow_log
from actor_operator.cli.api_options import ApiChoice
from actor_operator.cli.api_session import ApiSession, with_api
from actor_operator.cli.format import EXIT_CODES, duration, printable
from actor_operator.cli.output import print_data, write_log

MAX_API_INPUT_BYTES = 9_437_184
"""Largest input that the API takes, as compact JSON."""

LOG_END_SECONDS = 15.0
"""How long the log may go on after the run is finished."""

BEGINNING_SECONDS = 2
"""For how long one request waits while the run has not begun: its phase is worth a line."""

HELD_SECONDS = 30
"""For how long one request waits for the end of a run that has begun."""


@dataclass(frozen=True, slots=True)
class RunWish:
    """What is to be started and seen."""

    spec: dict[str, Any]
    """Actor, build, memory, timeout and input, as in the spec of an ActorRun."""

    wait: bool
    logs: bool
    output: str | None


def run_through_api(choice: ApiChoice, wish: RunWish) -> int:
    """Start a run through an API; returns the exit code.

    Raises
    ------
    CommandError
        When there is no API, and when it refuses the run.
    """

    async def work(session: ApiSession) -> int:
        run = await start_run(session, wish.spec)
        if wish.logs or wish.wait:
            return await _attend(session, run, wish)
        _announce(session, run, wish.output)
        return 0

    return with_api(choice, work)


async def start_run(session: ApiSession, spec: dict[str, Any]) -> dict[str, Any]:
    """Start a run; returns it as the API tells of it."""
    wished = {
        "build": spec["build"],
        "memory": spec["memoryMbytes"],
        "timeout": spec["timeoutSecs"],
    }
    params = {name: value for name, value in wished.items() if value is not None}
    actor = str(spec["actor"]).replace("/", "~")
    body = b"" if spec["input"] is None else msgspec.json.encode(spec["input"])
    run: dict[str, Any] = await session.client.post(f"/actors/{actor}/runs", body, params)
    return run


async def wait_for_end(
    session: ApiSession, run: dict[str, Any], see: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Wait until a run is finished; returns it as it is then."""
    while True:
        see(run)
        if run["status"] in FINISHED:
            return run
        begun = run["status"] != Phase.READY
        held = HELD_SECONDS if begun else BEGINNING_SECONDS
        run = await session.client.get(f"/actor-runs/{run['id']}", {"waitForFinish": held})


async def _attend(session: ApiSession, run: dict[str, Any], wish: RunWish) -> int:
    err = wish.logs or wish.output is not None
    say = _sayer(session, err=err)
    say(f"{run['id']} created.")
    try:
        final = await _wait(session, run, say, logs=wish.logs)
    except asyncio.CancelledError:
        click.echo(f"Interrupted: the run {run['id']} goes on.", err=True)
        raise
    click.echo(_verdict(final), err=err)
    if wish.output:
        _print(final, wish.output)
    return EXIT_CODES[Phase(final["status"])]


async def _wait(
    session: ApiSession, run: dict[str, Any], say: Callable[[str], None], *, logs: bool
) -> dict[str, Any]:
    see = _Phases(say).see
    if not logs:
        return await wait_for_end(session, run, see)
    reading = asyncio.create_task(follow_log(session, run["id"], write_log))
    try:
        final = await wait_for_end(session, run, see)
        try:
            await asyncio.wait_for(reading, LOG_END_SECONDS)
        except TimeoutError:
            session.tell("The end of the log cannot be read now.")
        return final
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


class _Phases:
    """Says each phase once, and how long after the start of the command it was seen."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last = ""
        self._now = asyncio.get_running_loop().time
        self._begun = self._now()

    def see(self, run: dict[str, Any]) -> None:
        """Take note of the run as it is now."""
        if run["status"] in {*FINISHED, self._last}:
            return
        self._last = run["status"]
        self._say(f"[{duration(self._now() - self._begun)}] {printable(self._last)}")


def _sayer(session: ApiSession, *, err: bool) -> Callable[[str], None]:
    def say(line: str) -> None:
        if not session.options.quiet:
            click.echo(line, err=err)

    return say


def _verdict(run: dict[str, Any]) -> str:
    seconds = run.get("stats", {}).get("durationMillis", 0) / 1000
    line = f"{run['id']} {run['status']} after {duration(seconds)}"
    message = run.get("statusMessage")
    if run["status"] == Phase.SUCCEEDED or not message:
        return f"{line}."
    return printable(f"{line}: {message}")


def _announce(session: ApiSession, run: dict[str, Any], output: str | None) -> None:
    if output:
        _print(run, output)
        return
    click.echo(f"{run['id']} created.")
    store, dataset = run["defaultKeyValueStoreId"], run["defaultDatasetId"]
    for text, command in (
        ("See its output:", ("storage", "get", "key-value-store", store, "OUTPUT")),
        ("See its items:", ("storage", "get", "dataset", dataset)),
    ):
        session.tell(f"  {text:<16}{session.command(*command)}")


def _print(run: dict[str, Any], output: str) -> None:
    if output == "name":
        click.echo(run["id"])
        return
    print_data(run, output)
