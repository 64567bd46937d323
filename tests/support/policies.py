"""A control plane on which the chart's admission policies are tried, by people with all rights."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import yaml
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.support.reach import Reachable
from tests.support.rest import MERGE_PATCH, Answer, RestClient

JSON_PATCH = "application/json-patch+json"

TENANT = ("tenant", "system:authenticated")
"""Somebody: name and groups."""

Clients = dict[str, RestClient]
"""People who write, by what they are called in a test."""


def every_right(*users: str) -> str:
    """Manifest that lets users do everything, so that what refuses them is no role."""
    return yaml.safe_dump_all(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"test-{number}"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user},
            ],
        }
        for number, user in enumerate(users)
    )


@contextmanager
def clients_of(
    control_plane: Reachable, everybody: Mapping[str, tuple[str, ...]]
) -> Iterator[Clients]:
    """Clients by what they are called, each with a user's name and groups; empty: the admin."""
    with ExitStack() as stack:
        found: Clients = {}
        for name, (user, *groups) in ((n, who or ("",)) for n, who in everybody.items()):
            found[name] = RestClient(control_plane, user=user, groups=groups)
            stack.callback(found[name].close)
        yield found


def wait(ready: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so; fails when it takes longer."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def refusal(answer: Answer, policy: str) -> str:
    """What a policy says in an answer, which must be a refusal by it."""
    assert not answer.accepted
    assert f"ValidatingAdmissionPolicy '{policy}' with binding" in answer.body["message"]
    return str(answer.body["message"].partition(" denied request: ")[2])


def refuses(policy: str, who: RestClient, path: str, body: Any) -> bool:
    """Whether the API server has read a policy, which takes a moment: it refuses this creation."""
    answer = who.call("POST", f"{path}?dryRun=All", body)
    return not answer.accepted and f"'{policy}'" in answer.body["message"]


def send_patch(who: RestClient, path: str, change: Any) -> Answer:
    """Send a merge patch, or as a list a JSON patch."""
    kind = JSON_PATCH if isinstance(change, list) else MERGE_PATCH
    return who.call("PATCH", path, change, content_type=kind)


def warnings(control_plane: ControlPlane, policy: str) -> str:
    """What the API server finds wrong in the expressions of a policy, once it has looked."""
    kubectl = Kubectl(control_plane.kubeconfig)
    get = ("get", "validatingadmissionpolicy", policy)
    wait(lambda: kubectl.run(*get, "-o=jsonpath={.status.typeChecking}") != "")
    return kubectl.run(*get, "-o=jsonpath={.status.typeChecking.expressionWarnings}")
