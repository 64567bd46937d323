"""Take ``megabytes`` of memory (without it: ever more), hold them for ``holdSeconds``, end well."""

import itertools
import json
import os
import time

STEP_MEGABYTES = 16
"""How much memory is taken at once."""


def main() -> None:
    """Take memory step by step, so that the log tells how far it came."""
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    wanted = run_input.get("megabytes")
    kept: list[bytes] = []
    for taken in itertools.count(STEP_MEGABYTES, STEP_MEGABYTES):
        # Ones, because pages of zeros would not be taken from the machine.
        kept.append(b"\x01" * (STEP_MEGABYTES * 1024 * 1024))
        print(f"{taken} MB taken", flush=True)
        if wanted is not None and taken >= wanted:
            break
        time.sleep(0.05)
    time.sleep(float(run_input.get("holdSeconds", 5)))
    print(f"Done with {len(kept) * STEP_MEGABYTES} MB", flush=True)


main()
