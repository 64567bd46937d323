"""What can happen to the Service and the route of the machine's run, and what must hold of them."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.builders import KEY
from tests.support.toy_cluster import ToyCluster
from tests.support.toy_kubelet import ToyKubelet
from tests.support.toy_operator import ToyOperator
from tests.support.toy_web import DOMAIN, ToyWeb, ToyWebKind, not_served

from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.url import host_of
from actor_operator.kube.errors import ForbiddenError, InvalidError, ServerError
from actor_operator.lifecycle.routing import Part

RETRY_SECONDS = 60
"""So long after a failure it is tried again at the latest."""

REFUSALS = {
    "role": ForbiddenError("services is forbidden", status=403),
    "quota": ForbiddenError("exceeded quota: q", status=403),
    "invalid": InvalidError("spec.rules: Invalid value", status=422),
    "webhook": ServerError('failed calling webhook "w"', status=500),
    "not served": not_served(),
    "broken": ServerError("conversion webhook failed", status=500),
}
"""What the API server may say to every write of a kind."""

EDITS: dict[str, dict[str, Any]] = {
    "uid label": {"metadata": {"labels": {LABEL_RUN_UID: None}}},
    "another uid": {"metadata": {"labels": {LABEL_RUN_UID: "another"}}},
    "run label": {"metadata": {"labels": {LABEL_RUN: None}}},
    "all labels": {"metadata": {"labels": None}},
    "added": {"spec": {"externalIPs": ["203.0.113.1"]}},
    "replaced": {"spec": {"ports": [{"port": 1}], "rules": [{"host": "elsewhere.example"}]}},
    "emptied": {"spec": {"ports": None, "rules": None, "selector": None}},
    "annotation": {"metadata": {"annotations": {"someone.example/note": "x"}}},
}
"""What users change by hand."""

HIDING = {"uid label", "run label", "all labels"}
"""Edits after which no watch tells of the object, or not of which run it is."""


class WebRules(RuleBasedStateMachine):
    """The part of the machine that is about Services and routes."""

    cluster: ToyCluster
    kubelet: ToyKubelet
    operator: ToyOperator
    web: ToyWeb

    def begin_web(self, web: ToyWeb) -> None:
        """Take what leads requests to the run."""
        self.web = web
        self.web_troubles = 0
        self.routes_seen = 0

    @property
    def has_urls(self) -> bool:
        return bool(self.web.kinds)

    def kind(self, part: Part) -> ToyWebKind:
        """What users see of Services or routes."""
        self.web_troubles += 1
        return self.web.kinds[part]

    # The operator and its watches

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part))
    def watch_tells_of_web_object(self, part: Part) -> None:
        self.operator.hear_of_web_object(part)

    @precondition(lambda self: self.cluster.late)
    @rule()
    def late_writes_are_carried_out(self) -> None:
        self.cluster.land()

    @precondition(lambda self: self.has_urls and len(self.operator.keyring.keys) < 3)
    @rule()
    def keys_are_rotated(self) -> None:
        """The next leader finds a new key in use, and the old ones beside it."""
        keys = self.operator.keyring.keys
        name = f"k{len(keys) + 1}"
        self.operator.keyring = Keyring(name, {**keys, name: KEY + name.encode()})
        self.operator.restart()

    # Users and controllers

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part))
    def user_deletes_web_object(self, part: Part) -> None:
        kind = self.kind(part)
        if kind.ours:
            kind.remove()

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part), edit=st.sampled_from(sorted(EDITS)))
    def user_edits_web_object(self, part: Part, edit: str) -> None:
        kind, finished = self.kind(part), self.cluster.run.status.finished
        if kind.ours and not (finished and edit in HIDING):
            kind.change(EDITS[edit])

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part), labelled=st.booleans())
    def somebody_takes_the_name(self, part: Part, *, labelled: bool) -> None:
        """An object of the run's name that is not its own, perhaps with its labels."""
        kind, run = self.kind(part), self.cluster.run
        if kind.name in kind.objects:
            return
        labels = {LABEL_RUN: run.name, LABEL_RUN_UID: run.uid} if labelled else {}
        metadata = {"name": kind.name, "namespace": run.namespace, "labels": labels}
        kind.make({"metadata": metadata, "spec": {"ports": [{"port": 80}]}})

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part))
    def somebody_gives_the_name_back(self, part: Part) -> None:
        kind = self.kind(part)
        if kind.foreign is not None:
            kind.remove()

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part), refusal=st.sampled_from([None, *sorted(REFUSALS)]))
    def cluster_refuses_web_objects(self, part: Part, refusal: str | None) -> None:
        self.kind(part).refusal = REFUSALS[refusal] if refusal else None

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part))
    def controller_holds_web_object(self, part: Part) -> None:
        kind = self.kind(part)
        if kind.ours:
            kind.hold()

    @precondition(lambda self: self.has_urls)
    @rule(part=st.sampled_from(Part))
    def controller_lets_web_object_go(self, part: Part) -> None:
        self.kind(part).let_go()

    @precondition(lambda self: self.has_urls)
    @rule()
    def class_comes_or_goes(self) -> None:
        self.web_troubles += 1
        self.web.has_class = not self.web.has_class
        self.operator.hear_of_class()

    @precondition(lambda self: self.has_urls and self.cluster.pod is not None)
    @rule(ready=st.booleans())
    def probe_answers(self, *, ready: bool) -> None:
        if self.kubelet.truth.alive:
            self.web_troubles += 1
            self.kubelet.probe(ready=ready)

    def end_of_web_troubles(self) -> None:
        """Nobody keeps the operator from its Services and routes any more."""
        for kind in self.web.kinds.values():
            kind.refusal = None
            if kind.foreign is not None:
                kind.remove()
            kind.let_go()
        self.cluster.pass_time(RETRY_SECONDS)

    # What must hold

    @invariant()
    def a_run_keeps_its_url(self) -> None:
        told = [status.container_url for status in self.cluster.history]
        known = [url for url in told if url is not None]
        assert known == known[:1] * len(known)
        assert self.has_urls or not known

    @invariant()
    def what_is_written_leads_to_the_run(self) -> None:
        url = self.cluster.run.status.container_url
        for part, kind in self.web.kinds.items():
            assert kind.touched == [], "somebody else's object was written"
            for written in kind.written:
                assert written.name == kind.name
                assert written.controller_uid() == self.cluster.run.uid
            if part is Part.ROUTE:
                late = kind.written[self.routes_seen :]
                self.routes_seen = len(kind.written)
                told = {host for one in late for host in hosts(one.spec)}
                # With another key a pod that vanished untold is followed by one of another URL.
                assert url is None or told <= {host_of(url)}

    def check_web_at_rest(self) -> None:
        """The operator has nothing to do, and has heard everything."""
        cluster = self.cluster
        if self.operator.due or cluster.late or self.is_disturbed:
            return
        if cluster.run.status.finished:
            for kind in self.web.kinds.values():
                # Nobody looks for what was hidden of a run that never told of its URL, or finds
                # it again if that try failed.
                lost = kind.failures or cluster.run.status.container_url is None
                left = [one for one in kind.ours if not lost or is_labelled(one)]
                assert left == [], f"a {kind.resource.kind} outlives its run"
        elif any(not pod.has_ended for pod in self.current_pods):
            for part, kind in self.web.kinds.items():
                self._check_as_wanted(part, kind)

    @property
    def is_disturbed(self) -> bool:
        """Whether something keeps Service or route from being as they should."""
        kinds, retry = self.web.kinds.values(), timedelta(seconds=RETRY_SECONDS)
        return any(
            kind.refusal is not None or kind.foreign is not None or kind.held for kind in kinds
        ) or any(self.cluster.now < kind.failed_at + retry for kind in kinds)

    @property
    def web_failures(self) -> int:
        """How many requests about them failed."""
        return sum(kind.failures for kind in self.web.kinds.values())

    @property
    def current_pods(self) -> list[Any]:
        """The pod that the status tells of, or the only one that there is."""
        pods, told = self.cluster.pods, self.cluster.run.status.pod_name
        return [pods[told]] if told in pods else []

    def _check_as_wanted(self, part: Part, kind: ToyWebKind) -> None:
        found = next(iter(kind.ours), None)
        run = self.cluster.run
        assert found is not None, f"there is no {kind.resource.kind}"
        wanted = {LABEL_RUN: run.name, LABEL_RUN_UID: run.uid}
        assert wanted.items() <= found.metadata.labels.items()
        assert "externalIPs" not in found.spec
        if part is Part.ROUTE:
            # It is told with the first status after that.
            url = run.status.container_url or f"//{hosts(found.spec)[0]}/"
            assert hosts(found.spec) == [host_of(url)]
            assert host_of(url).endswith(f".{DOMAIN}")
        else:
            assert found.spec["selector"] == {LABEL_RUN_UID: run.uid}
            assert [port["targetPort"] for port in found.spec["ports"]] == ["web"]


def is_labelled(found: WebObject) -> bool:
    """Whether a watch tells of an object, and of which run it is."""
    return {LABEL_RUN, LABEL_RUN_UID} <= found.metadata.labels.keys()


def hosts(route: dict[str, Any]) -> list[str]:
    """The hosts of an Ingress or HTTPRoute by its specification."""
    rules = route.get("rules") or ()
    return [*route.get("hostnames", ()), *(rule["host"] for rule in rules if "host" in rule)]
