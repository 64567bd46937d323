"""Do as root what entry points do as root, then drop it for good."""

import os
from pathlib import Path

USER = 1000

home = Path("/home/actor")
home.mkdir(parents=True)
os.chown(home, USER, USER)
print(f"Started as {os.getuid()}", flush=True)
os.setgroups([])
os.setgid(USER)
os.setuid(USER)
(home / "file").write_text("mine")
print(f"Going on as {os.getuid()}", flush=True)
