"""Web servers of runs, from outside of the cluster: in each mode the same is seen.

What a client gets comes from the sample actor `web-server`, through the ingress controller.
"""

import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.cluster_tool import network
from tests.cluster_tool.errors import CommandError
from tests.node.conftest import HTTP_ROUTES, VALUES, Installed
from tests.support.browser import browse
from tests.support.installation import install_operator
from tests.support.reach import Reached
from tests.support.recorder import Recorder
from tests.support.web_client import Site
from tests.support.web_runs import WebRuns
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

REPAIR_SECONDS = 10.0
"""How soon what leads to a live run is made again."""

GONE_SECONDS = 30.0
"""How soon nothing leads to a run that has ended."""

GIBIBYTE = 1024
"""In mebibytes."""

MODES = {"ingress": (), "httproute": HTTP_ROUTES}
"""By the kind that leads to a run, what the mode adds to the values of the chart."""

TWENTY = 20
"""Runs that serve at the same time."""

UNKNOWN = "a" * 26
"""Label of no run."""


@pytest.fixture(scope="module", params=MODES)
def web(
    request: pytest.FixtureRequest, installed: Installed, reached: Reached, recorder: Recorder
) -> Iterator[WebRuns]:
    """A namespace, and an operator in one of the modes; the run `older` was there before that."""
    values, admin = MODES[request.param], Admin(reached)
    runs = WebRuns(Workspace(admin, recorder), installed.kubectl, request.param)
    if values:
        installed.kubectl.run("delete", "actorruns", "--all", "--all-namespaces", "--wait")
    runs.start("older", memoryMbytes=1024)
    runs.wait_page("older")
    if values:
        for invariant in ("I20", "I27"):
            why = "a run that lives while the mode changes keeps what the old mode has made for it"
            request.node.add_marker(pytest.mark.breaks(invariant, why))
        install_operator(installed.kubeconfig, *VALUES, *values)
    yield runs
    runs.abort_all()
    if values:
        runs.kubectl("delete", "actorruns", "--all", "--wait")
        install_operator(installed.kubeconfig, *VALUES)
    admin.close()


@pytest.fixture(scope="module")
def serving(web: WebRuns) -> Site:
    """The URL of the run `serving`, which serves until the end."""
    site = web.start("serving", memoryMbytes=4096)
    _, seconds = web.wait_page("serving")
    tell(f"{web.kind}: the page answers after WebServerReady=True", seconds)
    return site


def tell(what: str, seconds: float) -> None:
    """Print a time; none is asserted but those that are promised."""
    sys.stdout.write(f"{what}: {seconds:.2f} s\n")


def test_the_run_itself_knows_the_url(web: WebRuns, serving: Site) -> None:
    pod = web.workspace.status("serving")["podName"]
    names = ("ACTOR_WEB_SERVER_URL", "APIFY_CONTAINER_URL")
    program = f"import os; print(*[os.environ[name] for name in {names}])"

    said = web.kubectl("exec", pod, "--", "python3", "-c", program)

    assert said.split() == [serving.url, serving.url]


def test_a_web_socket_echoes(serving: Site) -> None:
    messages: list[str | bytes] = ["hällo", bytes(range(256)) * 400]

    assert serving.echo(*messages) == messages


def test_server_sent_events_come_one_by_one(serving: Site) -> None:
    events = serving.events(4)

    assert [data for data, _ in events] == ["0", "1", "2", "3"]
    # A proxy that buffers would let them all come at the end.
    assert all(later - earlier > 0.1 for (_, earlier), (_, later) in pairwise(events)), events


def test_a_gibibyte_goes_up_and_down(web: WebRuns, serving: Site) -> None:
    begun = time.monotonic()
    told, digest = serving.upload(GIBIBYTE)
    between = time.monotonic()
    right = serving.download(GIBIBYTE)

    tell(f"{web.kind}: 1 GiB up", between - begun)
    tell(f"{web.kind}: 1 GiB down", time.monotonic() - between)
    assert (told["bytes"], told["sha256"]) == (GIBIBYTE << 20, digest)
    assert told["maxResidentBytes"] < 256 << 20, "a run of 256 MB could not have done it"
    assert right == GIBIBYTE


def test_headers_arrive_as_documented(installed: Installed, web: WebRuns, serving: Site) -> None:
    forged = {
        "Forwarded": "for=203.0.113.7",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "https",
        "X-Real-Ip": "203.0.113.7",
    }

    found = serving.get("/headers?a=b", forged).json

    headers = {name.lower(): value for name, value in found["headers"].items()}
    expected = {
        "host": serving.host,
        # The relay from this machine is there.
        "x-forwarded-for": network.CONTROL_PLANE_ADDRESS,
        "x-forwarded-host": serving.host,
        "x-forwarded-port": serving.host.partition(":")[2],
        "x-forwarded-proto": "http",
        "x-real-ip": network.CONTROL_PLANE_ADDRESS,
        # Nobody looks at this one.
        "forwarded": forged["Forwarded"],
    }
    assert {name: headers[name] for name in expected} == expected
    where = ("-n", "traefik", "get", "pods", "-o=jsonpath={.items[*].status.podIP}")
    assert found["client"] in installed.kubectl.run(*where).split()
    assert found["path"] == "/headers?a=b"


def test_a_browser_shows_the_page(web: WebRuns, serving: Site, tmp_path: Path) -> None:
    shown = {
        "run": web.workspace.status("serving")["runId"],
        "echo": "echoed hello",
        "events": "5 received",
    }

    page = browse(serving.url, tmp_path, shows=shown)

    sys.stdout.write(f"What the browser shows: {page.screenshot}\n")
    assert {identifier: page.text(identifier) for identifier in shown} == shown
    assert page.screenshot.stat().st_size > 10_000


def test_a_run_from_before_a_change_of_the_mode_keeps_its_url(web: WebRuns) -> None:
    site = Site(web.workspace.status("older")["containerUrl"])

    site.wait(200, REPAIR_SECONDS)
    web.workspace.abort("older")
    web.workspace.wait("older", "ABORTED")
    site.wait(404, GONE_SECONDS)


def test_what_leads_to_a_run_is_made_again_when_it_is_deleted(web: WebRuns, serving: Site) -> None:
    before = web.children("serving")
    assert [child.split()[0].lower() for child in before] == sorted((web.kind, "service"))

    web.kubectl("delete", f"services,{web.kind}", "-l", "actor-operator.dev/run=serving")
    begun = time.monotonic()
    while len(web.children("serving")) < len(before):
        assert time.monotonic() < begun + REPAIR_SECONDS
        time.sleep(0.1)
    tell(f"{web.kind}: made again after a deletion", time.monotonic() - begun)
    assert not set(web.children("serving")) & set(before)
    # The ingress controller looks twice a second what there is.
    time.sleep(1)
    serving.wait(200, REPAIR_SECONDS)


def test_nobody_else_changes_what_leads_to_a_run(web: WebRuns, serving: Site) -> None:
    (service,) = web.kubectl(
        "get", "services", "-o=name", "-l", "actor-operator.dev/run=serving"
    ).split()
    patch = '{"spec": {"selector": {"actor-operator.dev/run-uid": "another"}}}'

    with pytest.raises(CommandError, match="is the operator's"):
        web.kubectl("patch", service, "--type=merge", "-p", patch)

    assert serving.get().status == 200


def test_a_run_that_does_not_listen_yet_is_unavailable_until_its_probe_passes(
    web: WebRuns,
) -> None:
    site = web.start("slow", "probed", memoryMbytes=2048, input={"delaySeconds": 5})
    web.workspace.wait("slow", "RUNNING")

    answer, _ = site.wait(503, 4)

    assert web.workspace.reasons("slow", "WebServerReady") == ["NotListening"]
    _, seconds = web.wait_page("slow")
    tell(f"{web.kind}: with a probe, the page answers after WebServerReady=True", seconds)
    assert web.workspace.reasons("slow", "WebServerReady") == ["NotListening", "EndpointReady"]
    assert b"run" not in answer.body, "it tells nothing"


def test_a_run_that_never_listens_is_a_bad_gateway(web: WebRuns) -> None:
    site = web.start("mute", "silent", memoryMbytes=128)
    web.wait_ready("mute")

    site.wait(502, 10)


def test_the_url_stays_with_the_run_for_all_of_its_life(web: WebRuns) -> None:
    workspace, site = web.workspace, web.start("moved", memoryMbytes=2048)
    web.wait_page("moved")

    workspace.delete("pods", workspace.status("moved")["podName"], core=True)
    web.wait_page("moved", 2)
    workspace.patch("moved", {"spec": {"reboot": {"attempt": 1, "count": 1}}})
    web.wait_page("moved", 3)
    workspace.abort("moved")
    workspace.wait("moved", "ABORTED")
    ended, begun = workspace.status("moved"), time.monotonic()
    gone, seconds = site.wait(404, GONE_SECONDS)
    while web.children("moved"):
        assert time.monotonic() < begun + GONE_SECONDS
        time.sleep(0.1)

    tell(f"{web.kind}: nothing leads to the run after its end", seconds)
    assert gone.without_date == site.sibling(UNKNOWN).get().without_date
    assert (ended["attempt"], ended["stats"]["migrationCount"]) == (1, 1)
    workspace.resurrect("moved")
    web.wait_page("moved", 4)
    assert workspace.status("moved")["containerUrl"] == site.url


def test_of_twenty_runs_at_once_each_answers_at_its_own_url(web: WebRuns) -> None:
    workspace, names = web.workspace, [f"one-of-{number}" for number in range(TWENTY)]
    for name in names:
        workspace.run(name, "probed", memoryMbytes=256, timeoutSecs=600)
    pages = {name: web.wait_page(name)[0].text for name in names}
    told = {name: workspace.status(name) for name in names}
    for name in names:
        workspace.abort(name)
    workspace.wait_all(names)

    for name in names:
        ids = [status["runId"] for status in told.values() if status["runId"] in pages[name]]
        assert ids == [told[name]["runId"]], f"{name} answers with the page of {ids}"
    for status in told.values():
        Site(status["containerUrl"]).wait(404, GONE_SECONDS)
