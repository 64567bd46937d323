"""What scheduler, kubelet and node do to the pod of the machine's run."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.support.toy_cluster import ToyCluster
from tests.support.toy_kubelet import Cause, ToyKubelet


class NodeRules(RuleBasedStateMachine):
    """The part of the machine that is about the pod."""

    cluster: ToyCluster
    kubelet: ToyKubelet

    @precondition(lambda self: self.has_pod and self.kubelet.waits_for_node)
    @rule(found=st.sampled_from([True, True, False]))
    def scheduler_looks(self, *, found: bool) -> None:
        if found:
            self.kubelet.schedule()
        else:
            self.kubelet.cannot_schedule()

    @precondition(lambda self: self.can_accept)
    @rule()
    def kubelet_accepts(self) -> None:
        self.kubelet.accept()

    @precondition(lambda self: self.can_accept)
    @rule()
    def kubelet_refuses(self) -> None:
        self.kubelet.refuse()

    @precondition(lambda self: self.has_pod and self.kubelet.may_start and not self.was_tried)
    @rule(
        reason=st.sampled_from(
            [
                "ErrImagePull",
                "ImagePullBackOff",
                "InvalidImageName",
                "CreateContainerConfigError",
                "CreateContainerError",
            ]
        )
    )
    def container_waits(self, reason: str) -> None:
        self.kubelet.wait(reason)

    @precondition(lambda self: self.has_pod and self.kubelet.may_start and not self.was_tried)
    @rule()
    def container_starts(self) -> None:
        self.kubelet.start()

    @precondition(lambda self: self.has_pod and self.kubelet.may_start and not self.was_tried)
    @rule()
    def container_cannot_start(self) -> None:
        self.kubelet.fail_to_start()

    @precondition(lambda self: self.is_alive)
    @rule(code=st.sampled_from([0, 0, 1, 137, 143]))
    def container_ends(self, code: int) -> None:
        self.kubelet.exit(code)

    @precondition(lambda self: self.is_alive)
    @rule()
    def container_runs_out_of_memory(self) -> None:
        self.kubelet.exit(137, "OOMKilled")

    @precondition(lambda self: self.has_pod and not self.kubelet.pod.is_over and self.was_tried)
    @rule()
    def kubelet_tells_the_phase(self) -> None:
        self.kubelet.tell_phase()

    @precondition(lambda self: self.can_be_overdue)
    @rule()
    def kubelet_reaches_the_deadline(self) -> None:
        self.kubelet.reach_deadline()

    @precondition(lambda self: self.is_alive)
    @rule()
    def disk_is_full(self) -> None:
        self.kubelet.evict_for_disk()

    @precondition(lambda self: self.has_pod and not self.kubelet.pod.is_over)
    @rule(
        reason=st.sampled_from(
            ["EvictionByEvictionAPI", "PreemptionByScheduler", "TerminationByKubelet"]
        )
    )
    def pod_is_disrupted(self, reason: str) -> None:
        self.kubelet.evict_for_node(reason)

    @precondition(lambda self: self.has_pod and not self.kubelet.pod.is_over)
    @rule()
    def kubelet_restarts_without_room(self) -> None:
        if self.kubelet.truth.accepted is not None:
            self.kubelet.refuse_anew()

    @precondition(lambda self: self.has_pod and self.kubelet.deleting)
    @rule()
    def kubelet_notices_the_deletion(self) -> None:
        self.kubelet.notice_deletion()

    @precondition(lambda self: self.has_pod and self.kubelet.deleting and not self.is_alive)
    @rule()
    def kubelet_removes_the_pod(self) -> None:
        self.kubelet.remove()

    @property
    def has_pod(self) -> bool:
        return self.cluster.pod is not None

    @property
    def is_alive(self) -> bool:
        return self.has_pod and self.kubelet.truth.alive

    @property
    def was_tried(self) -> bool:
        """Whether the container has ended, or could not be started."""
        return self.kubelet.pod.terminated is not None

    @property
    def can_accept(self) -> bool:
        if not self.has_pod or self.kubelet.waits_for_node or self.kubelet.deleting:
            return False
        return self.kubelet.truth.accepted is None and not self.kubelet.pod.is_over

    @property
    def can_be_overdue(self) -> bool:
        if not self.has_pod or self.kubelet.pod.is_over or self.was_tried:
            return False
        return self.kubelet.overdue and self.kubelet.truth.signalled is not Cause.DEADLINE

    def kubelet_makes_progress(self) -> None:
        """The next thing that a healthy node does."""
        kubelet = self.kubelet
        steps = (
            (self.is_alive, self._container_ends_soon),
            (self.has_pod and kubelet.deleting, kubelet.remove),
            (self.has_pod and not kubelet.pod.is_over and self.was_tried, kubelet.tell_phase),
            (self.has_pod and kubelet.waits_for_node, kubelet.schedule),
            (self.can_accept, kubelet.accept),
            (self.can_be_overdue, kubelet.reach_deadline),
            (self.has_pod and kubelet.may_start, kubelet.start),
        )
        next((step for possible, step in steps if possible), lambda: None)()

    def _container_ends_soon(self) -> None:
        if self.kubelet.deleting:
            self.kubelet.notice_deletion()
        if self.can_be_overdue:
            self.kubelet.reach_deadline()
        self.kubelet.exit(143 if self.kubelet.truth.signalled else 0)
