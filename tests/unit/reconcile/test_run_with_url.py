"""One look at a run that has a URL: what is done to its Service and route, and what waits for them.

Nothing waits: whatever the API server says about them, the run goes on and ends.
"""

import pytest
from tests.support.builders import a_run, an_actor
from tests.support.toy_cluster import Fault, ToyCluster
from tests.support.toy_kubelet import ToyKubelet
from tests.support.toy_operator import ToyOperator
from tests.support.toy_web import ToyWeb, settings_with_urls

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.kube.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    ServerError,
    TooManyRequestsError,
)
from actor_operator.lifecycle.routing import Part
from actor_operator.settings_web import WebServerMode

FORBIDDEN = ForbiddenError("ingresses is forbidden", status=403)


class World:
    """One run with a URL, its operator and its kubelet."""

    def __init__(self) -> None:
        self.cluster = ToyCluster(a_run(timeout_secs=0), an_actor())
        self.kubelet = ToyKubelet(self.cluster)
        self.web = ToyWeb(self.cluster, WebServerMode.INGRESS)
        settings = settings_with_urls(WebServerMode.INGRESS)
        self.operator = ToyOperator(self.cluster, settings, self.web)

    @property
    def phases(self) -> list[Phase]:
        return [status.phase for status in self.cluster.history]

    @property
    def left(self) -> list[str]:
        """The kinds of which the run has an object."""
        return [kind.resource.kind for kind in self.web.kinds.values() if kind.ours]

    def settle(self) -> None:
        """Everything is told and done."""
        for _ in range(20):
            self.operator.hear_everything()
            if not self.operator.due:
                return
            self.operator.work()
        raise AssertionError("the operator does not come to rest")

    def start(self) -> None:
        """The container runs."""
        self.settle()
        self.kubelet.schedule()
        self.kubelet.accept()
        self.kubelet.start()
        self.settle()

    def end(self) -> None:
        """The container ends well."""
        self.kubelet.exit(0)
        self.kubelet.tell_phase()
        self.settle()


@pytest.fixture
def world() -> World:
    return World()


REFUSALS = {
    "no right": FORBIDDEN,
    "not valid": InvalidError("spec.rules: Invalid value", status=422),
    "too many requests": TooManyRequestsError("slow down", status=429),
    "a broken kind": ServerError("conversion webhook failed", status=500),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_run_whose_route_is_never_taken_starts_and_ends_all_the_same(
    world: World, refusal: str
) -> None:
    world.web.kinds[Part.ROUTE].refusal = REFUSALS[refusal]
    world.start()
    world.end()

    assert world.phases == [Phase.RUNNING, Phase.SUCCEEDED]
    assert world.operator.failures == 0
    assert world.left == []


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_verdict_does_not_wait_for_what_cannot_be_deleted(world: World, refusal: str) -> None:
    world.start()
    world.web.kinds[Part.ROUTE].refusal = REFUSALS[refusal]
    world.end()

    assert world.phases[-1] is Phase.SUCCEEDED
    assert world.left == ["Ingress"], "the other one is deleted"


@pytest.mark.parametrize("refusal", [FORBIDDEN, REFUSALS["a broken kind"]])
def test_what_could_not_be_deleted_at_the_end_is_deleted_within_a_minute(
    world: World, refusal: ApiError
) -> None:
    world.start()
    for kind in world.web.kinds.values():
        kind.refusal = refusal
    world.end()
    for _ in range(5):
        world.cluster.pass_time(61)
        world.settle()
    for kind in world.web.kinds.values():
        kind.refusal = None
    world.cluster.pass_time(61)
    world.settle()

    assert world.left == []
    writes = world.cluster.writes
    world.cluster.pass_time(1000)
    world.settle()
    assert world.cluster.writes == writes


def test_what_fails_by_chance_is_tried_again_after_a_second(world: World) -> None:
    secret, pod = None, None
    world.cluster.faults.extend([secret, pod, Fault.UNAVAILABLE])
    world.settle()
    assert world.left == []

    world.cluster.pass_time(1)
    world.settle()
    assert world.left == ["Service", "Ingress"]


def test_a_failure_that_has_passed_is_told_no_more(world: World) -> None:
    secret, pod = None, None
    world.cluster.faults.extend([secret, pod, Fault.ANSWER_LOST, Fault.ANSWER_LOST])
    world.settle()
    for _ in range(4):
        world.cluster.pass_time(3)
        world.settle()
    world.start()

    ready = world.cluster.run.status.condition(ConditionType.WEB_SERVER_READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("True", "EndpointReady")


@pytest.mark.parametrize("part", Part)
def test_what_is_deleted_while_it_is_mended_is_made_again(world: World, part: Part) -> None:
    world.settle()
    kind = world.web.kinds[part]
    kind.change({"spec": {"externalIPs": ["203.0.113.1"]}})
    world.operator.hear_of_web_object(part)
    kind.remove()
    world.operator.work()
    world.settle()

    world.cluster.pass_time(1)
    world.settle()
    assert world.left == ["Service", "Ingress"]


@pytest.mark.parametrize("part", Part)
def test_what_is_changed_while_it_is_mended_is_mended_too(world: World, part: Part) -> None:
    world.settle()
    kind = world.web.kinds[part]
    kind.change({"metadata": {"labels": {LABEL_RUN: "another"}}})
    world.operator.hear_of_web_object(part)
    kind.change({"spec": {"externalIPs": ["203.0.113.1"]}})
    world.operator.work()
    world.settle()

    world.cluster.pass_time(1)
    world.settle()
    assert "externalIPs" not in kind.ours[0].spec


@pytest.mark.parametrize("part", Part)
def test_what_lost_our_label_before_the_end_is_deleted_too(world: World, part: Part) -> None:
    world.start()
    world.web.kinds[part].change({"metadata": {"labels": {LABEL_RUN_UID: None}}})
    world.operator.restart()  # so that nobody has seen it
    world.end()

    assert world.phases[-1] is Phase.SUCCEEDED
    assert world.left == []


def test_what_somebody_else_put_there_before_the_end_is_not(world: World) -> None:
    world.start()
    kind = world.web.kinds[Part.SERVICE]
    kind.remove()
    kind.make({"metadata": {"name": kind.name, "namespace": "team"}, "spec": {}})
    world.operator.restart()
    world.end()

    assert world.phases[-1] is Phase.SUCCEEDED
    assert kind.foreign is not None
    assert kind.touched == []


def test_a_creation_that_lands_after_the_verdict_is_undone(world: World) -> None:
    secret, pod, service = None, None, None
    world.cluster.faults.extend([secret, pod, service, Fault.LATE])
    world.start()
    world.end()
    assert world.phases[-1] is Phase.SUCCEEDED
    assert world.left == []

    world.cluster.land()
    assert world.left == ["Ingress"]
    world.settle()
    assert world.left == []
