"""Serve a page on the run's web server port for ``seconds`` of the input (600 without it)."""

import html
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any


class Page(BaseHTTPRequestHandler):
    """Answers every GET with the same small page."""

    def do_GET(self) -> None:
        """Say hello and which run this is."""
        run = html.escape(os.environ.get("ACTOR_RUN_ID", "unknown"))
        body = f"<!doctype html><title>Actor</title><h1>Hello from run {run}</h1>\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it has in the base class
        """Print one line for each request."""
        print(format % args, flush=True)


def stop(number: int, _frame: FrameType | None) -> None:
    """End at once with the exit code that a shell gives for this signal."""
    print(f"Stopped by {signal.Signals(number).name}", flush=True)
    sys.exit(128 + number)


def main() -> None:
    """Serve until the time is over."""
    # The first process of a container gets no signal that it has no handler for.
    signal.signal(signal.SIGTERM, stop)
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    port = int(os.environ.get("ACTOR_WEB_SERVER_PORT", "4321"))
    server = ThreadingHTTPServer(("", port), Page)
    timer = threading.Timer(float(run_input.get("seconds", 600)), server.shutdown)
    timer.daemon = True  # else the process would wait for it after SIGTERM
    timer.start()
    print(f"Listening on port {port}", flush=True)
    server.serve_forever()
    print("Done", flush=True)


main()
