"""Who may say that the API server made a run: the policy of the chart on the real API server."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.chart.helm import NAMESPACE, RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.operators import install_rights
from tests.support.policies import (
    TENANT,
    Clients,
    clients_of,
    every_right,
    refusal,
    refuses,
    send_patch,
    wait,
    warnings,
)
from tests.support.rest import collection

from actor_operator.constants import API_RUN, LABEL_API

pytestmark = pytest.mark.cluster

POLICY = f"{RELEASE}-api-runs"

API_SERVER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}-api"

RUNS = collection("actorruns")

SENTENCE = (
    f"the label {LABEL_API} is given by the API server to the runs that it makes, and never"
    " changes; leave it out"
)


def a_run(name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"actor": "hello"},
    }


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies, and no operator."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane())
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        install_rights(found)
        Kubectl(found.kubeconfig).apply(every_right(TENANT[0], API_SERVER))
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    everybody = {"tenant": TENANT, "api": (API_SERVER, "system:authenticated")}
    early = a_run("early", {LABEL_API: API_RUN})
    with clients_of(control_plane, everybody) as found:
        wait(lambda: refuses(POLICY, found["tenant"], RUNS, early))
        yield found


def test_the_policy_has_no_faults(control_plane: ControlPlane, clients: Clients) -> None:
    assert warnings(control_plane, POLICY) == ""


def test_a_tenant_cannot_make_a_run_with_the_label_and_the_api_server_can(clients: Clients) -> None:
    body = a_run("abcdefghij0123456", {LABEL_API: API_RUN})

    assert refusal(clients["tenant"].call("POST", RUNS, body), POLICY) == SENTENCE
    assert clients["api"].call("POST", RUNS, body).accepted


@pytest.mark.parametrize("value", [API_RUN, ""], ids=["its value", "an empty one"])
def test_a_tenant_cannot_give_the_label_later_or_gains_nothing_by_it(
    clients: Clients, value: str
) -> None:
    name = f"later-{value or 'empty'}"
    assert clients["tenant"].call("POST", RUNS, a_run(name)).accepted

    answer = send_patch(
        clients["tenant"], f"{RUNS}/{name}", {"metadata": {"labels": {LABEL_API: value}}}
    )

    assert answer.accepted is (value == "")


@pytest.mark.parametrize("value", ["else", None], ids=["another value", "none"])
def test_a_tenant_cannot_change_or_take_the_label(clients: Clients, value: str | None) -> None:
    name = f"zbcdefghij012345{'c' if value else 'r'}"
    assert clients["api"].call("POST", RUNS, a_run(name, {LABEL_API: API_RUN})).accepted

    change = {"metadata": {"labels": {LABEL_API: value}}}
    answer = send_patch(clients["tenant"], f"{RUNS}/{name}", change)

    assert refusal(answer, POLICY) == SENTENCE


def test_a_tenant_may_change_everything_else_of_such_a_run(clients: Clients) -> None:
    name = "ybcdefghij0123456"
    assert clients["api"].call("POST", RUNS, a_run(name, {LABEL_API: API_RUN})).accepted

    assert send_patch(
        clients["tenant"], f"{RUNS}/{name}", {"metadata": {"labels": {"team": "one"}}}
    ).accepted
    assert clients["tenant"].call("DELETE", f"{RUNS}/{name}").accepted
