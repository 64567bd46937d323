"""What exactly an attempt runs: the run's wishes, the Actor's defaults, the settings' defaults."""

from dataclasses import dataclass
from typing import Any

import msgspec

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.actor import ActorView, Build, EnvVar
from actor_operator.api.views.metadata import View
from actor_operator.api.views.run import Options, ResurrectRequest, RunLimits, RunView
from actor_operator.errors import TerminalError
from actor_operator.quantities import cpu_millicores, disk_mbytes, format_millicores
from actor_operator.settings import Settings

PORT_VARIABLES = ("ACTOR_WEB_SERVER_PORT", "APIFY_CONTAINER_PORT")
"""Variables of an Actor or build that change the web port; the build's hold before the Actor's."""


NO_LIMITS = RunLimits()
"""What holds for a run that names none."""


class Resolved(View, frozen=True):
    """What is kept of a resolution: on the pod as an annotation, then in the run's status."""

    actor_namespace: str
    actor_generation: int
    build: str
    build_number: str
    image: str
    memory_mbytes: int
    timeout_secs: int
    restart_on_error: bool = False
    limits: RunLimits = NO_LIMITS
    container_url: str | None = None

    def options(self) -> Options:
        """The part that stands in ``status.options``."""
        return Options(
            build=self.build,
            memory_mbytes=self.memory_mbytes,
            timeout_secs=self.timeout_secs,
            disk_mbytes=disk_mbytes(self.memory_mbytes),
            cpu=format_millicores(cpu_millicores(self.memory_mbytes)),
            restart_on_error=self.restart_on_error,
            max_items=self.limits.max_items,
            max_total_charge_usd=self.limits.max_total_charge_usd,
        )


@dataclass(frozen=True, slots=True)
class Resolution:
    """All that a pod of the run is made of."""

    resolved: Resolved
    actor: ActorView
    build: Build
    variables: dict[str, EnvVar]
    port: int
    pull_secrets: tuple[str, ...]


def actor_reference(run: RunView) -> tuple[str, str]:
    """Namespace and name of the run's Actor: ``name`` in its own, or ``owner/name``."""
    owner, _, name = run.spec.actor.rpartition("/")
    return owner or run.namespace, name


def resolve(
    run: RunView, actor: ActorView | None, settings: Settings, url: str | None = None
) -> Resolution:
    """Find out what the run runs.

    Parameters
    ----------
    run, actor, settings
        What it is found out from.
    url
        The URL of the run's web server, if its Actor has one.

    Raises
    ------
    TerminalError
        When it cannot run: no such Actor, not public, no such build, Secrets out of reach.
        The message says what to change.
    """
    namespace, name = actor_reference(run)
    foreign = namespace != run.namespace
    # A private Actor of another namespace looks like one that does not exist.
    if actor is None or (foreign and not actor.spec.is_public):
        raise TerminalError(Reason.ACTOR_NOT_FOUND, _no_actor(namespace, name, foreign=foreign))
    tag, build = _find_build(run, actor, settings)
    image = run.status.image if run.status.build_number else None
    variables = {item.name: item for item in (*actor.spec.env, *build.env)}
    if foreign:
        _refuse_foreign_secrets(actor, variables)
    return Resolution(
        resolved=Resolved(
            actor_namespace=namespace,
            actor_generation=actor.metadata.generation,
            build=tag,
            build_number=build.number,
            image=image or build.image,
            container_url=url if actor.spec.web_server.enabled else None,
            **_options(run, actor, settings),
        ),
        actor=actor,
        build=build,
        variables=variables,
        port=_web_port(actor, build),
        pull_secrets=tuple(
            dict.fromkeys((*actor.spec.image_pull_secrets, *settings.pod.image_pull_secrets))
        ),
    )


def resurrection(run: RunView) -> ResurrectRequest | None:
    """The request that the current attempt came from; None: it is the first one."""
    request = run.spec.resurrect
    return request if request is not None and request.attempt == run.status.attempt else None


def read_resolved(annotation: str) -> Resolved | None:
    """Read the annotation back; None when someone has spoilt it."""
    try:
        return msgspec.json.decode(annotation.encode(), type=Resolved)
    except msgspec.MsgspecError:
        return None


def _find_build(run: RunView, actor: ActorView, settings: Settings) -> tuple[str, Build]:
    """The build that was asked for, by number or by tag, and what was asked."""
    again = resurrection(run)
    wish = (
        (again.build if again else None)
        or (run.status.options.build if run.status.options else None)
        or run.spec.build
        or actor.spec.default_run_options.build
        or settings.defaults.build
    )
    # What an attempt was begun with holds for all its pods, also when a tag has moved since.
    number = run.status.build_number or actor.spec.tagged_builds.get(wish, wish)
    for build in actor.spec.builds:
        if build.number == number:
            return wish, build
    tags = ", ".join(sorted(actor.spec.tagged_builds)) or "none"
    numbers = ", ".join(build.number for build in actor.spec.builds) or "none"
    raise TerminalError(
        Reason.BUILD_NOT_FOUND,
        f'Actor "{actor.name}" in namespace "{actor.namespace}" has no build with the tag or number'
        f' "{wish}". It has the tags {tags} and the builds {numbers}.',
    )


def _no_actor(namespace: str, name: str, *, foreign: bool) -> str:
    if foreign:
        return (
            f'There is no public Actor "{name}" in namespace "{namespace}". Check spec.actor, or'
            " ask its owner to set isPublic: true."
        )
    return (
        f'There is no Actor "{name}" in namespace "{namespace}". Create it, or name another one in'
        ' a new run; an Actor of another namespace is written "namespace/name".'
    )


def _refuse_foreign_secrets(actor: ActorView, variables: dict[str, EnvVar]) -> None:
    """Secrets stay in their namespace: a public Actor that needs some cannot run elsewhere."""
    names = [name for name, item in variables.items() if item.secret_key_ref]
    if names:
        raise TerminalError(
            Reason.ACTOR_SECRETS_UNAVAILABLE,
            f'Actor "{actor.namespace}/{actor.name}" takes {", ".join(sorted(names))} from Secrets'
            " of its own namespace, which runs in other namespaces cannot use. Run it there, or ask"
            " its owner to use literal values.",
        )
    if actor.spec.image_pull_secrets:
        raise TerminalError(
            Reason.ACTOR_SECRETS_UNAVAILABLE,
            f'Actor "{actor.namespace}/{actor.name}" names imagePullSecrets of its own namespace,'
            " which runs in other namespaces cannot use. Run it there, or ask the administrator to"
            " add a pull secret to the operator's settings.",
        )


def _web_port(actor: ActorView, build: Build) -> int:
    for variables in (build.env, actor.spec.env):
        values = {item.name: item.value for item in variables}
        for name in PORT_VARIABLES:
            value = values.get(name)
            if value and value.isdecimal():
                return int(value)
    return actor.spec.web_server.port


def _options(run: RunView, actor: ActorView, settings: Settings) -> dict[str, Any]:
    """Memory, time, restarts and limits: from the first that says something."""
    kept = run.status.options
    sources = (resurrection(run), kept, run.spec, actor.spec.default_run_options, settings.defaults)
    limits = [getattr(source, "limits", None) for source in (resurrection(run), run.spec)]
    return {
        "memory_mbytes": _first("memory_mbytes", sources),
        "timeout_secs": _first("timeout_secs", sources),
        "restart_on_error": bool(_first("restart_on_error", sources)),
        "limits": limits[0] or _limits(kept) or limits[1] or NO_LIMITS,
    }


def _limits(kept: Options | None) -> RunLimits | None:
    if kept is None or kept.max_items is kept.max_total_charge_usd is None:
        return None
    return RunLimits(kept.max_items, kept.max_total_charge_usd)


def _first(name: str, sources: tuple[object, ...]) -> Any:
    values = (getattr(source, name, None) for source in sources)
    return next((value for value in values if value is not None), None)
