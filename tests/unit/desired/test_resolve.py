"""What exactly a run runs: wishes, defaults, and what it cannot have."""

from typing import Any

import pytest
from tests.support.builders import IMAGE, a_resolved, a_run, an_actor

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.actor import (
    ActorView,
    Build,
    DefaultRunOptions,
    SecretKeyRef,
    WebServer,
)
from actor_operator.api.views.run import (
    Options,
    ResurrectRequest,
    RunLimits,
    RunStatus,
    RunView,
)
from actor_operator.desired.resolve import (
    Resolution,
    Resolved,
    actor_reference,
    read_resolved,
    resolve,
)
from actor_operator.errors import TerminalError
from actor_operator.settings import DefaultRunSettings, Settings
from actor_operator.settings_pod import PodSettings

SETTINGS = Settings(
    defaults=DefaultRunSettings(memory_mbytes=256, timeout_secs=77),
    pod=PodSettings(image_pull_secrets=("ours",)),
)
"""Settings that differ from what the kinds say."""

TWO_BUILDS = (Build("1.0.1", "registry.example/one"), Build("1.0.2", "registry.example/two"))
"""Two builds of an Actor."""

FOREIGN = "owner/greeter"
"""Reference to an Actor of another namespace."""


def refusal(run: RunView, actor: ActorView | None) -> TerminalError:
    """The error with which resolving ends."""
    with pytest.raises(TerminalError) as caught:
        resolve(run, actor, SETTINGS)
    return caught.value


def resolved(run: RunView, actor: ActorView | None = None) -> Resolved:
    return resolve(run, actor or an_actor(), SETTINGS).resolved


# The Actor


def test_a_plain_name_is_an_actor_of_the_runs_own_namespace() -> None:
    assert actor_reference(a_run(actor="greeter")) == ("team", "greeter")


def test_a_name_with_a_slash_is_an_actor_of_that_namespace() -> None:
    assert actor_reference(a_run(actor=FOREIGN)) == ("owner", "greeter")


def test_an_actor_that_does_not_exist_is_said_with_name_and_namespace() -> None:
    error = refusal(a_run(actor="greeter"), None)

    assert error.reason == Reason.ACTOR_NOT_FOUND
    assert 'no Actor "greeter" in namespace "team"' in str(error)


def test_a_private_actor_of_another_namespace_looks_like_one_that_does_not_exist() -> None:
    private = refusal(a_run(actor=FOREIGN), an_actor(namespace="owner"))
    missing = refusal(a_run(actor=FOREIGN), None)

    assert private.reason == missing.reason == Reason.ACTOR_NOT_FOUND
    assert str(private) == str(missing)
    assert "isPublic: true" in str(private)


def test_a_public_actor_of_another_namespace_can_be_run() -> None:
    actor = an_actor(namespace="owner", is_public=True)

    assert resolved(a_run(actor=FOREIGN), actor).actor_namespace == "owner"


def test_a_private_actor_of_the_own_namespace_can_be_named_with_that_namespace() -> None:
    assert resolved(a_run(actor="team/greeter"), an_actor()).actor_namespace == "team"


def test_the_generation_of_the_actor_is_kept() -> None:
    assert resolved(a_run(), an_actor()).actor_generation == 3


# The build


@pytest.mark.parametrize(
    ("wish", "default", "tags", "build", "number"),
    [
        ("1.0.2", None, {}, "1.0.2", "1.0.2"),
        ("beta", None, {"beta": "1.0.2"}, "beta", "1.0.2"),
        ("beta", "stable", {"beta": "1.0.2", "stable": "1.0.1"}, "beta", "1.0.2"),
        (None, "beta", {"beta": "1.0.2", "stable": "1.0.1"}, "beta", "1.0.2"),
        (None, "1.0.2", {}, "1.0.2", "1.0.2"),
        (None, None, {"beta": "1.0.2", "latest": "1.0.1"}, "latest", "1.0.1"),
    ],
    ids=[
        "by number",
        "by tag",
        "the run's wish before the Actor's default",
        "the Actor's default before the settings'",
        "the Actor's default may be a number",
        "the settings' default in the end",
    ],
)
def test_the_build_is_found(
    wish: str | None, default: str | None, tags: dict[str, str], build: str, number: str
) -> None:
    actor = an_actor(
        builds=TWO_BUILDS,
        tagged_builds=tags,
        default_run_options=DefaultRunOptions(build=default),
    )

    found = resolved(a_run(build=wish), actor)

    assert (found.build, found.build_number) == (build, number)
    assert found.image == {b.number: b.image for b in TWO_BUILDS}[number]


@pytest.mark.parametrize(
    ("wish", "tags"),
    [("9.9.9", {"beta": "1.0.2"}), ("gone", {"beta": "1.0.2"}), ("beta", {"beta": "9.9.9"})],
    ids=["unknown number", "unknown tag", "tag of a build that is gone"],
)
def test_a_build_that_does_not_exist_is_said_with_those_that_do(
    wish: str, tags: dict[str, str]
) -> None:
    error = refusal(a_run(build=wish), an_actor(builds=TWO_BUILDS, tagged_builds=tags))

    assert error.reason == Reason.BUILD_NOT_FOUND
    assert f'the tag or number "{wish}"' in str(error)
    assert "the tags beta and the builds 1.0.1, 1.0.2" in str(error)


def test_an_actor_without_builds_says_none() -> None:
    error = refusal(a_run(build="x"), an_actor(builds=(), tagged_builds={}))

    assert "the tags none and the builds none" in str(error)


# Options


@pytest.mark.parametrize(
    ("run", "actor", "memory"),
    [(512, 2048, 512), (None, 2048, 2048), (None, None, 256)],
    ids=["the run's", "the Actor's", "the settings'"],
)
def test_the_nearest_memory_holds(run: int | None, actor: int | None, memory: int) -> None:
    options = DefaultRunOptions(memory_mbytes=actor)
    found = resolved(a_run(memory_mbytes=run), an_actor(default_run_options=options))

    assert found.memory_mbytes == memory


@pytest.mark.parametrize(
    ("run", "actor", "timeout"),
    [(0, 30, 0), (10, 30, 10), (None, 0, 0), (None, 30, 30), (None, None, 77)],
    ids=["the run's 0 is a wish", "the run's", "the Actor's 0", "the Actor's", "the settings'"],
)
def test_the_nearest_timeout_holds(run: int | None, actor: int | None, timeout: int) -> None:
    options = DefaultRunOptions(timeout_secs=actor)
    found = resolved(a_run(timeout_secs=run), an_actor(default_run_options=options))

    assert found.timeout_secs == timeout


@pytest.mark.parametrize(
    ("run", "actor", "restarts"),
    [(False, True, False), (True, None, True), (None, True, True), (None, None, False)],
)
def test_the_nearest_restart_on_error_holds(
    *, run: bool | None, actor: bool | None, restarts: bool
) -> None:
    options = DefaultRunOptions(restart_on_error=actor)
    resolution = resolve(
        a_run(restart_on_error=run), an_actor(default_run_options=options), SETTINGS
    )

    assert resolution.resolved.restart_on_error is restarts


# Later pods and attempts


def test_an_attempt_keeps_what_it_began_with_whatever_becomes_of_the_actor() -> None:
    kept = Options("latest", 2048, 30, 4096, "500m", restart_on_error=True, max_items=5)
    status = RunStatus(options=kept, build_number="1.0.1", image=f"{IMAGE}@sha256:1")
    actor = an_actor(
        builds=[Build("1.0.1", IMAGE), Build("2.0.1", "registry.example/new")],
        tagged_builds={"latest": "2.0.1"},
        default_run_options=DefaultRunOptions(memory_mbytes=512, timeout_secs=1),
    )
    found = resolved(a_run(status=status), actor)

    assert (found.build, found.build_number, found.image) == ("latest", "1.0.1", status.image)
    assert found.options() == kept


def test_a_resurrection_may_ask_for_other_options() -> None:
    kept = Options("latest", 2048, 30, 4096, "500m", max_items=5)
    wish = ResurrectRequest(2, "2.0.1", 512, 0, restart_on_error=True, limits=RunLimits(7))
    status = RunStatus(attempt=2, options=kept, image=IMAGE)
    actor = an_actor(builds=[Build("1.0.1", IMAGE), Build("2.0.1", "registry.example/new")])
    found = resolved(a_run(status=status, resurrect=wish), actor)

    assert (found.build, found.build_number) == ("2.0.1", "2.0.1")
    assert found.image == "registry.example/new"
    assert (found.memory_mbytes, found.timeout_secs) == (512, 0)
    assert (found.restart_on_error, found.limits) == (True, RunLimits(7))


def test_a_request_of_an_earlier_resurrection_says_nothing_of_this_attempt() -> None:
    kept = Options("latest", 2048, 30, 4096, "500m")
    status = RunStatus(attempt=3, options=kept, build_number="1.0.1", image=IMAGE)
    found = resolved(a_run(status=status, resurrect=ResurrectRequest(2, memory_mbytes=512)))

    assert found.memory_mbytes == 2048


# The port


def port_of(**actor: Any) -> int:
    return resolve(a_run(), an_actor(**actor), SETTINGS).port


def test_the_port_is_apifys_when_nobody_names_one() -> None:
    assert port_of() == 4321


def test_the_actor_names_its_port() -> None:
    assert port_of(web_server=WebServer(port=6006)) == 6006


@pytest.mark.parametrize("name", ["ACTOR_WEB_SERVER_PORT", "APIFY_CONTAINER_PORT"])
def test_a_variable_changes_the_port_in_either_spelling(name: str) -> None:
    assert port_of(env={name: "7007"}, web_server=WebServer(port=6006)) == 7007


def test_the_builds_variable_holds_before_the_actors_also_in_the_other_spelling() -> None:
    ports = {"env": {"ACTOR_WEB_SERVER_PORT": "7007"}}

    assert port_of(**ports, build_env={"APIFY_CONTAINER_PORT": "8008"}) == 8008


def test_a_port_that_is_no_number_is_passed_over() -> None:
    assert port_of(env={"ACTOR_WEB_SERVER_PORT": "http"}) == 4321


# Secrets


def test_pull_secrets_are_the_actors_and_the_settings() -> None:
    actor = an_actor(image_pull_secrets=("theirs",))

    assert resolve(a_run(), actor, SETTINGS).pull_secrets == ("theirs", "ours")


def test_a_pull_secret_that_both_name_is_named_once() -> None:
    actor = an_actor(image_pull_secrets=("ours", "theirs"))

    assert resolve(a_run(), actor, SETTINGS).pull_secrets == ("ours", "theirs")


@pytest.mark.parametrize("where", ["env", "build_env"])
def test_a_foreign_actor_that_needs_secrets_cannot_be_run(where: str) -> None:
    needs: dict[str, Any] = {where: {"TOKEN": SecretKeyRef("s", "k")}}
    actor = an_actor(namespace="owner", is_public=True, **needs)

    error = refusal(a_run(actor=FOREIGN), actor)

    assert error.reason == Reason.ACTOR_SECRETS_UNAVAILABLE
    assert "takes TOKEN from Secrets" in str(error)


def test_a_foreign_actor_with_pull_secrets_cannot_be_run() -> None:
    actor = an_actor(namespace="owner", is_public=True, image_pull_secrets=("theirs",))

    error = refusal(a_run(actor=FOREIGN), actor)

    assert error.reason == Reason.ACTOR_SECRETS_UNAVAILABLE
    assert "imagePullSecrets" in str(error)


def test_a_secret_that_the_build_replaces_by_a_literal_is_not_needed() -> None:
    actor = an_actor(
        namespace="owner",
        is_public=True,
        env={"TOKEN": SecretKeyRef("s", "k")},
        build_env={"TOKEN": "public"},
    )

    resolution: Resolution = resolve(a_run(actor=FOREIGN), actor, SETTINGS)

    assert resolution.variables["TOKEN"].value == "public"


# What is kept on the pod


def test_what_was_resolved_can_be_read_back_from_the_annotation() -> None:
    text = (
        '{"actorNamespace":"team","actorGeneration":3,"build":"latest","buildNumber":"1.0.1",'
        f'"image":"{IMAGE}","memoryMbytes":1024,"timeoutSecs":60}}'
    )

    assert read_resolved(text) == a_resolved()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"build": 3}', "null"])
def test_an_annotation_that_someone_has_spoilt_is_none(text: str) -> None:
    assert read_resolved(text) is None


def test_options_are_all_derived_from_the_memory() -> None:
    assert a_resolved(memory=512, timeout=9).options() == Options("latest", 512, 9, 1024, "125m")
