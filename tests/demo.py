"""``make demo``: a real cluster, the operator installed with Helm, sample actors at work."""

import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from apify_client import ApifyClient
from rich.table import Table
from tests.cluster_tool import http_probe
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import DEFAULT_NAME
from tests.cluster_tool.progress import console, say, step
from tests.cluster_tool.providers import choose
from tests.cluster_tool.providers.base import Request
from tests.support.installation import (
    ROOT,
    SAMPLES,
    install_operator,
    load_project_images,
    sample_image,
)

RUNS = {
    "hello": "run.yaml",
    "failing": "run-failing.yaml",
    "too-slow": "run-timeout.yaml",
}
"""Runs that end, by the sample that makes each: one succeeds, one fails, one is too slow."""

WEB_RUN = {"serving": "web-server.yaml"}
"""A run that serves web pages for ten minutes."""

SMALL_CLUSTER = ("settings.pod.cpuRequestFraction=0.1", "settings.pod.diskRequestFraction=0.1")
"""Values for one machine: limits stay, requests are lowered so that several runs fit."""

SDK_ACTOR = "sdk-python"
"""An actor that is written with Apify's Python SDK."""

SDK_INPUT = '{"until": 3}'
"""Its input."""

WAIT_SECONDS = 180
"""How long the demo waits for its runs."""

ANSWER_SECONDS = 5
"""How long a page may take once the operator says that requests reach the run."""


STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
"""What each line of a log begins with in the API."""


@dataclass(frozen=True)
class Api:
    """The API server of the demo, and a token for it."""

    url: str
    token: str

    def client(self) -> ApifyClient:
        """Apify's own client."""
        return ApifyClient(self.token, api_url=self.url)


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
    kubeconfig, port = provider.kubeconfig(), provider.http_port()
    say("2. Images: the operator and the sample actors")
    load_project_images(provider, sample_image(SDK_ACTOR))
    say("3. The operator" if port is None else "3. The operator and the API server")
    with step("helm upgrade --install actor-operator-system helm/actor-operator"):
        install_operator(kubeconfig, *SMALL_CLUSTER, *web_values(port), api=port is not None)
    api = None if port is None else Api(f"http://localhost:{port}", make_token(kubeconfig))
    say("4. Sample runs")
    kubectl = Kubectl(kubeconfig)
    samples = RUNS if port is None else RUNS | WEB_RUN
    start_runs(kubectl, samples)
    wait_for_runs(kubectl, samples)
    show(kubectl, samples, api)
    show_page(kubectl, port)
    if api is not None:
        say("\n5. Apify's Python client calls an actor that is written with Apify's SDK")
        call_actor(kubectl, api)
    say("\nGo on with:")
    click.echo(f"export KUBECONFIG={kubeconfig}")
    say("kubectl get aruns -o wide, .venv/bin/actorctl explain failing")
    say("make demo-down removes all of it.")


def web_values(port: int | None) -> tuple[str, ...]:
    """Values with which runs have URLs, where a port of this machine leads to them."""
    if port is None:
        return ()
    # Browsers and curl know that *.localhost is this machine.
    web = {
        "domain": "runs.localhost",
        "scheme": "http",
        "port": port,
        "ingress": {"className": "traefik"},
    }
    api = {"enabled": True, "host": "localhost", "className": "traefik", "tls": {"enabled": False}}
    return (
        f"settings.webServer={json.dumps(web)}",
        'settings.network.webServerFrom=["traefik"]',
        f"api.ingress={json.dumps(api)}",
        f'settings.api.publicUrl="http://localhost:{port}"',
    )


def start_runs(kubectl: Kubectl, samples: dict[str, str]) -> None:
    """Apply the samples; runs of an earlier demo are deleted first, for a run happens once."""
    files = ("actor.yaml", *samples.values())
    with step(f"kubectl apply -f manifests/samples/ ({', '.join(files)})"):
        kubectl.run("delete", "actorruns", *samples, "--ignore-not-found", "--wait")
        for name in files:
            kubectl.run("apply", "-f", str(SAMPLES / name))


def wait_for_runs(kubectl: Kubectl, samples: dict[str, str]) -> None:
    """Wait until every run is finished, or serves; say each step of its life."""
    known: dict[str, str] = {}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        runs = read_runs(kubectl, samples)
        for name, run_object in runs.items():
            phase = run_object["status"]["phase"]
            if known.get(name) != phase:
                known[name] = phase
                say(f"  {name}: {phase}")
        late = [name for name, run_object in runs.items() if not is_where_it_goes(run_object)]
        if not late:
            return
        time.sleep(0.5)
    raise ClusterToolError(
        f"These runs did not get along within {WAIT_SECONDS} s: {', '.join(late)}. Look at"
        " `actorctl explain NAME` and at the operator's log."
    )


def is_where_it_goes(run_object: dict[str, Any]) -> bool:
    """Whether a run has ended, or its web server is reached."""
    conditions = {
        item["type"]: item["status"] for item in run_object["status"].get("conditions", ())
    }
    serves = run_object["metadata"]["name"] in WEB_RUN
    return bool(run_object["status"].get("finished")) or (
        serves and conditions.get("WebServerReady") == "True"
    )


def read_runs(kubectl: Kubectl, samples: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The demo's runs by name."""
    items = json.loads(kubectl.run("get", "actorruns", *samples, "-o", "json"))["items"]
    return {item["metadata"]["name"]: item for item in items}


def show(kubectl: Kubectl, samples: dict[str, str], api: Api | None) -> None:
    """Print the runs, what became of them, and the last line that each printed."""
    table = Table("run", "phase", "exit code", "why", "last line of its log", box=None)
    for name, run_object in read_runs(kubectl, samples).items():
        status = run_object["status"]
        why = status.get("failure", {}).get("message", "")
        line = last_line(kubectl, status, api)
        table.add_row(name, status["phase"], str(status.get("exitCode", "")), why, line)
    console.print()
    console.print(table)


def last_line(kubectl: Kubectl, status: dict[str, Any], api: Api | None) -> str:
    """The last line of a run's log; the API server keeps it when the pod is gone."""
    if api is None:
        text = kubectl.run("logs", status["podName"])
    else:
        text = api.client().log(status["runId"]).get() or ""
    lines = text.strip().splitlines()
    return STAMP.sub("", lines[-1]) if lines else ""


def show_page(kubectl: Kubectl, port: int | None) -> None:
    """Fetch a page from the run that serves, and print its URL; or say that there is none."""
    if port is None:
        say("\nNo port of this machine leads to the cluster's ingress: runs have no URLs here.")
        return
    (name,) = WEB_RUN
    url = kubectl.run("get", "actorrun", name, "-o", "jsonpath={.status.containerUrl}")
    http_probe.wait_until(
        url,
        lambda: fetch(url)[0] == 200,
        seconds=ANSWER_SECONDS,
        explain=lambda: f"It answers {fetch(url)}.",
    )
    say(f"\nThe page of {name} answers. It is there for ten minutes:")
    click.echo(url)


def make_token(kubeconfig: Path) -> str:
    """Make a token for the namespace with the samples."""
    actorctl = Path(sys.executable).with_name("actorctl")
    with step("actorctl token create default"):
        return run([actorctl, f"--kubeconfig={kubeconfig}", "token", "create", "default"]).strip()


def call_actor(kubectl: Kubectl, api: Api) -> None:
    """Call an actor, and say how to go on."""
    kubectl.run("apply", "-f", str(SAMPLES / f"actor-{SDK_ACTOR}.yaml"))
    script = "manifests/samples/clients/call_actor.py"
    with step(f"python {script} {SDK_ACTOR} '{SDK_INPUT}'"):
        told = run(
            [sys.executable, ROOT / script, SDK_ACTOR, SDK_INPUT],
            env={"APIFY_API_URL": api.url, "APIFY_TOKEN": api.token},
        )
    click.echo(told)
    say("Read the same with curl:")
    items = f"{api.url}/v2/actors/{SDK_ACTOR}/runs/last/dataset/items"
    click.echo(f"curl -H 'Authorization: Bearer {api.token}' {items}")


def fetch(url: str) -> tuple[int, str]:
    """Status and body of the page: Python may not know that *.localhost is this machine."""
    parts = urlsplit(url)
    return http_probe.get(f"http://127.0.0.1:{parts.port}{parts.path}", host=parts.netloc)


if __name__ == "__main__":
    main()
