"""What the API server reads of an Actor: all that the operator does, and what clients are shown."""

from actor_operator.api.views.actor import ActorSpec, ActorView, Build


class FullBuild(Build, frozen=True):
    """One build of an Actor, with the schema of its input."""

    input_schema: str | None = None


class FullActorSpec(ActorSpec, frozen=True):
    """``spec`` of an Actor, with its texts for people."""

    builds: tuple[FullBuild, ...] = ()
    title: str | None = None
    description: str | None = None


class FullActor(ActorView, frozen=True, kw_only=True):
    """An Actor as clients of the API see it."""

    spec: FullActorSpec
