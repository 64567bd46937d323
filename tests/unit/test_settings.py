"""Settings: where they come from, and how mistakes are told."""

import os
from pathlib import Path

import pytest

from actor_operator.errors import ConfigurationError
from actor_operator.settings import Settings, load_settings
from actor_operator.settings_pod import SecurityProfile, Toleration


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ACTOR_OPERATOR_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def load(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def mistake(file: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(file, text)
    return str(caught.value)


# Where they come from


def test_without_file_and_environment_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings == Settings()
    assert (settings.defaults.memory_mbytes, settings.defaults.timeout_secs) == (1024, 3600)
    assert settings.lease.duration_seconds == 15


def test_an_empty_file_is_one_of_defaults(file: Path) -> None:
    assert load(file, "") == Settings()
    assert load(file, "# nothing but words\n") == Settings()


def test_a_file_is_read_with_the_names_of_the_chart(file: Path) -> None:
    settings = load(
        file,
        "defaults: {memoryMbytes: 256}\n"
        "pod:\n"
        "  securityProfile: restricted\n"
        "  cpuRequestFraction: 0.1\n"
        "  tolerations: [{key: spot, operator: Exists, tolerationSeconds: 60}]\n",
    )

    assert settings.defaults.memory_mbytes == 256
    assert settings.pod.security_profile is SecurityProfile.RESTRICTED
    assert settings.pod.tolerations == (
        Toleration(key="spot", operator="Exists", toleration_seconds=60),
    )


@pytest.mark.parametrize(
    "name", ["ACTOR_OPERATOR_LEASE__DURATION_SECONDS", "actor_operator_lease__duration_seconds"]
)
def test_the_environment_wins_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "30")
    settings = load(file, "lease: {durationSeconds: 20, retrySeconds: 1}")

    assert settings.lease.duration_seconds == 30
    assert settings.lease.retry_seconds == 1


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("ACTOR_OPERATOR_ENGINE__WORKERS", "5", "engine: {workers: 6}"),
        ("ACTOR_OPERATOR_POD__NODE_SELECTOR", '{"a_b":"c"}', "pod: {nodeSelector: {a_b: d}}"),
        ("ACTOR_OPERATOR_NAMESPACE", "theirs", "namespace: ours"),
        ("ACTOR_OPERATOR_NAMESPACES", '["team-a","team-b"]', "namespaces: [ours]"),
        ("ACTOR_OPERATOR_DEFAULTS__MEMORYMBYTES", "256", "defaults: {memoryMbytes: 512}"),
    ],
)
def test_the_environment_wins_over_the_same_setting_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    before = load(file, text)
    monkeypatch.setenv(name, value)

    after = load(file, text).model_dump_json()
    assert value in after
    assert after != before.model_dump_json()


def test_a_setting_of_the_top_level_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_NAMESPACE", "elsewhere")

    assert load_settings().namespace == "elsewhere"


@pytest.mark.parametrize("name", ["NAMESPACE", "LOG", "POD", "LEASE__DURATION_SECONDS", "DEFAULTS"])
def test_variables_without_our_prefix_are_not_ours(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "77")

    assert load_settings() == Settings()


@pytest.mark.parametrize(
    "name",
    [
        "ACTOR_OPERATOR_PORT",
        "ACTOR_OPERATOR_SERVICE_HOST",
        "ACTOR_OPERATOR_PORT_9090_TCP_ADDR",
        "ACTOR_OPERATOR_METRICS_SERVICE_PORT",
    ],
)
def test_variables_that_kubernetes_makes_of_a_service_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:9090")

    assert load_settings() == Settings()


# Mistakes

MISTAKES = [
    pytest.param("leese: {}", ["leese", "did you mean lease?"], id="a group that does not exist"),
    pytest.param(
        "lease: {durationSecond: 9}",
        ["lease.durationSecond", "did you mean durationSeconds?"],
        id="a key that does not exist",
    ),
    pytest.param("zzzz: 1", ["zzzz", "known here:", "lease"], id="a key like no other"),
    pytest.param(
        "pod: {tolerations: [{kee: a}]}", ["kee", "did you mean key?"], id="a key in a list"
    ),
    pytest.param("engine: {workers: 0}", ["engine.workers", "got 0"], id="a number out of bounds"),
    pytest.param("engine: {workers: many}", ["engine.workers", "'many'"], id="no number"),
    pytest.param(
        "defaults: {memoryMbytes: 1000}",
        ["memoryMbytes must be one of 128, 256"],
        id="a memory that is no step",
    ),
    pytest.param(
        "lease: {durationSeconds: 15.9}",
        ["lease.durationSeconds", "integer"],
        id="part of a second, which a Lease does not have",
    ),
    pytest.param(
        "lease: {durationSeconds: 5}",
        ["renewDeadlineSeconds", "must be less than durationSeconds"],
        id="a lease that ends before it is renewed",
    ),
    pytest.param(
        "lease: {retrySeconds: 10}",
        ["retrySeconds must be less than renewDeadlineSeconds"],
        id="a lease that is never tried in time",
    ),
    pytest.param("pod: {securityProfile: root}", ["pod.securityProfile"], id="an unknown profile"),
    pytest.param("namespace: Not_A_Name", ["namespace"], id="no name of Kubernetes"),
    pytest.param("namespaces: [team.a]", ["namespaces.0"], id="no name of a namespace"),
    pytest.param("namespaces: [a, b, a]", ["each namespace is named once"], id="one named twice"),
    pytest.param(
        "retention: {gitopsMarkers: [a b]}", ["retention.gitopsMarkers.0"], id="no marker"
    ),
    pytest.param(
        "retention: {ttlSecondsAfterFinished: -1}",
        ["retention.ttlSecondsAfterFinished"],
        id="a time to live before the end",
    ),
    pytest.param('defaults: {build: ""}', ["defaults.build"], id="a build without a name"),
    pytest.param("pod: {nodeSelector: {a b: c}}", ["pod.nodeSelector"], id="no key of a label"),
    pytest.param("pod: {nodeSelector: {a: b c}}", ["pod.nodeSelector"], id="no value of a label"),
    pytest.param(
        "engine: {silenceSeconds: 3}",
        ["engine.silenceSeconds", "greater than or equal to 4"],
        id="a silence that no watch outlives",
    ),
    pytest.param("[1, 2]", ["must hold a mapping"], id="a list"),
    pytest.param("1: 2", ["must hold a mapping"], id="keys that are no names"),
    pytest.param("a: [", ["not valid YAML"], id="no YAML"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_mistake(file: Path, text: str, words: list[str]) -> None:
    message = mistake(file, text)

    assert [word for word in words if word not in message] == []
    assert "\n" not in message or "YAML" in message


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    message = mistake(file, "leese: {}\nengine: {workers: 0}")

    assert "leese" in message
    assert "engine.workers" in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml cannot be read: No such file"):
        load_settings(tmp_path / "absent.yaml")


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\xff")

    with pytest.raises(ConfigurationError, match=r"settings\.yaml is not valid YAML"):
        load_settings(file)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ACTOR_OPERATOR_LEESE__NAME", "x", "did you mean lease?"),
        ("ACTOR_OPERATOR_QQQ__NAME", "x", "known: "),
        ("ACTOR_OPERATOR_LEASE__NAMEE", "x", "did you mean name?"),
        ("ACTOR_OPERATOR_ENGINE__WORKERS", "many", "engine.workers"),
        ("ACTOR_OPERATOR_LOG", "DEBUG", "The environment cannot be read: error parsing value"),
    ],
    ids=["group", "no group at all", "key", "value", "a value for a whole group"],
)
def test_mistakes_of_the_environment_are_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    assert words in str(caught.value)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().namespace = "x"  # type: ignore[misc]
