"""Let a child be killed for its memory, say so, and end well."""

import subprocess
import sys
import time

GREEDY = "kept = [b'1' * 2**24 for _ in range(10**6)]"
"""Takes memory until it is killed."""

child = subprocess.run([sys.executable, "-c", GREEDY], check=False)
print(f"The child ended with {child.returncode}", flush=True)
time.sleep(2)
