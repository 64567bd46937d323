"""One run against everything that can happen to it, in any order (Hypothesis state machine).

Users abort and delete, kubelets and nodes do what they do, watches lag, writes are lost, the
operator crashes at any of them, time passes. Whatever was, once the faults stop the run ends, and
the whole recorded history is as it must be (``tests/support/toy_checks.py``).

``make model EXAMPLES=20000`` looks longer.
"""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.support.builders import a_run, an_actor
from tests.support.toy_checks import check_step, check_story
from tests.support.toy_cluster import Fault, ToyCluster
from tests.support.toy_kubelet import ToyKubelet, Truth
from tests.support.toy_operator import ToyOperator
from tests.support.toy_web import ToyWeb, settings_with_urls
from tests.unit.lifecycle.node_rules import NodeRules
from tests.unit.lifecycle.web_rules import WebRules
from typing_extensions import override

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import (
    AbortRequest,
    FinishedRun,
    RebootRequest,
    ResurrectRequest,
    RunStatus,
)
from actor_operator.kube.errors import ForbiddenError, QuotaExceededError
from actor_operator.settings_web import WebServerMode

TIMEOUT = 10
"""Seconds that the run may take, when it has a timeout."""

MAX_WRITES = 40
"""More writes than any run may need, but for what its failures and its further pods cost."""

MAX_ATTEMPTS = 3
"""So often a run may live."""

PATIENCE = 400
"""Rounds in which a run must end once faults have stopped."""


class RunMachine(NodeRules, WebRules):
    """The world of one run."""

    @initialize(
        timeout=st.sampled_from([TIMEOUT, TIMEOUT, 0]),
        there=st.sampled_from([True, True, True, False]),
        steps=st.sampled_from([0, 2, 3, 3, 3]),
        restarts=st.sampled_from([False, False, True]),
        moves=st.sampled_from([True, True, False]),
        mode=st.sampled_from([WebServerMode.NONE, WebServerMode.INGRESS, WebServerMode.HTTP_ROUTE]),
        has_class=st.booleans(),
        news=st.booleans(),
    )
    def begin(
        self,
        *,
        timeout: int,
        there: bool,
        steps: int,
        restarts: bool = False,
        moves: bool = True,
        mode: WebServerMode = WebServerMode.NONE,
        has_class: bool = True,
        news: bool = False,
    ) -> None:
        """A user makes a run; its Actor may come later, its container may run already."""
        self.timeout = timeout
        self.actor = an_actor(restart_on_disruption=moves)
        run = a_run(timeout_secs=timeout, restart_on_error=restarts)
        self.cluster = ToyCluster(run, self.actor if there else None)
        self.kubelet = ToyKubelet(self.cluster)
        self.begin_web(ToyWeb(self.cluster, mode, has_class=has_class, news=news))
        self.operator = ToyOperator(self.cluster, settings_with_urls(mode), self.web)
        self.aborted: set[int] = set()
        self.created_in: list[Phase] = []
        self.created_beside: list[Truth] = []
        self.seen = 0
        for _ in range(steps):
            self.everything_is_told_and_done()
            self.kubelet_makes_progress()

    # The operator and its watches

    @rule()
    def operator_works(self) -> None:
        phase, pods = self.cluster.run.status.phase, self.cluster.pods_created
        self.operator.work()
        if self.cluster.pods_created > pods:
            self.created_in.append(phase)
            now, truths = self.cluster.now, self.kubelet.truths
            self.created_beside += [truth for truth in truths if truth.may_run(now)]

    @precondition(lambda self: self.cluster.run_events)
    @rule()
    def watch_tells_of_run(self) -> None:
        self.operator.hear_of_run()

    @precondition(lambda self: self.cluster.pod_events)
    @rule()
    def watch_tells_of_pod(self) -> None:
        self.operator.hear_of_pod()

    @rule()
    def everything_is_told_and_done(self) -> None:
        """What happens nearly always: no lag, no fault."""
        for _ in range(10):
            self.operator.hear_everything()
            if not self.operator.due:
                break
            self.operator_works()
        self.check_web_at_rest()

    @rule()
    def operator_restarts(self) -> None:
        self.operator.restart()

    @precondition(lambda self: len(self.cluster.faults) < 3)
    @rule(fault=st.sampled_from(Fault), later=st.integers(0, 2))
    def a_write_will_fail(self, fault: Fault, later: int) -> None:
        self.cluster.faults.extend([*[None] * later, fault])

    @precondition(lambda self: not self.has_pod)
    @rule(refusal=st.sampled_from([None, "quota", "policy", "service account"]))
    def cluster_refuses_pods(self, refusal: str | None) -> None:
        self.cluster.refusal = {
            None: None,
            "quota": QuotaExceededError("exceeded quota: q", status=403),
            "policy": ForbiddenError("violates PodSecurity", status=403),
            "service account": ForbiddenError("error looking up service account", status=403),
        }[refusal]

    # Users and time

    @precondition(lambda self: self.cluster.actor is None)
    @rule()
    def actor_comes(self) -> None:
        self.cluster.actor = self.actor
        self.operator.hear_of_actor()

    @precondition(lambda self: not self.is_aborted)
    @rule(mode=st.sampled_from(["Immediate", "Graceful"]))
    def user_aborts(self, mode: str) -> None:
        attempt = self.cluster.run.status.attempt
        self.aborted.add(attempt)
        self.cluster.change_spec(abort=AbortRequest(attempt, mode))

    @precondition(lambda self: self.is_aborted)
    @rule(again=st.sampled_from(["Immediate", None]))
    def user_changes_the_request(self, again: str | None) -> None:
        """Graceful becomes immediate, or the request is removed."""
        attempt = self.cluster.run.status.attempt
        self.cluster.change_spec(abort=AbortRequest(attempt, again) if again else None)

    @precondition(lambda self: self.cluster.run.status.finished and self.may_live_again)
    @rule(timeout=st.sampled_from([None, None, 5]))
    def user_resurrects(self, timeout: int | None) -> None:
        attempt = self.cluster.run.status.attempt + 1
        self.cluster.change_spec(resurrect=ResurrectRequest(attempt, timeout_secs=timeout))

    @precondition(lambda self: self.cluster.run.status.phase is Phase.RUNNING)
    @rule()
    def user_reboots(self) -> None:
        status = self.cluster.run.status
        request = RebootRequest(status.attempt, status.stats.reboot_count + 1)
        self.cluster.change_spec(reboot=request)

    @rule()
    def user_changes_something_else(self) -> None:
        self.cluster.change_spec(ttl_seconds_after_finished=60)

    @rule(seconds=st.sampled_from([0.1, 0.9, 1, 2.5, 11, 31, 130, 601]))
    def time_passes(self, seconds: float) -> None:
        self.cluster.pass_time(seconds)

    @precondition(lambda self: self.has_pod)
    @rule()
    def user_deletes_pod(self) -> None:
        self.kubelet.delete()

    @precondition(lambda self: self.has_pod)
    @rule()
    def user_removes_pod_by_force(self) -> None:
        self.kubelet.remove()

    @property
    def is_aborted(self) -> bool:
        request = self.cluster.run.spec.abort
        return request is not None and request.attempt == self.cluster.run.status.attempt

    @property
    def may_live_again(self) -> bool:
        return self.cluster.run.status.attempt < MAX_ATTEMPTS

    # What must hold

    @invariant()
    def every_new_status_follows_from_the_one_before(self) -> None:
        told = self.cluster.history
        before = told[self.seen - 1] if self.seen else RunStatus()
        for after in told[self.seen :]:
            check_step(before, after)
            before = after
        self.seen = len(told)

    @invariant()
    def pods_are_made_only_for_runs_that_want_one(self) -> None:
        assert set(self.created_in) <= {Phase.READY, Phase.RUNNING}

    @invariant()
    def no_pod_is_made_while_a_container_of_the_run_may_still_run(self) -> None:
        assert self.created_beside == []

    @override
    def teardown(self) -> None:
        """Faults stop; the run must end, in the right way, and then nothing is written any more."""
        if not hasattr(self, "cluster"):
            return
        self.cluster.faults.clear()
        self.cluster.refusal = None
        for _ in range(PATIENCE):
            self.everything_is_told_and_done()
            if isinstance(self.operator.runs.get("team", "hello"), FinishedRun):
                break
            self.kubelet_makes_progress()
            self.cluster.pass_time(0.5)
        self.end_of_web_troubles()
        self.everything_is_told_and_done()
        self._check_the_end()

    def _check_the_end(self) -> None:
        self.every_new_status_follows_from_the_one_before()
        status, cluster = self.cluster.run.status, self.cluster
        assert status.finished, f"the run is {status.phase} for ever"
        assert status.cleanup == ()
        assert status.observed_generation == cluster.run.metadata.generation
        alive = {truth.pod for truth in self.kubelet.truths if truth.alive}
        for pod in cluster.pods.values():
            assert pod.uid not in alive
            left = [name for name in cluster.secrets if name.startswith(f"{pod.name}-")]
            # With another key a Secret that waits for its pod has another name.
            rotated = len(self.operator.keyring.keys) > 1
            assert not left or rotated, "the Secret outlives its container"
        if not self.operator.restarts and not self.operator.failures:
            assert not cluster.secrets, "a Secret outlives its pod"
        troubles = self.operator.failures + self.operator.restarts + cluster.pods_created
        troubles += self.web_troubles + self.web_failures
        assert cluster.writes <= MAX_WRITES * status.attempt + 4 * troubles
        writes = cluster.writes
        cluster.pass_time(10_000)
        self.operator.restart()
        self.everything_is_told_and_done()
        assert cluster.writes == writes, "a finished run is written again"
        moves = self.actor.spec.restart_on_disruption
        check_story(cluster.history, self.kubelet.truths, moves=moves, aborted=self.aborted)


TestRunMachine: Any = RunMachine.TestCase


@pytest.mark.parametrize("mode", [WebServerMode.INGRESS, WebServerMode.HTTP_ROUTE])
def test_with_a_url_it_takes_nine(mode: WebServerMode) -> None:
    """Service and route, and their deletes, beside those five."""
    machine = RunMachine()
    machine.begin(timeout=TIMEOUT, there=True, steps=0, mode=mode)
    machine.teardown()

    assert [s.phase for s in machine.cluster.history] == [Phase.RUNNING, Phase.SUCCEEDED]
    assert machine.cluster.writes == 9


def test_the_machine_left_alone_brings_a_run_to_its_success_in_five_writes() -> None:
    """Secret, pod, RUNNING, the Secret's delete, SUCCEEDED."""
    machine = RunMachine()
    machine.begin(timeout=TIMEOUT, there=True, steps=0)
    machine.teardown()

    assert [s.phase for s in machine.cluster.history] == [Phase.RUNNING, Phase.SUCCEEDED]
    assert machine.cluster.writes == 5
