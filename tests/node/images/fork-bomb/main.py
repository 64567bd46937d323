"""Fork until the kernel refuses, then open files until it refuses, and end with code 9."""

import os
import signal
import sys
import time

MOST_FILES = 100_000
"""More than that is no attack any more where the limit is a million."""

HELD_SECONDS = 5
"""How long it keeps all of it."""

children: list[int] = []
try:
    while True:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except OSError as error:
    print(f"{len(children)} processes: {error.strerror}", flush=True)
files: list[int] = []
try:
    while len(files) < MOST_FILES:
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(f"{len(files)} files: {error.strerror}", flush=True)
time.sleep(HELD_SECONDS)
for child in children:
    os.kill(child, signal.SIGKILL)
sys.exit(9)
