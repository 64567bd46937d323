"""Requests of the operator have the same name in every run of a plan."""

import pytest
from tests.faults.points import Pattern, asked_of

RUNS = "/apis/actor-operator.dev/v1alpha1/namespaces/team-7/actorruns"
PODS = "/api/v1/namespaces/team-7/pods"


def named(name: str) -> bytes:
    return f'{{"metadata":{{"name":"{name}"}}}}'.encode()


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", PODS, named("subject-x2zb-1"), "create pods subject-1"),
        ("DELETE", f"{PODS}/subject-x2zb-2", b"", "delete pods subject-2"),
        (
            "POST",
            "/api/v1/namespaces/team-7/secrets",
            named("subject-x2zb-1-abcdefghijklmnop"),
            "create secrets subject-1-env",
        ),
        ("POST", "/api/v1/namespaces/a/services", named("a-b-x2zb"), "create services a-b"),
        ("PUT", f"{RUNS}/subject/status", b"{}", "update actorruns/status subject"),
        ("DELETE", f"{RUNS}/subject", b"", "delete actorruns subject"),
        ("GET", RUNS, b"", "list actorruns "),
        ("GET", f"{RUNS}/subject", b"", "get actorruns subject"),
        ("GET", "/api/v1/namespaces/team-7", b"", "get namespaces namespace"),
        (
            "PUT",
            "/apis/actor-operator.dev/v1alpha1/actoraccounts/team-7/status",
            b"{}",
            "update actoraccounts/status namespace",
        ),
        (
            "POST",
            "/apis/events.k8s.io/v1/namespaces/team-7/events",
            named("subject.9f9faee5ea53238a"),
            "create events subject",
        ),
        ("GET", "/version", b"", "get  /version"),
    ],
)
def test_a_request_is_named_without_what_varies(
    method: str, path: str, body: bytes, expected: str
) -> None:
    assert str(asked_of(method, path, {}, body)) == expected


def test_a_watch_is_no_list() -> None:
    assert asked_of("GET", RUNS, {"watch": "1"}, b"").verb == "watch"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("create pods subject-1 #2", True),
        ("create pods", True),
        ("work", True),
        ("write", True),
        ("*", True),
        ("read", False),
        ("delete pods subject-1", False),
        ("create pods subject-2", False),
        ("create secrets subject-1", False),
    ],
)
def test_a_pattern_takes_what_it_names(pattern: str, *, matches: bool) -> None:
    asked = asked_of("POST", PODS, {}, named("subject-x2zb-1"))

    assert Pattern.parse(pattern).matches(asked) is matches


def test_leases_and_events_are_no_work() -> None:
    for kind in (
        "coordination.k8s.io/v1/namespaces/a/leases",
        "events.k8s.io/v1/namespaces/a/events",
    ):
        asked = asked_of("POST", f"/apis/{kind}", {}, named("it.1"))

        assert asked.is_write
        assert not asked.is_work


def test_what_is_no_point_is_refused() -> None:
    with pytest.raises(ValueError, match="no point"):
        Pattern.parse("create pods subject-1 twice")
