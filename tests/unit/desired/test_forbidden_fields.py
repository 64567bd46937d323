"""The operator never writes what no pod may have: whatever a run, an Actor and the settings say.

``WRITTEN`` lists all that a pod may hold, so it need not be known what is dangerous; that each of
the forbidden things is beyond it is proved one by one.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import KEYRING, a_run, an_actor
from tests.support.forbidden import FORBIDDEN, Forbidden, Json
from tests.support.restricted_pod import restricted_pod
from tests.support.user_fields import flatten

from actor_operator.api.views.actor import SecretKeyRef, WebServer
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.settings import Settings
from actor_operator.settings_pod import PodSettings, SecurityProfile, Toleration

WRITTEN: dict[str, str] = {
    r"restartPolicy": "Never",
    r"activeDeadlineSeconds": r"\d+",
    r"terminationGracePeriodSeconds": r"[12]?\d|30",
    r"automountServiceAccountToken": "False",
    r"enableServiceLinks": "False",
    r"hostUsers": "False",
    r"securityContext\.seccompProfile\.type": "RuntimeDefault",
    r"securityContext\.runAsNonRoot": "True",
    # The administrator's settings; of Actors only the names of Secrets to pull with.
    r"runtimeClassName": "gvisor",
    r"priorityClassName": "runs",
    r"nodeSelector\.pool": "runs",
    r"tolerations\.0\.(key|operator|effect)": "spot|Exists|NoExecute",
    r"imagePullSecrets\.\d\.name": r"[a-z]+",
    r"volumes\.0\.name": "shm",
    r"volumes\.0\.emptyDir\.(medium|sizeLimit)": r"Memory|\d+Mi",
    r"containers\.0\.name": "actor",
    r"containers\.0\.image": ".+",
    r"containers\.0\.envFrom\.0\.secretRef\.name": "[-a-z0-9]+",
    r"containers\.0\.env\.\d\.name": ".+",
    r"containers\.0\.env\.\d\.valueFrom\.secretKeyRef\.(name|key)": "(?s:.*)",
    r"containers\.0\.ports\.0\.(name|containerPort)": r"web|\d{4,5}",
    r"containers\.0\.readinessProbe\.(tcpSocket\.port|periodSeconds|failureThreshold)": r"web|\d",
    r"containers\.0\.resources\.(limits|requests)\.(cpu|memory|ephemeral-storage)": r"\d+(m|Mi)?",
    r"containers\.0\.securityContext\.allowPrivilegeEscalation": "False",
    r"containers\.0\.securityContext\.capabilities\.drop\.0": "ALL",
    r"containers\.0\.securityContext\.capabilities\.add\.\d": (
        "CHOWN|DAC_OVERRIDE|FOWNER|KILL|SETGID|SETUID"
    ),
    r"containers\.0\.terminationMessagePolicy": "File",
    r"containers\.0\.volumeMounts\.0\.(name|mountPath)": "shm|/dev/shm",
}
"""Every field that the operator writes into a pod's specification, and what it may be."""

NEEDED = {
    *(f"containers.0.resources.limits.{name}" for name in ("cpu", "memory", "ephemeral-storage")),
    "securityContext.runAsNonRoot",
}
"""What a pod of the profile *restricted* never lacks."""


def surplus(spec: Json) -> list[str]:
    """What of a pod's specification the operator never writes."""
    return [
        f"{path}={value}"
        for path, value in flatten(spec).items()
        if value is not None
        and not any(
            re.fullmatch(field, path) and re.fullmatch(values, str(value))
            for field, values in WRITTEN.items()
        )
    ]


def lacking(spec: Json) -> set[str]:
    """What a pod must have and this one has not."""
    return {path for path in NEEDED if flatten(spec).get(path) is None}


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)
VARIABLES = st.dictionaries(NAMES, TEXT | st.builds(SecretKeyRef, TEXT, TEXT), max_size=3)
ACTORS = st.fixed_dictionaries(
    {
        "env": VARIABLES,
        "build_env": VARIABLES,
        "image_pull_secrets": st.lists(st.just("theirs"), max_size=1).map(tuple),
        "web_server": st.builds(WebServer, st.booleans(), st.integers(1024, 65535), st.booleans()),
    }
)
RUNS = st.fixed_dictionaries(
    {
        "memory_mbytes": st.sampled_from([128, 1024, 32768]),
        "timeout_secs": st.integers(0, 10**9),
        "input": st.dictionaries(TEXT, TEXT, max_size=3),
        "labels": st.dictionaries(TEXT, TEXT, max_size=3),
        "annotations": st.dictionaries(TEXT, TEXT, max_size=3),
    }
)
SETTINGS = st.builds(
    PodSettings,
    security_profile=st.sampled_from(SecurityProfile),
    host_users=st.booleans(),
    runtime_class_name=st.sampled_from([None, "gvisor"]),
    priority_class_name=st.sampled_from([None, "runs"]),
    node_selector=st.sampled_from([{}, {"pool": "runs"}]),
    tolerations=st.sampled_from(
        [(), (Toleration(key="spot", operator="Exists", effect="NoExecute"),)]
    ),
    image_pull_secrets=st.sampled_from([(), ("ours",)]),
    grace_period_seconds=st.integers(1, 30),
)


@given(run=RUNS, actor=ACTORS, pod=SETTINGS)
def test_no_pod_holds_anything_that_is_not_listed(run: Any, actor: Any, pod: PodSettings) -> None:
    settings = Settings(pod=pod)
    made, template = a_run(**run), an_actor(**actor)
    resolution = resolve(made, template, settings)
    objects = build_objects(made, resolution, keyring=KEYRING, settings=settings)

    spec = objects.pod.model_dump(by_alias=True, exclude_none=True, mode="json")["spec"]

    assert surplus(spec) == []


@pytest.mark.parametrize("row", FORBIDDEN, ids=lambda row: row.name)
def test_nothing_that_is_forbidden_is_listed(row: Forbidden) -> None:
    spec = row.added_to(restricted_pod("team"))["spec"]

    assert surplus(spec) or lacking(spec)


def test_the_pod_to_which_forbidden_things_are_added_holds_none() -> None:
    spec = restricted_pod("team")["spec"]

    assert surplus(spec) == []
    assert lacking(spec) == set()


def test_at_least_forty_are_forbidden_each_under_a_name_of_its_own() -> None:
    assert len({row.name for row in FORBIDDEN}) == len(FORBIDDEN) >= 40
