"""The API server in a process of its own, on one core, with the settings of a file."""

import os
import sys
from pathlib import Path

import msgspec
import uvloop

from actor_operator.kube.credentials import Connection
from actor_operator.log import configure
from actor_operator.server.main import serve_api
from actor_operator.settings import Settings

CORE = 0
"""The processor that it runs on."""


def main() -> None:
    """Serve until a signal ends it."""
    os.sched_setaffinity(0, {CORE})
    configure(level="WARNING", json=True)
    settings = Settings(**msgspec.json.decode(Path(sys.argv[1]).read_bytes()))
    connection = Connection(
        url=sys.argv[2],
        ssl=False,
        namespace="default",
        authorization=lambda: None,
        reload=lambda: connection,
    )
    uvloop.run(serve_api(settings, connection))


if __name__ == "__main__":
    main()
