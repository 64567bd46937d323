"""The command line as a user of the API has it: no cluster, a folder of settings of their own."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result
from tests.integration.api.world import World

from actor_operator.cli.main import cli


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

    def _run(self, words: tuple[str, ...], stdin: str | bytes | None) -> Result:
        nowhere = {"KUBECONFIG": str(self.home / "none"), "APIFY_API_BASE_URL": None}
        settings = {"XDG_CONFIG_HOME": str(self.home), "APIFY_TOKEN": None}
        env = {**nowhere, **settings, **self.env}
        return CliRunner().invoke(cli, words, input=stdin, env=env, prog_name="actorctl")
