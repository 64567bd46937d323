"""Write ``megabytes`` to the disk (without it: ever more), hold them for ``holdSeconds``."""

import itertools
import json
import os
import tempfile
import time

STEP_MEGABYTES = 16
"""How much is written at once."""


def main() -> None:
    """Write step by step, so that the log tells how far it came."""
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    wanted = run_input.get("megabytes")
    block = b"\x01" * (STEP_MEGABYTES * 1024 * 1024)
    # With a name: the disk usage of a run is the sum of the files that can be seen.
    with tempfile.NamedTemporaryFile() as file:
        for written in itertools.count(STEP_MEGABYTES, STEP_MEGABYTES):
            file.write(block)
            file.flush()
            print(f"{written} MB written", flush=True)
            if wanted is not None and written >= wanted:
                break
            time.sleep(0.05)
        time.sleep(float(run_input.get("holdSeconds", 5)))
    print("Done", flush=True)


main()
