"""Actors, their builds and versions as Apify's objects. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from actor_operator.api.views.actor import EnvVar
from actor_operator.api.views.full_actor import FullBuild
from actor_operator.desired.names import object_id
from actor_operator.services.actor_directory import FoundActor, created_at
from actor_operator.services.run_object import build_number_int
from actor_operator.services.times import iso
from actor_operator.settings import DefaultRunSettings


@dataclass(frozen=True, slots=True)
class ActorStats:
    """What is counted of an Actor: its runs, and when the last of the caller's began."""

    total_runs: int = 0
    last_run_started_at: str | None = None


def actor_object(
    found: FoundActor, stats: ActorStats, defaults: DefaultRunSettings, *, own: bool
) -> dict[str, Any]:
    """An Actor whole.

    Parameters
    ----------
    found
        The Actor.
    stats
        What is counted of it.
    defaults
        What holds for runs where the Actor says nothing.
    own
        Whether the caller owns it: values of variables are shown to nobody else.
    """
    spec = found.actor.spec
    return {
        **actor_item(found, stats),
        "userId": object_id("user", found.actor.namespace),
        "description": spec.description,
        "isPublic": spec.is_public,
        "isDeprecated": False,
        "categories": [],
        "actorPermissionLevel": "FULL_PERMISSIONS" if own else "LIMITED_PERMISSIONS",
        "actorStandby": {"isEnabled": False},
        "versions": versions(found, own=own),
        "defaultRunOptions": default_run_options(found, defaults),
        "taggedBuilds": {
            tag: _tagged(found, number) for tag, number in sorted(spec.tagged_builds.items())
        },
    }


def actor_item(found: FoundActor, stats: ActorStats) -> dict[str, Any]:
    """An Actor as an entry of a list."""
    created = iso(created_at(found.actor))
    counted: dict[str, Any] = {
        "totalBuilds": len(found.actor.spec.builds),
        "totalRuns": stats.total_runs,
    }
    if stats.last_run_started_at is not None:
        counted["lastRunStartedAt"] = stats.last_run_started_at
    return {
        "id": found.id,
        "createdAt": created,
        # Kubernetes does not say when an object was changed last.
        "modifiedAt": created,
        "name": found.actor.name,
        "username": found.actor.namespace,
        "title": found.actor.spec.title or found.actor.name,
        "stats": counted,
    }


def default_run_options(found: FoundActor, defaults: DefaultRunSettings) -> dict[str, Any]:
    """What holds for a run that does not say otherwise."""
    options = found.actor.spec.default_run_options
    memory, seconds = options.memory_mbytes, options.timeout_secs
    return {
        "build": options.build or defaults.build,
        "timeoutSecs": defaults.timeout_secs if seconds is None else seconds,
        "memoryMbytes": defaults.memory_mbytes if memory is None else memory,
        "restartOnError": bool(options.restart_on_error),
    }


def versions(found: FoundActor, *, own: bool) -> list[dict[str, Any]]:
    """The versions of an Actor: its builds by the first two parts of their numbers."""
    builds: dict[str, FullBuild] = {}
    for build in sorted_builds(found):
        builds[version_of(build.number)] = build
    tags = {number: tag for tag, number in sorted(found.actor.spec.tagged_builds.items())}
    return [
        {
            "versionNumber": number,
            # Images are made elsewhere: there is nothing to show.
            "sourceType": "SOURCE_FILES",
            "sourceFiles": [],
            "buildTag": tags.get(build.number, ""),
            "applyEnvVarsToBuild": False,
            "envVars": [env_var(item) for item in variables(found, build)] if own else [],
        }
        for number, build in builds.items()
    ]


def variables(found: FoundActor, build: FullBuild) -> list[EnvVar]:
    """The variables of a build: the Actor's and its own."""
    return list({item.name: item for item in (*found.actor.spec.env, *build.env)}.values())


def env_var(item: EnvVar) -> dict[str, Any]:
    """A variable; the value of one from a Secret is told to nobody."""
    if item.secret_key_ref is not None:
        return {"name": item.name, "isSecret": True}
    return {"name": item.name, "value": item.value or "", "isSecret": False}


def version_of(number: str) -> str:
    """Version of a build: ``1.2.3`` → ``1.2``."""
    return number.rpartition(".")[0]


def sorted_builds(found: FoundActor) -> list[FullBuild]:
    """The builds of an Actor by number."""
    return sorted(found.actor.spec.builds, key=lambda build: build_number_int(build.number) or 0)


def build_item(found: FoundActor, build: FullBuild) -> dict[str, Any]:
    """A build as an entry of a list. It was made elsewhere: its times are those of its Actor."""
    created = iso(created_at(found.actor))
    return {
        "id": found.build_id(build.number),
        "actId": found.id,
        "userId": object_id("user", found.actor.namespace),
        "status": "SUCCEEDED",
        "startedAt": created,
        "finishedAt": created,
        "usageTotalUsd": 0,
        "buildNumber": build.number,
        "buildNumberInt": build_number_int(build.number),
        "meta": {"origin": "API"},
    }


def build_object(found: FoundActor, build: FullBuild) -> dict[str, Any]:
    """A build whole."""
    definition: dict[str, Any] = {
        "actorSpecification": 1,
        "name": found.actor.name,
        "version": version_of(build.number),
    }
    answer = build_item(found, build) | {"stats": {}, "options": {}, "readme": ""}
    if "@" in build.image:
        answer["imageDigest"] = build.image.partition("@")[2]
    if build.input_schema is not None:
        answer["inputSchema"] = build.input_schema
        definition["input"] = _as_json(build.input_schema)
    return answer | {"actorDefinition": definition}


def _tagged(found: FoundActor, number: str) -> dict[str, Any]:
    return {
        "buildId": found.build_id(number),
        "buildNumber": number,
        "buildNumberInt": build_number_int(number),
        "finishedAt": iso(created_at(found.actor)),
    }


def _as_json(text: str) -> Any:
    """A schema as JSON; one that is none was written by hand, and is shown as the text it is."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return text
