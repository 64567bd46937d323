"""The invariants of URLs catch their violations in hand-made histories, and let good ones pass."""

from typing import Any

import pytest
from tests.support.history import ADDED, DELETED, HTTP_ROUTE, INGRESS, MODIFIED, SERVICE
from tests.support.invariants import violations
from tests.unit.support.histories import (
    HOST,
    START,
    URL,
    Story,
    plain,
    reachable,
    running,
    taken_down,
)

OTHER = {"rules": [{"host": "elsewhere.example"}]}
"""Specification of an Ingress that leads from another host."""

GUESSED = "1.runs.example"
"""A host that everybody can guess."""


def ended() -> Story:
    """A run that has ended and left its Service and route behind."""
    story = reachable().pod("Succeeded", exitCode=0, reason="Completed").secret(DELETED)
    return story.end("SUCCEEDED", exitCode=0, **URL)


def later(story: Story, seconds: float = 31) -> Story:
    """The same, listened to for some time more."""
    return story.wait(seconds).event("later", "Later")


def goes_on(seconds: float) -> Story:
    """A run that has ended, left its route, and begins again after some time."""
    story = ended().pod("Succeeded", DELETED, exitCode=0, reason="Completed")
    story.wait(seconds).run("READY", attempt=2, stats={"resurrectCount": 1}, **URL)
    return later(story)


def two_runs(host: str) -> Story:
    """A run that runs, and another one of its namespace with a host."""
    body: dict[str, Any] = {
        "metadata": {"name": "other"},
        "spec": {"actor": "greeter"},
        "status": {"phase": "READY", "attempt": 1, "containerUrl": f"https://{host}/"},
    }
    return reachable().tell("ActorRun", ADDED, "other-uid", body)


GOOD = {
    "a run that succeeds": later(taken_down()),
    "a run whose Service is made again": reachable()
    .web_object(SERVICE, DELETED)
    .web_object(SERVICE, uid="another"),
    "a run with an HTTPRoute": reachable()
    .web_object(INGRESS, DELETED)
    .web_object(HTTP_ROUTE, spec={"hostnames": [HOST], "rules": [{"matches": []}]}),
    "a route that is put right soon": reachable()
    .web_object(INGRESS, MODIFIED, spec=OTHER)
    .wait(8)
    .web_object(INGRESS, MODIFIED),
    "a route that is hidden and found again": reachable()
    .web_object(INGRESS, DELETED)
    .web_object(INGRESS, ADDED),
    "what is left for a moment": later(ended(), 20)
    .web_object(INGRESS, DELETED)
    .web_object(SERVICE, DELETED)
    .wait(60)
    .event("later", "Later"),
    "a run that begins again at once": goes_on(5),
    "two runs with a host each": two_runs("b" * 26 + ".runs.example"),
    "a run that is gone with all it had": later(
        taken_down().pod("Succeeded", DELETED, exitCode=0).delete_run()
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_wrong_with(name: str) -> None:
    assert violations(GOOD[name].history) == []


BAD = {
    "a Service of another owner": ("I2", running().web_object(SERVICE, ownerReferences=[])),
    "a route of another name": ("I2", running().web_object(INGRESS, name="mine")),
    "a Service with a pod's name": ("I2", running().web_object(SERVICE, name="hello-abcd-1")),
    "a route that is made after the deletion": (
        "I12",
        Story().run("READY").delete_run().wait(60).web_object(INGRESS),
    ),
    "a Service that outlives its run": (
        "I12",
        later(reachable().web_object(INGRESS, DELETED).delete_run(), 90),
    ),
    "a route half a minute after the end": ("I20", later(ended().web_object(SERVICE, DELETED))),
    "a Service half a minute after the end": ("I20", later(ended().web_object(INGRESS, DELETED))),
    "a route that is left until the next attempt": ("I20", goes_on(40)),
    "two Services": ("I27", reachable().web_object(SERVICE, uid="x")),
    "an Ingress beside an HTTPRoute": (
        "I27",
        reachable().web_object(HTTP_ROUTE, spec={"hostnames": [HOST]}),
    ),
    "a URL that changes": ("I27", reachable().run("RUNNING", startedAt=START, containerUrl="x")),
    "a URL that goes": ("I27", reachable().run("RUNNING", startedAt=START, migrations=1)),
    "a route for another host": (
        "I27",
        running().web_object(INGRESS, spec=OTHER).run("RUNNING", startedAt=START, **URL),
    ),
    "a route that leads elsewhere too long": (
        "I27",
        later(reachable().web_object(INGRESS, MODIFIED, spec=OTHER), 20),
    ),
    "a route that is put right too late": (
        "I27",
        reachable()
        .web_object(INGRESS, MODIFIED, spec=OTHER)
        .wait(11)
        .web_object(INGRESS, MODIFIED),
    ),
    "two runs of one host": ("I27", two_runs(HOST)),
    "a host that can be guessed": ("I27", two_runs(GUESSED)),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_seen(name: str) -> None:
    number, story = BAD[name]

    found = violations(story.history)
    assert {text.partition(" ")[0] for text in found} == {number}, found


def test_a_recording_of_runs_without_urls_is_judged_as_ever() -> None:
    assert violations(later(plain()).history) == []
