"""Chains of changes to Actors and accounts: what they do to runs is what fresh ones do."""

import random
from typing import Any

from tests.spec_changes.chain import SECONDS, Chain, Tally
from tests.spec_changes.values import BASES
from tests.support.history import ACCOUNT, ACTOR, Object, status_of
from tests.support.workspace import Workspace

SMALL: dict[str, Any] = {
    "memoryMbytes": 128,
    "timeoutSecs": 60,
    "whenMemoryExceeded": "Reject",
    "ttlSecondsAfterFinished": 3600,
}
"""A run that any account with room takes."""

USED = ("memoryUsedMbytes", "liveRuns", "waitingRuns")
"""What an account says of its runs, not of its spec."""


def actor_chain(place: Workspace, name: str, rng: random.Random, tally: Tally, length: int) -> None:
    """Make an Actor, change it so often, and compare it and a run of it with a fresh one's."""
    chain = Chain(place, "actors", name, rng, tally)
    chain.make(BASES["actors"])
    for _ in range(length):
        chain.change(_new_build(chain) if rng.random() < 0.4 else chain.any_change())
    fresh = f"{name}-fresh"
    chain.make_fresh(fresh, chain.spec)
    ends = []
    for actor in (name, fresh):
        _wait_judged(chain, ACTOR, place.namespace, actor)
        run = place.run(f"of-{actor}", actor, timeoutSecs=60)
        chain.blame(place.wait(run, seconds=SECONDS))
        ends.append({**_verdict(place.status(run)), **_judged(place, ACTOR, actor)})
    chain.compare(*ends)


def account_chain(places: list[Workspace], rng: random.Random, tally: Tally, length: int) -> None:
    """Change the limits of one account so often, and compare it with a fresh one of another."""
    place, other = places
    chain = Chain(place, "actoraccounts", place.namespace, rng, tally)
    chain.make(BASES["actoraccounts"])
    for _ in range(length):
        chain.change(chain.any_change())
    chain.make_fresh(other.namespace, chain.spec)
    ends = []
    for each in places:
        _wait_judged(chain, ACCOUNT, each.namespace, each.namespace)
        run = each.run("small", **SMALL)
        chain.blame(each.wait(run, seconds=SECONDS))
        ends.append({**_verdict(each.status(run)), **_judged(each, ACCOUNT, each.namespace)})
    chain.compare(*ends)


def _new_build(chain: Chain) -> dict[str, Any]:
    """The spec as its owner changes it when there is a new build, or an old one goes."""
    rng, spec = chain.rng, chain.spec
    builds, tags = list(spec["builds"]), dict(spec.get("taggedBuilds", {}))
    if rng.random() < 0.6:
        number = f"1.{rng.randrange(3)}.{rng.randrange(9)}"
        image = rng.choice(("simulate-0.3s", "simulate-0.3s-exit-1"))
        builds.append({"number": number, "image": f"registry.example/actor:{image}"})
        tags[rng.choice(("latest", "beta", "next"))] = number
    else:
        builds.pop(rng.randrange(len(builds)))
    return {**spec, "builds": builds, "taggedBuilds": tags}


def _wait_judged(chain: Chain, kind: str, namespace: str, name: str) -> None:
    """Wait until the operator has judged the last generation of an object."""

    def judged() -> bool:
        found = chain.place.recorder.find(kind, namespace, name)
        if found is None:
            return False
        last = chain.generation if name == chain.name else found["metadata"]["generation"]
        return bool(status_of(found).get("observedGeneration") == last)

    chain.wait(f"{name} is judged", judged)


def _judged(place: Workspace, kind: str, name: str) -> Object:
    """What the operator says of an object's spec."""
    status = status_of(place.recorder.find(kind, place.namespace, name) or {})
    conditions = [
        [condition[key] for key in ("type", "status", "reason", "message")]
        for condition in status.get("conditions") or ()
    ]
    left_out = {*USED, "observedGeneration"}
    limits = {key: value for key, value in status.items() if key not in left_out}
    return {**limits, "conditions": conditions}


def _verdict(status: Object) -> Object:
    """How a run ended."""
    failure = (status.get("failure") or {}).get("reason")
    told = ("phase", "exitCode", "options", "buildNumber", "image")
    return {**{key: status.get(key) for key in told}, "failure": failure}
