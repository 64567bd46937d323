"""``make demo``: a real cluster, the operator installed with Helm, sample actors run to the end."""

import json
import sys
import time
from typing import Any

import click
from rich.table import Table
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import DEFAULT_NAME
from tests.cluster_tool.progress import console, say, step
from tests.cluster_tool.providers import choose
from tests.cluster_tool.providers.base import Request
from tests.support.installation import SAMPLES, install_operator, load_project_images

MANIFESTS = ("actor.yaml", "run.yaml", "run-failing.yaml", "run-timeout.yaml")
"""Samples that the demo applies: an actor that succeeds, one that fails, one that is too slow."""

RUNS = ("hello", "failing", "too-slow")
"""Their runs."""

SMALL_CLUSTER = ("settings.pod.cpuRequestFraction=0.1", "settings.pod.diskRequestFraction=0.1")
"""Values for one machine: limits stay, requests are lowered so that several runs fit."""

WAIT_SECONDS = 180
"""How long the demo waits for its runs."""


def main() -> None:
    """Run the demo."""
    begun = time.monotonic()
    try:
        demonstrate()
    except ClusterToolError as error:
        console.print(f"Error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        say("Interrupted. `make demo` goes on from here, `make demo-down` removes everything.")
        sys.exit(130)
    say(f"\nDone in {time.monotonic() - begun:.0f} s.")


def demonstrate() -> None:
    """Bring everything up, run the samples, show what became of them."""
    provider = choose.provider("auto", DEFAULT_NAME)
    say(f"1. A cluster (provider {provider.name})")
    provider.up(Request(DEFAULT_NAME))
    kubeconfig = provider.kubeconfig()
    say("2. Images: the operator and the sample actors")
    load_project_images(provider)
    say("3. The operator")
    with step("helm upgrade --install actor-operator-system helm/actor-operator"):
        install_operator(kubeconfig, *SMALL_CLUSTER)
    say("4. Sample runs")
    kubectl = Kubectl(kubeconfig)
    start_runs(kubectl)
    wait_for_runs(kubectl)
    show(kubectl)
    say("\nGo on with:")
    click.echo(f"export KUBECONFIG={kubeconfig}")
    say("kubectl get aruns -o wide, kubectl logs -l actor-operator.dev/run=hello")
    say("make demo-down removes all of it.")


def start_runs(kubectl: Kubectl) -> None:
    """Apply the samples; runs of an earlier demo are deleted first, for a run happens once."""
    with step(f"kubectl apply -f manifests/samples/ ({', '.join(MANIFESTS)})"):
        kubectl.run("delete", "actorruns", *RUNS, "--ignore-not-found", "--wait")
        for name in MANIFESTS:
            kubectl.run("apply", "-f", str(SAMPLES / name))


def wait_for_runs(kubectl: Kubectl) -> None:
    """Wait until every run is finished, saying each step of its life."""
    known: dict[str, str] = {}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        runs = read_runs(kubectl)
        for name, run_object in runs.items():
            phase = run_object["status"]["phase"]
            if known.get(name) != phase:
                known[name] = phase
                say(f"  {name}: {phase}")
        if all(run_object["status"].get("finished") for run_object in runs.values()):
            return
        time.sleep(0.5)
    late = ", ".join(name for name in RUNS if known.get(name) in {None, "READY", "RUNNING"})
    raise ClusterToolError(
        f"These runs did not end within {WAIT_SECONDS} s: {late}. Look at"
        " `kubectl describe actorrun NAME` and at the operator's log."
    )


def read_runs(kubectl: Kubectl) -> dict[str, dict[str, Any]]:
    """The demo's runs by name."""
    items = json.loads(kubectl.run("get", "actorruns", *RUNS, "-o", "json"))["items"]
    return {item["metadata"]["name"]: item for item in items}


def show(kubectl: Kubectl) -> None:
    """Print the runs, how they ended, and the last line that each printed."""
    table = Table("run", "phase", "exit code", "why", "last line of its log", box=None)
    for name, run_object in read_runs(kubectl).items():
        status = run_object["status"]
        why = status.get("failure", {}).get("message", "")
        log = kubectl.run("logs", status["podName"]).strip().splitlines()
        table.add_row(
            name, status["phase"], str(status.get("exitCode", "")), why, log[-1] if log else ""
        )
    console.print()
    console.print(table)


if __name__ == "__main__":
    main()
