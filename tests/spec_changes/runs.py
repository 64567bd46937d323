"""Chains of changes to runs: whatever is asked of one, it ends as a fresh one with its options."""

import random
from typing import Any

from tests.spec_changes.chain import Chain, Tally
from tests.spec_changes.values import ABSENT, BASES
from tests.support.attempts import ENDED
from tests.support.history import RUN, Object
from tests.support.workspace import Workspace

REQUESTS = frozenset({"abort", "resurrect", "reboot", "ttlSecondsAfterFinished"})
"""Fields that say what is asked of a run, not what it is."""

OPTIONS = ("build", "memoryMbytes", "timeoutSecs", "restartOnError", "limits")
"""Fields with which an attempt can be resurrected."""

BEGUN = frozenset({"RUNNING", *ENDED})
"""Phases of a run of which users see that it does something."""

LONG_ENOUGH = 100
"""Seconds of a timeout that does not come before the end, on a busy machine, after reboots."""


def run_chain(place: Workspace, name: str, rng: random.Random, tally: Tally, length: int) -> None:
    """Make a run, change it so often, and compare it with a fresh one."""
    chain = Chain(place, "actorruns", name, rng, tally)
    chain.spec = BASES["actorruns"]
    wanted = chain.any_change() if rng.random() < 0.7 else chain.spec
    if not (chain.make(wanted) or chain.make(BASES["actorruns"])):
        return
    made = _plain(chain.spec)
    aborted = _change(chain, made, length)
    chain.wait("has come to rest", lambda: _rests(chain))
    end = place.status(name)
    chain.blame(end)
    if aborted or not end:  # it may have been asked to go soon after its end
        return
    fresh = f"{name}-fresh"
    chain.make_fresh(fresh, made)
    chain.wait("a fresh one ends", lambda: place.phase(fresh) in ENDED)
    chain.compare(_end(end), _end(place.status(fresh)))


def _change(chain: Chain, made: dict[str, Any], length: int) -> bool:
    """Change a run; what holds for its last attempt goes into `made`. Returns whether it ends."""
    place, rng, aborted = chain.place, chain.rng, False
    for _ in range(length):
        if rng.random() < 0.5:
            chain.wait("runs", lambda: place.phase(chain.name) in BEGUN or _is_gone(chain))
        before, status = chain.spec, place.status(chain.name)
        wanted = _asked(chain, status) if rng.random() < 0.6 else chain.any_change()
        if not chain.change(wanted):
            continue
        aborted = aborted or chain.spec.get("abort") != before.get("abort")
        again = chain.spec.get("resurrect")
        if again is not None and again != before.get("resurrect"):
            if not status.get("options"):
                # An attempt whose options were never found out leaves none to the next one.
                made.clear()
                made |= _plain(chain.spec)
            made |= {key: again[key] for key in OPTIONS if key in again}
            aborted = False
    return aborted


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec without what is asked of its run."""
    return {key: value for key, value in spec.items() if key not in REQUESTS}


def _asked(chain: Chain, status: Object) -> dict[str, Any]:
    """The spec with a request of a user who knows, more or less, how the run is."""
    rng, attempt = chain.rng, status.get("attempt", 1)
    number = attempt + rng.choice((0, 0, 0, 1, -1))
    following = attempt + rng.choice((1, 1, 1, 0, 2))
    option = rng.choice(
        (
            {},
            {"memoryMbytes": rng.choice((128, 512, 1000))},
            {"timeoutSecs": rng.choice((300, 0, -1))},
            {"build": rng.choice(("latest", "1.0.1", "beta", "9.9.9"))},
            {"restartOnError": rng.choice((True, False))},
            {"limits": {"maxItems": 1}},
        )
    )
    count = (status.get("stats") or {}).get("rebootCount", 0) + rng.choice((1, 1, 0, 2))
    name, value = rng.choice(
        (
            ("abort", {"attempt": number, "mode": rng.choice(("Immediate", "Graceful"))}),
            ("abort", ABSENT),
            ("resurrect", {"attempt": following, **option}),
            ("resurrect", {"attempt": following, **option}),
            ("resurrect", {"attempt": following, **option}),
            ("reboot", {"attempt": number, "count": count}),
            ("ttlSecondsAfterFinished", rng.choice((0, 3600, 3600, ABSENT))),
        )
    )
    spec = {key: old for key, old in chain.spec.items() if key != name}
    return spec if value is ABSENT else {**spec, name: value}


def _rests(chain: Chain) -> bool:
    """Whether a run has ended, and its operator has nothing more to do; or it is gone."""
    if _is_gone(chain):
        return True
    status = chain.place.status(chain.name)
    wanted = (chain.spec.get("resurrect") or {}).get("attempt", 1)
    done = status.get("finished") and not status.get("cleanup")
    followed = status.get("observedGeneration") == chain.generation
    return bool(done and followed and status.get("attempt", 1) >= wanted)


def _is_gone(chain: Chain) -> bool:
    """Whether a run was removed after its time."""
    found = chain.place.recorder.find(RUN, chain.place.namespace, chain.name)
    chain.seen = chain.seen or found is not None
    return chain.seen and found is None


def _end(status: Object) -> Object:
    """What must be the same of two runs."""
    failure = (status.get("failure") or {}).get("reason")
    verdict = {"failure": failure, **{k: status.get(k) for k in ("phase", "exitCode")}}
    if status.get("buildNumber") is None:
        return verdict  # what an earlier attempt had is told on, a fresh run has had nothing
    options = status.get("options") or {}
    end = {"options": options, **{k: status.get(k) for k in ("buildNumber", "actorNamespace")}}
    return end if 0 < options.get("timeoutSecs", 0) < LONG_ENOUGH else {**end, **verdict}
