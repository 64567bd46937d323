"""Sleep for ``seconds`` of the input (60 without it) and say so every ten seconds."""

import json
import os
import signal
import sys
import time
from types import FrameType

REPORT_EVERY_SECONDS = 10
"""How often the actor says that it is still there."""


def stop(number: int, _frame: FrameType | None) -> None:
    """End at once with the exit code that a shell gives for this signal."""
    print(f"Stopped by {signal.Signals(number).name}", flush=True)
    sys.exit(128 + number)


def main() -> None:
    """Sleep until the time is over."""
    # The first process of a container gets no signal that it has no handler for.
    signal.signal(signal.SIGTERM, stop)
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    seconds = float(run_input.get("seconds", 60))
    print(f"Sleeping for {seconds:g} s", flush=True)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, REPORT_EVERY_SECONDS))
        print(f"{max(0.0, end - time.monotonic()):.0f} s left", flush=True)
    print("Done", flush=True)


main()
