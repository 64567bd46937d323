"""Count with the Python SDK, one dataset item a number, and go on after any interruption.

Input: ``until`` which number to count (10), ``pauseSeconds`` before each of them (0),
``callActor`` to call at the end (none) with ``callInput`` as its input.
"""

import asyncio
from typing import Any

from apify import Actor, Event


async def main() -> None:
    """Read the input, count, tell the result."""
    async with Actor:
        run_input = await Actor.get_input() or {}
        aborting, migrating = asyncio.Event(), asyncio.Event()
        Actor.on(Event.ABORTING, lambda _: aborting.set())
        Actor.on(Event.MIGRATING, lambda _: migrating.set())

        # The SDK saves it each minute, when the platform asks for it, and at the end.
        state = await Actor.use_state({"counted": 0, "starts": 0})
        state["starts"] += 1
        Actor.log.info("Start %d: %d counted before", state["starts"], state["counted"])

        await count(run_input, state, aborting, migrating)
        if migrating.is_set():
            # Another pod goes on at once; without this it would when this one is taken away.
            await Actor.reboot()
        if aborting.is_set():
            Actor.log.info("Aborting: %d counted", state["counted"])
            return
        await finish(run_input, state)


async def count(run_input: dict[str, Any], state: dict[str, Any], *stops: asyncio.Event) -> None:
    """Count to the end, or until the run is stopped."""
    until = run_input.get("until", 10)
    while state["counted"] < until:
        if await happens(run_input.get("pauseSeconds", 0), stops):
            return
        number = state["counted"] + 1
        await Actor.push_data({"number": number, "start": state["starts"]})
        state["counted"] = number
        Actor.log.info("Counted %d", number)
        await Actor.set_status_message(f"Counted {number} of {until}")


async def happens(seconds: float, events: tuple[asyncio.Event, ...]) -> bool:
    """Whether one of the events comes within a time."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    done, late = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    return bool(done)


async def finish(run_input: dict[str, Any], state: dict[str, Any]) -> None:
    """Call the other actor, if one is asked for, and set the output."""
    output: dict[str, Any] = {"counted": state["counted"], "starts": state["starts"]}
    if actor := run_input.get("callActor"):
        run = await Actor.call(actor, run_input.get("callInput", {}))
        record = await Actor.apify_client.key_value_store(
            run.default_key_value_store_id
        ).get_record("OUTPUT")
        output["called"] = {
            "runId": run.id,
            "status": run.status,
            "output": record and record["value"],
        }
    await Actor.set_value("OUTPUT", output)
    await Actor.set_status_message(f"Counted all {state['counted']}", is_terminal=True)


asyncio.run(main())
