"""Prints numbered lines as fast as it can, and then waits a moment.

Input: ``megabytes`` of them.
"""

import json
import os
import sys
import time

LINE = 100
"""Bytes of a line."""

SECONDS = 3
"""How long it waits at its end."""

megabytes = json.loads(os.environ["ACTOR_INPUT_JSON"])["megabytes"]
for number in range(megabytes * 1_000_000 // LINE):
    sys.stdout.write(f"{number:09d} {'x' * (LINE - 11)}\n")
sys.stdout.flush()
time.sleep(SECONDS)
