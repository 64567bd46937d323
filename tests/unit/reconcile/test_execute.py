"""Carrying out decisions: what is written, in which order, and what refusals mean."""

from typing import Any, cast

import msgspec
import pytest
from tests.support.builders import KEYRING, RUN_UID, SETTINGS, SUFFIX, a_pod, a_run, an_actor
from tests.support.toy_cluster import drive

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    Cause,
    ConflictError,
    ForbiddenError,
    InvalidError,
    QuotaExceededError,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
)
from actor_operator.lifecycle.actions import (
    Action,
    CreatePod,
    DeletePod,
    DeleteSecret,
    RestoreSecret,
    StopPod,
)
from actor_operator.reconcile.execute import Executor, Refusal, explain_refusal

RUN = a_run()
OBJECTS = build_objects(RUN, resolve(RUN, an_actor(), SETTINGS), keyring=KEYRING, settings=SETTINGS)
CREATE = CreatePod(OBJECTS)


class Recorder:
    """Stands for pods and Secrets of the API server; notes every call."""

    def __init__(self, refusal: ApiError | None = None, existing: PodView | None = None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.refusal = refusal
        self.existing = existing
        self.unprotected: Refusal | None = None
        self.secret_refusal: ApiError | None = None

    async def create(self, namespace: str, pod: object) -> PodView:
        self.calls.append(("create pod", namespace))
        if self.refusal is not None:
            raise self.refusal
        return a_pod()

    async def read(self, namespace: str, name: str) -> PodView | None:
        self.calls.append(("read pod", namespace, name))
        return self.existing

    async def delete(self, namespace: str, name: str, **how: Any) -> None:
        kind = "delete pod" if how else "delete secret"
        self.calls.append((kind, namespace, name, *map(str, how.values())))

    async def stop(self, namespace: str, name: str, *, uid: str) -> None:
        self.calls.append(("stop pod", namespace, name, uid))

    async def protect(self, namespace: str) -> Refusal | None:
        self.calls.append(("protect", namespace))
        return self.unprotected

    async def ensure(self, namespace: str, secret: object) -> None:
        self.calls.append(("ensure secret", namespace))
        if self.secret_refusal is not None:
            raise self.secret_refusal


def carry_out(recorder: Recorder, *actions: Action) -> tuple[PodView, ...] | Refusal:
    fake = cast("Any", recorder)
    executor = Executor(pods=fake, secrets=fake, protect=fake.protect)
    return drive(executor.carry_out(RUN, actions))


# What is written


def test_the_secret_is_there_before_the_pod_that_needs_it() -> None:
    recorder = Recorder()

    assert carry_out(recorder, CREATE) == (a_pod(),)
    assert recorder.calls == [
        ("protect", "team"),
        ("ensure secret", "team"),
        ("create pod", "team"),
    ]


def test_a_secret_is_made_anew_for_a_pod_that_is_there() -> None:
    recorder = Recorder()

    assert carry_out(recorder, RestoreSecret(OBJECTS)) == ()
    assert recorder.calls == [("ensure secret", "team")]


def test_a_pod_whose_secret_may_not_be_made_anew_is_not_refused() -> None:
    recorder = Recorder()
    recorder.secret_refusal = ForbiddenError("exceeded quota", status=403)

    assert carry_out(recorder, RestoreSecret(OBJECTS)) == ()


def test_nothing_is_made_in_a_namespace_without_its_network_policy() -> None:
    recorder = Recorder()
    recorder.unprotected = Refusal(Reason.NETWORK_POLICY_REFUSED, "no", final=False)

    assert carry_out(recorder, CREATE) == recorder.unprotected
    assert recorder.calls == [("protect", "team")]


def test_actions_are_carried_out_in_their_order() -> None:
    recorder = Recorder()
    outcome = carry_out(
        recorder,
        DeleteSecret("team", f"p-{SUFFIX}"),
        DeletePod("team", "p", "uid-1", 1),
        StopPod("team", "q", "uid-2"),
    )

    assert outcome == ()
    assert recorder.calls == [
        ("delete secret", "team", f"p-{SUFFIX}"),
        ("delete pod", "team", "p", "uid-1", "1"),
        ("stop pod", "team", "q", "uid-2"),
    ]


def test_nothing_to_do_is_nothing_written() -> None:
    recorder = Recorder()

    assert carry_out(recorder) == ()
    assert recorder.calls == []


# A name that exists


def test_a_pod_of_ours_from_a_lost_answer_is_taken_over() -> None:
    ours = a_pod(running=2)
    recorder = Recorder(AlreadyExistsError("exists", status=409), existing=ours)

    assert carry_out(recorder, CREATE) == (ours,)
    # It was made with other content, so it has another Secret than the one just made.
    assert ("delete secret", "team", OBJECTS.secret_name) in recorder.calls


def test_a_refusal_may_meet_a_pod_of_ours_and_leaves_it_its_secret() -> None:
    suffix = OBJECTS.secret_name.removeprefix(f"{OBJECTS.pod_name}-")
    pod = a_pod(running=2)
    labels = {**pod.metadata.labels, LABEL_ENVIRONMENT: suffix}
    ours = msgspec.structs.replace(
        pod, metadata=msgspec.structs.replace(pod.metadata, labels=labels)
    )
    recorder = Recorder(QuotaExceededError("exceeded quota: q", status=403), existing=ours)

    assert carry_out(recorder, CREATE) == (ours,)
    assert ("delete secret", "team", OBJECTS.secret_name) not in recorder.calls


def test_a_proxys_page_is_no_refusal_for_good() -> None:
    recorder = Recorder(InvalidError("<html>", status=400))

    outcome = carry_out(recorder, CREATE)

    assert isinstance(outcome, Refusal)
    assert not outcome.final


def test_a_pod_of_anothers_is_neither_taken_nor_deleted() -> None:
    theirs = a_pod(owner="another-uid")
    recorder = Recorder(AlreadyExistsError("exists", status=409), existing=theirs)
    outcome = carry_out(recorder, CREATE)

    assert isinstance(outcome, Refusal)
    assert (outcome.reason, outcome.final) == (Reason.NAME_TAKEN, False)
    assert theirs.name in outcome.message
    assert not any(call[0] == "delete pod" for call in recorder.calls)


def test_a_pod_that_goes_away_while_we_look_is_tried_again() -> None:
    recorder = Recorder(AlreadyExistsError("exists", status=409), existing=None)

    with pytest.raises(AlreadyExistsError):
        carry_out(recorder, CREATE)


# Refusals

REFUSALS = [
    pytest.param(
        QuotaExceededError("exceeded quota: q", status=403),
        Reason.QUOTA_EXCEEDED,
        False,
        id="a full quota passes",
    ),
    pytest.param(
        ForbiddenError(
            'pods "x" is forbidden: status unknown for quota: q, resources: pods',
            status=403,
            reason="Forbidden",
        ),
        Reason.QUOTA_EXCEEDED,
        False,
        id="a new quota will be counted",
    ),
    pytest.param(
        ForbiddenError('pods is forbidden: User "x" cannot create resource "pods"', status=403),
        Reason.POD_REJECTED,
        False,
        id="a right of the operator can be granted",
    ),
    pytest.param(
        ForbiddenError('error looking up service account team/default: "default" not found'),
        Reason.POD_REJECTED,
        False,
        id="the ServiceAccount of a new namespace comes",
    ),
    pytest.param(
        ForbiddenError('violates PodSecurity "restricted:latest"', status=403, reason="Forbidden"),
        Reason.POD_REJECTED,
        True,
        id="Pod Security does not change its mind",
    ),
    pytest.param(
        ForbiddenError("maximum memory is 64Mi", status=403, reason="Forbidden"),
        Reason.POD_REJECTED,
        True,
        id="a LimitRange does not change its mind",
    ),
    pytest.param(
        InvalidError("spec.containers[0].image: Invalid", status=422, reason="Invalid"),
        Reason.POD_REJECTED,
        True,
        id="an invalid pod stays invalid",
    ),
    pytest.param(
        ForbiddenError(
            "unable to create new content",
            status=403,
            causes=(Cause("NamespaceTerminating", "namespace is being terminated", ""),),
        ),
        Reason.POD_REJECTED,
        False,
        id="a namespace that goes away is no fault of the run",
    ),
    pytest.param(
        ServerError('failed calling webhook "x": no endpoints available', status=500),
        Reason.ADMISSION_UNAVAILABLE,
        False,
        id="a webhook comes back",
    ),
]


@pytest.mark.parametrize(("error", "reason", "final"), REFUSALS)
def test_refusal(*, error: ApiError, reason: Reason, final: bool) -> None:
    recorder = Recorder(error)
    outcome = carry_out(recorder, CREATE)

    assert isinstance(outcome, Refusal)
    assert (outcome.reason, outcome.final) == (reason, final)
    assert str(error) in outcome.message


def test_a_refused_pod_leaves_no_secret_behind() -> None:
    recorder = Recorder(QuotaExceededError("exceeded quota: q", status=403))
    carry_out(recorder, CREATE)

    assert recorder.calls[-1] == ("delete secret", "team", OBJECTS.secret_name)


PASSING = [
    ServerError("etcdserver: request timed out", status=500),
    ServerError("overloaded", status=503),
    UnreachableError("no answer", may_have_applied=True),
    TooManyRequestsError("slow down", status=429, retry_after=3.0),
    ConflictError("the quota has been modified", status=409),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: f"{error.status} {error}")
def test_what_passes_by_itself_is_no_refusal_and_keeps_the_secret(error: ApiError) -> None:
    recorder = Recorder(error)

    assert explain_refusal(error) is None
    with pytest.raises(type(error)):
        carry_out(recorder, CREATE)
    assert not any(call[0] == "delete secret" for call in recorder.calls)


def test_the_uid_of_the_run_is_what_makes_a_pod_ours() -> None:
    assert a_pod().controller_uid() == RUN_UID
