"""Ignore every request to stop."""

import signal
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("Going on for ever", flush=True)
while True:
    time.sleep(3600)
