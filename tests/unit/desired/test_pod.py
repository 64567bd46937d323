"""Whole pods and Secrets, as files: see ``golden/``."""

import base64
from typing import Any

import pytest
from tests.support.builders import IMAGE, KEYRING, SETTINGS, a_run, a_status, an_actor, at
from tests.support.golden import Golden

from actor_operator.api.views.actor import Build, DefaultRunOptions, SecretKeyRef, WebServer
from actor_operator.api.views.run import RunLimits, RunView, Stats
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.desired.pod import RunObjects, build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.settings import Settings
from actor_operator.settings_pod import PodSettings, SecurityProfile, Toleration

DIGEST = f"registry.example/hello@sha256:{'0' * 64}"
"""An image by digest."""


def build(
    run: RunView, pod: PodSettings | None = None, url: str | None = None, **actor: Any
) -> RunObjects:
    settings = Settings(pod=pod or PodSettings())
    resolution = resolve(run, an_actor(**actor), settings, url)
    return build_objects(run, resolution, keyring=KEYRING, settings=settings)


def shown(objects: RunObjects) -> dict[str, Any]:
    """The objects as the API server gets them, but the Secret's data as text."""
    pod, secret = (
        item.model_dump(by_alias=True, exclude_none=True, mode="json")
        for item in (objects.pod, objects.secret)
    )
    data = secret.pop("data")
    text = {name: base64.b64decode(value).decode() for name, value in data.items()}
    return {"pod": pod, "secret": secret, "variables": text}


def pod_of(objects: RunObjects) -> dict[str, Any]:
    pod: dict[str, Any] = shown(objects)["pod"]
    return pod


def test_a_minimal_run(golden: Golden) -> None:
    golden.check("minimal", shown(build(a_run())))


def test_a_run_with_everything_set(golden: Golden) -> None:
    run = a_run(
        "everything",
        build="beta",
        memory_mbytes=4096,
        timeout_secs=90,
        restart_on_error=True,
        input={"message": "Grüße", "count": 3},
        limits=RunLimits(max_items=5, max_total_charge_usd=1.5),
        origin="WEB",
    )
    pod = PodSettings(
        host_users=False,
        runtime_class_name="gvisor",
        priority_class_name="runs",
        node_selector={"pool": "runs"},
        tolerations=(
            Toleration(key="runs", value="yes", effect="NoSchedule"),
            Toleration(key="spot", operator="Exists", effect="NoExecute", toleration_seconds=60),
        ),
        image_pull_secrets=("ours",),
        grace_period_seconds=20,
    )
    objects = build(
        run,
        pod,
        "https://abc.runs.example/",
        builds=[Build("1.0.1", IMAGE), Build("1.1.7", DIGEST)],
        tagged_builds={"latest": "1.0.1", "beta": "1.1.7"},
        env={"LANG": "de", "TOKEN": SecretKeyRef("shop", "token")},
        image_pull_secrets=("theirs",),
        web_server=WebServer(port=8000, readiness_probe=True),
        default_run_options=DefaultRunOptions("latest", 128, 10),
    )

    golden.check("everything", shown(objects))


def test_the_restricted_profile(golden: Golden) -> None:
    pod = PodSettings(security_profile=SecurityProfile.RESTRICTED)

    golden.check("restricted", pod_of(build(a_run(), pod))["spec"])


def test_lowered_requests_and_never_lowered_limits(golden: Golden) -> None:
    pod = PodSettings(cpu_request_fraction=0.1, disk_request_fraction=0)
    spec = pod_of(build(a_run(memory_mbytes=128), pod))["spec"]

    golden.check("lowered-requests", spec["containers"][0]["resources"])


def test_a_public_actor_of_another_namespace(golden: Golden) -> None:
    objects = build(a_run(actor="owner/greeter"), namespace="owner", is_public=True)

    golden.check("foreign-actor", shown(objects))


def test_variables_from_secrets(golden: Golden) -> None:
    objects = build(
        a_run(),
        env={"PLAIN": "text", "TOKEN": SecretKeyRef("shop", "token")},
        build_env={"OTHER": SecretKeyRef("shop", "other")},
    )
    container = pod_of(objects)["spec"]["containers"][0]

    golden.check("secret-variables", {key: container[key] for key in ("env", "envFrom")})


def test_a_run_without_timeout_has_no_deadline() -> None:
    assert "activeDeadlineSeconds" not in pod_of(build(a_run(timeout_secs=0)))["spec"]


def test_the_deadline_is_exactly_the_timeout() -> None:
    assert pod_of(build(a_run(timeout_secs=17)))["spec"]["activeDeadlineSeconds"] == 17


def test_a_pod_that_follows_another_one_gets_what_is_left_of_the_time() -> None:
    run = a_run(timeout_secs=17)
    resolution = resolve(run, an_actor(), SETTINGS)
    objects = build_objects(run, resolution, keyring=KEYRING, settings=SETTINGS, seconds_left=5)

    assert pod_of(objects)["spec"]["activeDeadlineSeconds"] == 5


def test_an_actor_without_web_server_opens_no_port() -> None:
    objects = build(a_run(), web_server=WebServer(enabled=False))

    assert "ports" not in pod_of(objects)["spec"]["containers"][0]


def test_a_port_that_a_variable_changes_is_the_containers_port() -> None:
    objects = build(a_run(), env={"APIFY_CONTAINER_PORT": "8888"})

    assert pod_of(objects)["spec"]["containers"][0]["ports"] == [
        {"name": "web", "containerPort": 8888}
    ]


def test_the_later_pods_of_a_run_have_their_own_names_and_secrets() -> None:
    stats = Stats(restart_count=1, migration_count=1)
    status = a_status(attempt=2, migrations=1, stats=stats, queued_at=at(60))
    first, later = build(a_run()), build(a_run(status=status))

    assert (first.pod_name[-2:], later.pod_name[-2:]) == ("-1", "-4")
    assert first.secret_name != later.secret_name
    assert pod_of(later)["metadata"]["labels"]["actor-operator.dev/attempt"] == "2"


def test_secret_and_pod_find_each_other_by_name_and_label() -> None:
    objects = build(a_run())
    pod, secret = pod_of(objects), shown(objects)["secret"]

    suffix = pod["metadata"]["labels"][LABEL_ENVIRONMENT]
    assert f"{objects.pod_name}-{suffix}" == objects.secret_name == secret["metadata"]["name"]
    assert pod["metadata"]["name"] == objects.pod_name
    source = pod["spec"]["containers"][0]["envFrom"][0]
    assert source == {"secretRef": {"name": objects.secret_name}}


@pytest.mark.parametrize(
    ("run", "actor"),
    [
        (a_run(input={"a": 1}), {}),
        (a_run(), {"env": {"A": "b"}}),
        (a_run(uid="22222222-2222-3333-4444-555555555555"), {}),
    ],
    ids=["other input", "other variable", "other run"],
)
def test_other_content_has_another_secret(run: RunView, actor: dict[str, Any]) -> None:
    assert build(run, **actor).secret_name != build(a_run()).secret_name


def test_the_same_run_gives_the_same_objects_each_time() -> None:
    """Creating them twice is refused by the API server: the guard against a second pod."""
    assert shown(build(a_run(input={"a": 1}))) == shown(build(a_run(input={"a": 1})))


def test_children_never_block_the_deletion_of_their_run() -> None:
    objects = shown(build(a_run()))
    owners = [objects[kind]["metadata"]["ownerReferences"] for kind in ("pod", "secret")]

    assert owners[0] == owners[1]
    assert owners[0][0]["controller"] is True
    assert owners[0][0]["blockOwnerDeletion"] is False
