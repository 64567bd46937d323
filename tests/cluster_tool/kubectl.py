"""kubectl against one cluster."""

import time
from pathlib import Path

from tests.cluster_tool import toolchain
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import CommandError


class Kubectl:
    """Runs kubectl with one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._argv = [str(toolchain.ensure_kubectl()), f"--kubeconfig={kubeconfig}"]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its output.

        Raises
        ------
        CommandError
            kubectl failed; the message carries what it said.
        """
        return run([*self._argv, *arguments], stdin=stdin)

    def apply(self, manifests: str, *, seconds: float = 20) -> None:
        """Apply YAML or JSON manifests, again while the API server's roles are still being made."""
        arguments = ("apply", "--server-side", "--force-conflicts", "-f", "-")
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.run(*arguments, stdin=manifests)
            except CommandError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                return
