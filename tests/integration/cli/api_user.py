"""The command line as a user of the API has it: no cluster, a folder of settings of their own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result
from tests.integration.api.world import World

from actor_operator.cli.main import cli

FOLDER = Path(__file__).parents[3] / "operator"
"""Where the package is."""


@dataclass(slots=True)
class ApiUser:
    """Runs command lines in a thread of their own, so that the API server can answer meanwhile."""

    world: World
    home: Path
    env: dict[str, str | None] = field(default_factory=dict)

    @property
    def login_file(self) -> Path:
        """Where the login is kept."""
        return self.home / "actor-operator" / "login.json"

    async def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        """Run a command line to its end."""
        return await asyncio.to_thread(self._run, words, stdin)

    async def done(self, *words: str, stdin: str | bytes | None = None) -> str:
        """Run a command line that succeeds; returns its standard output."""
        result = await self(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    @asynccontextmanager
    async def process(self, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The program as a process, which is gone when the context ends."""
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "actor_operator",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"XDG_CONFIG_HOME": str(self.home), "PYTHONPATH": str(FOLDER)},
        )
        try:
            yield started
        finally:
            if started.returncode is None:
                started.kill()
            await started.communicate()

    def _run(self, words: tuple[str, ...], stdin: str | bytes | None) -> Result:
        nowhere = {"KUBECONFIG": str(self.home / "none"), "APIFY_API_BASE_URL": None}
        settings = {"XDG_CONFIG_HOME": str(self.home), "APIFY_TOKEN": None}
        env = {**nowhere, **settings, **self.env}
        return CliRunner().invoke(cli, words, input=stdin, env=env, prog_name="actorctl")
