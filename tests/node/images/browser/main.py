"""Render a page of its own with a headless browser, and print what came out as a line of JSON."""

import json
import os
import re
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = b"""<!doctype html>
<title>A page</title>
<body style="margin: 0; background: linear-gradient(45deg, red, blue)">
<p id="answer">No script ran.</p>
<script>
document.getElementById("answer").textContent = `Rendered ${innerWidth} pixels wide.`;
</script>
"""

SIZE = (4000, 4000)
"""Size of the window. One picture of it is 64 MB, and several are in shared memory at a time."""

SCREENSHOT = Path("/tmp/screenshot.png")

FLAGS = (
    "--no-sandbox",  # root starts it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--user-data-dir=/tmp/profile",
    f"--window-size={SIZE[0]},{SIZE[1]}",
    f"--screenshot={SCREENSHOT}",
    "--dump-dom",
)
"""Without --disable-dev-shm-usage: the point is that shared memory is there."""

SECONDS = 100
"""A browser with too little shared memory waits for ever."""


class Page(BaseHTTPRequestHandler):
    """Answers every request with the page."""

    def do_GET(self) -> None:
        """Answer one request."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)


class SharedMemory:
    """Looks how much of /dev/shm is used, until the program ends."""

    def __init__(self) -> None:
        self.peak = 0
        """The most that was used, in bytes."""
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            found = os.statvfs("/dev/shm")
            self.peak = max(self.peak, (found.f_blocks - found.f_bfree) * found.f_frsize)
            time.sleep(0.05)


def render(url: str) -> str:
    """The page as the browser has it after its scripts."""
    argv = ["/usr/lib/chromium/chromium-headless-shell", *FLAGS, url]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        sys.exit(f"The browser ended with code {done.returncode}: {done.stderr}")
    return done.stdout


def main() -> None:
    """Serve, render, report."""
    shared = SharedMemory()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dom = render(f"http://127.0.0.1:{server.server_port}/")
    answer = re.search(r'<p id="answer">(.*?)</p>', dom)
    report = {
        "text": answer.group(1) if answer else dom,
        # Width and height stand at a fixed place of every PNG file.
        "screenshot": struct.unpack(">II", SCREENSHOT.read_bytes()[16:24]),
        "shared_memory_peak": shared.peak,
    }
    print(json.dumps(report), flush=True)


main()
