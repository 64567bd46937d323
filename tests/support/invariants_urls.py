"""Invariants of the URLs of runs: one Service and one route each, that lead to it and nowhere else.

Whose they are, and that they go with their run, is told beside its other children.
"""

import itertools
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.support.attempts import attempts, say
from tests.support.history import (
    HTTP_ROUTE,
    INGRESS,
    RUN,
    SERVICE,
    History,
    Life,
    Object,
    Revision,
    status_of,
)

ROUTES = (INGRESS, HTTP_ROUTE)
"""Kinds that lead hosts to Services."""

KINDS = (SERVICE, *ROUTES)
"""Kinds of which a run that has a URL owns one object each; of routes only one kind."""

LABEL = r"[a-z2-7]{26}"
"""The first part of a run's host: 130 bits."""

LEFT_SECONDS = 30.0
"""How long after a run's end something that leads to it may be there."""

REPAIR_SECONDS = 10.0
"""How long a route that somebody has changed may lead elsewhere."""


def urls_are_kept(history: History) -> list[str]:
    """I27: a URL that was told once is the run's for ever."""
    return [
        say("I27", after, f"its URL changed from {_url(before)}")
        for life in history.objects(RUN)
        for before, after in itertools.pairwise(life)
        if _url(before) and _url(before) != _url(after)
    ]


def one_route_at_a_time(history: History) -> list[str]:
    """I27: at each revision a run has at most one Service and one route."""
    found = []
    for run in history.objects(RUN):
        for kinds in ((SERVICE,), ROUTES):
            lives = [life for kind in kinds for life in history.children(kind, run[0].uid)]
            there: set[str] = set()
            for revision in _in_order(lives):
                (there.discard if revision.gone else there.add)(revision.uid)
                if len(there) > 1:
                    found.append(say("I27", revision, f"{len(there)} of one run"))
    return found


def routes_lead_to_their_run(history: History) -> list[str]:
    """I27: a route has the host of its run's URL; another one is put right soon."""
    found = []
    for run in history.objects(RUN):
        host = urlsplit(_url(run[-1])).hostname
        if host is None:
            continue
        for kind in ROUTES:
            for life in history.children(kind, run[0].uid):
                if hosts_of(life[0].object) != [host]:
                    found.append(say("I27", life[0], f"made for another host than {host}"))
                found += [
                    say("I27", revision, f"leads elsewhere for {seconds:.0f} s")
                    for revision, seconds in _elsewhere(history, life, host)
                    if seconds > REPAIR_SECONDS
                ]
    return found


def _elsewhere(history: History, life: Life, host: str) -> Iterator[tuple[Revision, float]]:
    """When a route began to have other hosts, and for how many seconds it had them."""
    began: Revision | None = None
    for revision in life:
        wrong = not revision.gone and hosts_of(revision.object) != [host]
        if wrong:
            began = began or revision
        elif began is not None:
            yield began, revision.at - began.at
            began = None
    if began is not None:
        yield began, history.ended_at - began.at


def hosts_are_not_shared(history: History) -> list[str]:
    """I27: no host is of two runs, and none can be guessed."""
    found = []
    owners: dict[str, str] = {}
    for run in history.objects(RUN):
        host = urlsplit(_url(run[-1])).hostname
        if host is None:
            continue
        if owners.setdefault(host, run[0].uid) != run[0].uid:
            found.append(say("I27", run[-1], f"another run has the host {host}"))
        if not re.fullmatch(LABEL, host.partition(".")[0]):
            found.append(say("I27", run[-1], f"{host} does not begin with 26 symbols"))
    return found


def no_route_of_a_finished_run(history: History) -> list[str]:
    """I20: half a minute after an attempt's end nothing leads to the run, unless it goes on."""
    found = []
    for attempt in attempts(history):
        end = attempt.end
        moment = end.at + LEFT_SECONDS if end else 0.0
        if end is None or moment > history.ended_at or attempt.revisions[-1].gone:
            continue
        if _goes_on(history, end, moment):
            continue
        for kind in KINDS:
            for life in history.children(kind, end.uid):
                if _is_there(life, moment):
                    text = f"has ended, and {kind} {life[0].name} is there {LEFT_SECONDS:g} s later"
                    found.append(say("I20", end, text))
    return found


def _goes_on(history: History, end: Revision, moment: float) -> bool:
    """Whether a run began its next attempt before a moment."""
    later = (r for life in history.objects(RUN) for r in life if r.uid == end.uid)
    status = [status_of(r.object) for r in later if end.number < r.number and r.at <= moment]
    return any(not one.get("finished") for one in status)


def _is_there(life: Life, moment: float) -> bool:
    """Whether an object is there at a moment."""
    before = [revision for revision in life if revision.at <= moment]
    return bool(before) and not before[-1].gone


def hosts_of(route: Object) -> list[str]:
    """The hosts of an Ingress or HTTPRoute."""
    spec = route["spec"]
    return [*spec.get("hostnames", ()), *(r.get("host", "") for r in _rules(spec))]


def _rules(spec: Object) -> list[Object]:
    """The rules of an Ingress; those of an HTTPRoute have no hosts."""
    return [] if "hostnames" in spec else list(spec.get("rules") or ())


def _url(run: Revision) -> str:
    return str(status_of(run.object).get("containerUrl", ""))


def _in_order(lives: list[Life]) -> Life:
    return sorted((r for life in lives for r in life), key=lambda revision: revision.number)
