"""Runs with web servers in a namespace of a real cluster."""

from functools import partial

from tests.cluster_tool.kubectl import Kubectl
from tests.support.history import condition
from tests.support.installation import REGISTRY
from tests.support.web_client import Answer, Site
from tests.support.workspace import Workspace

ANSWER_SECONDS = 3.0
"""How soon after WebServerReady=True the page must be there."""


class WebRuns:
    """One namespace with Actors whose web servers behave in different ways.

    Parameters
    ----------
    workspace
        The namespace.
    kubectl
        Of a user who may do everything.
    kind
        What leads requests to runs: ``ingress`` or ``httproute``.
    """

    def __init__(self, workspace: Workspace, kubectl: Kubectl, kind: str) -> None:
        self.workspace = workspace
        self.kind = kind
        self._kubectl = kubectl
        workspace.actor("web-server", f"{REGISTRY}/web-server:1")
        workspace.actor("probed", f"{REGISTRY}/web-server:1", webServer={"readinessProbe": True})
        workspace.actor("silent", f"{REGISTRY}/sleeper:1")

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the namespace."""
        return self._kubectl.run("-n", self.workspace.namespace, *arguments)

    def start(self, run: str, actor: str = "web-server", **spec: object) -> Site:
        """Start a run; returns its URL."""
        self.workspace.run(run, actor, timeoutSecs=600, **spec)
        done = partial(self._has_url, run)
        self.workspace.recorder.wait(f"{run} has a URL", done)
        return Site(self.workspace.status(run)["containerUrl"])

    def _has_url(self, run: str) -> bool:
        return "containerUrl" in self.workspace.status(run)

    def wait_ready(self, run: str, pod: int = 1) -> None:
        """Wait until the condition WebServerReady is true for the pod of a number."""
        what = f"the web server of {run} is ready in pod {pod}"
        self.workspace.recorder.wait(what, partial(self._is_ready, run, f"-{pod}"))

    def _is_ready(self, run: str, suffix: str) -> bool:
        status, pod = self.workspace.status(run), self.workspace.pod(run)
        if pod is None or not pod["metadata"]["name"].endswith(suffix):
            return False
        return condition({"status": status}, "WebServerReady").get("status") == "True"

    def wait_page(self, run: str, pod: int = 1) -> tuple[Answer, float]:
        """Wait for the condition, then for the page: its answer, and seconds between the two."""
        self.wait_ready(run, pod)
        return Site(self.workspace.status(run)["containerUrl"]).wait(200, ANSWER_SECONDS)

    def children(self, run: str) -> list[str]:
        """Kind and uid of each object that leads to a run."""
        text = '{range .items[*]}{.kind} {.metadata.uid}{"\\n"}{end}'
        label = f"--selector=actor-operator.dev/run={run}"
        kinds = f"services,{self.kind}"
        return sorted(self.kubectl("get", kinds, label, f"-o=jsonpath={text}").splitlines())

    def abort_all(self) -> None:
        """End every run of the namespace."""
        runs = self.kubectl("get", "actorruns", "-o=jsonpath={.items[*].metadata.name}").split()
        for run in runs:
            if not self.workspace.status(run)["finished"]:
                self.workspace.abort(run)
        self.workspace.wait_all(runs)
