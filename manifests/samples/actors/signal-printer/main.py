"""Print every signal that comes; end well two seconds after the first one that asks to stop.

Without a signal it ends after ``seconds`` of the input (300 without it), with exit code 1.
"""

import json
import os
import signal
import sys
import time

CLEAN_UP_SECONDS = 2
"""How long the actor takes to end after it was asked to."""

STOPPING = {signal.SIGINT, signal.SIGTERM}
"""The signals that ask an actor to stop."""

PRINTED = STOPPING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
"""Every signal that is printed."""


def main() -> None:
    """Wait for signals, one after the other."""
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    # Held back before anything else, so that none is lost; they are taken one by one below.
    signal.pthread_sigmask(signal.SIG_BLOCK, PRINTED)
    start = time.monotonic()
    end, code = start + float(run_input.get("seconds", 300)), 1
    print("Waiting for signals", flush=True)
    while (left := end - time.monotonic()) > 0:
        info = signal.sigtimedwait(PRINTED, left)
        if info is None:
            break
        got = signal.Signals(info.si_signo)
        print(f"Got {got.name} after {time.monotonic() - start:.1f} s", flush=True)
        if got in STOPPING and code != 0:
            end, code = time.monotonic() + CLEAN_UP_SECONDS, 0
    print(f"Ending with exit code {code}", flush=True)
    sys.exit(code)


main()
