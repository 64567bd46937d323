"""Provider `existing`: a cluster that the user already has."""

import os
from collections.abc import Sequence
from pathlib import Path

from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.progress import say, step
from tests.cluster_tool.providers.base import Provider, Report, Request
from typing_extensions import override


class ExistingProvider(Provider):
    """The cluster of KUBECONFIG; it is never created, changed or removed by this tool."""

    name = "existing"

    @override
    def up(self, request: Request) -> None:
        with step("Asking the cluster of KUBECONFIG whether it is ready"):
            Kubectl(self.kubeconfig()).run("get", "--raw", "/readyz")

    @override
    def down(self) -> None:
        say("  It was not made by this tool: it stays.")

    @override
    def status(self) -> Report | None:
        try:
            answer = Kubectl(self.kubeconfig()).run("get", "--raw", "/readyz").strip()
        except ClusterToolError as error:
            return Report(healthy=False, lines=(("API server", f"NOT READY: {error}"),))
        return Report(healthy=True, lines=(("API server", answer),))

    @override
    def load_images(self, archives: Sequence[Path]) -> None:
        raise ClusterToolError(
            "Images cannot be loaded into a cluster that this tool did not make: push them to a "
            "registry that the cluster pulls from."
        )

    @override
    def kubeconfig(self) -> Path:
        given = os.environ.get("KUBECONFIG")
        if not given:
            raise ClusterToolError("CLUSTER=existing needs KUBECONFIG: set it to the file's path.")
        return Path(given)

    @override
    def http_port(self) -> int | None:
        return None
