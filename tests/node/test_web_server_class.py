"""An ingress class that does not exist: runs run, and say what to do."""

import json
import sys
import time
from collections.abc import Iterator

import pytest
from tests.node.conftest import Installed
from tests.support.history import condition
from tests.support.reach import Reached
from tests.support.recorder import Recorder
from tests.support.web_runs import WebRuns
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

CLASS = "traefik"
"""The class that the operator is told of."""


@pytest.fixture
def without_class(installed: Installed) -> Iterator[str]:
    """The cluster has no such IngressClass; returns what makes it again."""
    kubectl = installed.kubectl
    found = json.loads(kubectl.run("get", "ingressclass", CLASS, "-o=json"))
    found["metadata"] = {name: found["metadata"][name] for name in ("name", "annotations")}
    kubectl.run("delete", "ingressclass", CLASS)
    yield json.dumps(found)
    kubectl.apply(json.dumps(found))


def test_without_its_ingress_class_a_run_runs_and_says_what_to_do(
    installed: Installed, reached: Reached, recorder: Recorder, without_class: str
) -> None:
    admin = Admin(reached)
    web = WebRuns(Workspace(admin, recorder), installed.kubectl, "ingress")
    workspace = web.workspace

    site = web.start("serving", memoryMbytes=2048)
    workspace.wait_started("serving")
    workspace.wait("serving", "RUNNING")
    workspace.wait_reason("serving", "WebServerReady", "NoIngress")
    said = condition({"status": workspace.status("serving")}, "WebServerReady")

    assert said["status"] == "False"
    assert f'There is no IngressClass "{CLASS}". Create it' in said["message"]
    assert site.get().status == 404
    installed.kubectl.apply(without_class)
    begun = time.monotonic()
    web.wait_page("serving")
    took = time.monotonic() - begun
    sys.stdout.write(f"The page answers after the class was made: {took:.2f} s\n")
    web.abort_all()
    admin.close()
