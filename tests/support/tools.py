"""helm and kubectl as people use them, in one namespace."""

import json
from typing import Any

from tests.chart.helm import run_helm
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.support.history import Object


class Tools:
    """Runs both against one control plane.

    Parameters
    ----------
    control_plane
        Whose API server.
    namespace
        The namespace of every call.
    """

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._kubeconfig = f"--kubeconfig={control_plane.kubeconfig}"
        self._kubectl = Kubectl(control_plane.kubeconfig)
        self._namespace = f"--namespace={namespace}"

    def helm(self, *arguments: str) -> str:
        """Run helm and return what it printed.

        Raises
        ------
        HelmError
            With helm's own words when it fails.
        """
        return run_helm(*arguments, self._namespace, self._kubeconfig)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return what it printed.

        Raises
        ------
        CommandError
            With kubectl's own words when it fails.
        """
        return self._kubectl.run(self._namespace, *arguments, stdin=stdin)

    def apply(self, manifest: Object, *arguments: str) -> str:
        """`kubectl apply` a manifest; returns what it says."""
        return self.kubectl("apply", "--filename=-", *arguments, stdin=json.dumps(manifest)).strip()

    def get(self, plural: str, name: str) -> Object:
        """One object, as it is stored."""
        found: dict[str, Any] = json.loads(self.kubectl("get", plural, name, "-o=json"))
        return found
