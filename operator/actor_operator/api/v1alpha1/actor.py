"""Actor: who may run what. Which image each build is, and how runs of it start."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from actor_operator.api.base import (
    AGE,
    CATEGORY,
    ApiModel,
    Column,
    Condition,
    CustomResource,
    Definition,
    NameRule,
)
from actor_operator.api.fields import SET, CelRule, list_map, unchanged
from actor_operator.api.scalars import (
    MAX_TAG_LENGTH,
    NAME_LABEL,
    TAG,
    BuildNumber,
    Image,
    MemoryMbytes,
    Port,
    Seconds,
    SecretKey,
    SecretName,
    TagOrNumber,
    VariableName,
    VariableValue,
)
from actor_operator.constants import DEFAULT_WEB_PORT

PORT_VARIABLES = ("APIFY_CONTAINER_PORT", "ACTOR_WEB_SERVER_PORT")
"""The two reserved variables that an Actor may set: they change the port of its web server."""

RESERVED_PREFIXES = ("ACTOR_", "APIFY_")
"""Variables with these prefixes are the platform's."""

MAX_BUILDS = 64
"""Most builds of an Actor."""

MAX_VARIABLES = 100
"""Most variables in one list."""


class AbortSignal(StrEnum):
    """How a container is told that its run is being aborted gracefully."""

    EVENTS = "Events"
    """The events ``aborting`` and ``persistState`` on the platform's events socket."""

    SIGTERM = "Sigterm"
    """The signal SIGTERM."""


class SecretKeyRef(ApiModel):
    """A key of a Secret in the Actor's namespace."""

    name: SecretName
    """Name of the Secret, in the Actor's namespace."""
    key: SecretKey
    """Key in the Secret."""


_IS_RESERVED = " || ".join(f"self.name.startsWith('{prefix}')" for prefix in RESERVED_PREFIXES)
_IS_PORT = f"self.name in ['{PORT_VARIABLES[0]}', '{PORT_VARIABLES[1]}']"
# Not a regular expression: its cost is estimated from the longest value that is allowed.
_HOLDS_PORT = (
    "has(self.value) && self.value.size() in [4, 5]"
    " && [0, 1, 2, 3, self.value.size() - 1].all(i,"
    " self.value.charAt(i) >= '0' && self.value.charAt(i) <= '9')"
    " && int(self.value) >= 1024 && int(self.value) <= 65535"
)


class EnvVar(ApiModel):
    """An environment variable: a literal value, or a key of a Secret."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule="has(self.value) != has(self.secretKeyRef)",
            message="a variable has either value or secretKeyRef",
        ),
        CelRule(
            rule=f"!({_IS_RESERVED}) || {_IS_PORT}",
            message="variables that start with ACTOR_ or APIFY_ are set by the platform; only"
            " ACTOR_WEB_SERVER_PORT and APIFY_CONTAINER_PORT may be set here",
            field_path=".name",
        ),
        CelRule(
            rule=f"!({_IS_PORT}) || ({_HOLDS_PORT})",
            message="ACTOR_WEB_SERVER_PORT and APIFY_CONTAINER_PORT take a literal port number"
            " from 1024 to 65535, in quotes",
            field_path=".value",
        ),
    )

    name: VariableName
    """Name of the variable: letters, digits and underscores. Names that start with `ACTOR_` or
    `APIFY_` are the platform's, except `ACTOR_WEB_SERVER_PORT` and `APIFY_CONTAINER_PORT`."""
    value: VariableValue | None = None
    """Literal value. Either this or `secretKeyRef`."""
    secret_key_ref: SecretKeyRef | None = None
    """Key of a Secret of the Actor's namespace that holds the value. Runs from other namespaces
    cannot use it and fail with ActorSecretsUnavailable."""


Variables = Annotated[tuple[EnvVar, ...], Field(max_length=MAX_VARIABLES), list_map("name")]
"""Environment variables, each name once."""


class Build(ApiModel):
    """One build of an Actor; it never changes."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule=unchanged("image", "env", "inputSchema"),
            message="a build never changes; add a build with a new number and move the tag to it",
            forbidden=True,
        ),
    )

    number: BuildNumber
    """Number of the build: three numbers with dots between, such as `1.2.34`."""
    image: Image
    """Container image of the build. The digest that its first pod got stays with a run."""
    env: Variables = ()
    """Environment variables of this build; they win over those of the Actor."""
    input_schema: Annotated[str | None, Field(max_length=131_072)] = None
    """Input schema of the build, as JSON text (the content of `.actor/input_schema.json`). Runs
    that the API starts are checked by it, and get its defaults."""


class DefaultRunOptions(ApiModel):
    """What holds for a run that does not say otherwise."""

    build: TagOrNumber | None = None
    """Build to run: a tag or a number. Default: the tag `latest`."""
    memory_mbytes: MemoryMbytes | None = None
    """Memory of a run in MB: a power of two from 128 to 32768. It also decides the share of a
    processor (one core for each 4096 MB) and the disk (twice the memory). Default: the
    installation's."""
    timeout_secs: Seconds | None = None
    """Time of a run in seconds, from the start of its pod; 0 means no limit. Default: the
    installation's."""
    restart_on_error: bool | None = None
    """Whether a container that exits with another code than 0 is started again, fewer than 3
    times in 60 seconds. Default: no."""


class WebServer(ApiModel):
    """The web server that a run may offer."""

    enabled: bool = True
    """Whether runs get a URL (`status.containerUrl`), in an installation that has a domain for
    them."""
    port: Port = DEFAULT_WEB_PORT
    """Port on which the actor listens, from 1024 to 65535; it is told by the variable
    ACTOR_WEB_SERVER_PORT. Where the build or the Actor sets that variable, its value holds."""
    readiness_probe: bool = False
    """Whether requests are let through only when the port accepts connections. Default: as soon as
    the container runs."""


class ActorSpec(ApiModel):
    """What an Actor is."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule="!has(self.taggedBuilds) || self.taggedBuilds.all(tag,"
            " self.builds.exists(b, b.number == self.taggedBuilds[tag]))",
            message="each tag must point to the number of a build in builds; a build can be"
            " removed once no tag points to it",
            field_path=".taggedBuilds",
        ),
        CelRule(
            rule="!has(self.defaultRunOptions) || !has(self.defaultRunOptions.build)"
            " || self.builds.exists(b, b.number == self.defaultRunOptions.build)"
            " || (has(self.taggedBuilds) && self.defaultRunOptions.build in self.taggedBuilds)",
            message="defaultRunOptions.build must be a tag in taggedBuilds or the number of a"
            " build in builds",
            field_path=".defaultRunOptions.build",
        ),
    )

    title: Annotated[str | None, Field(max_length=200)] = None
    """Name for people."""
    description: Annotated[str | None, Field(max_length=2000)] = None
    """What the actor does, for people."""
    builds: Annotated[
        tuple[Build, ...], Field(min_length=1, max_length=MAX_BUILDS), list_map("number")
    ]
    """Builds of the Actor. An existing build never changes; one that no tag points to may be
    removed."""
    tagged_builds: Annotated[
        dict[str, BuildNumber],
        Field(default_factory=dict, max_length=MAX_BUILDS),
        CelRule(
            rule=f"self.all(tag, tag.size() <= {MAX_TAG_LENGTH} && tag.matches('^{TAG}$'))",
            message=f"a tag has at most {MAX_TAG_LENGTH} letters, digits, '-', '_' and '.', and"
            " starts with a letter",
        ),
    ]
    """Tags and the numbers of the builds that they point to, such as `latest: 1.2.34`."""
    default_run_options: DefaultRunOptions | None = None
    """What holds for a run that does not say otherwise."""
    env: Variables = ()
    """Environment variables of all builds."""
    image_pull_secrets: Annotated[tuple[SecretName, ...], Field(max_length=10), SET] = ()
    """Names of Secrets in the Actor's namespace with which its images are pulled. Runs from other
    namespaces cannot use them and fail with ActorSecretsUnavailable."""
    web_server: WebServer = WebServer()
    """The web server of its runs."""
    is_public: bool = False
    """Whether runs in other namespaces may name this Actor, as `NAMESPACE/NAME`."""
    abort_signal: AbortSignal | None = None
    """How a graceful abort is told to the container: by SIGTERM, or by Events, which the API server
    sends and which SIGTERM follows 25 seconds later and the end 30 seconds later. Where there is
    no API server, SIGTERM comes in any case. Default: Events."""
    restart_on_disruption: bool = True
    """Whether a run goes on in a new pod when its pod is lost through no fault of its own
    (eviction, drain, lost node), at most 3 times an attempt."""


class ActorStatus(ApiModel):
    """What the operator says of an Actor."""

    observed_generation: Annotated[int | None, Field(ge=-1)] = None
    """The `metadata.generation` that the conditions were judged for."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8), list_map("type")] = ()
    """Condition `Ready`: each tag points to a build."""


class Actor(CustomResource):
    """Who may run what: the builds of an actor, which image each is, and how its runs start."""

    definition: ClassVar[Definition] = Definition(
        plural="actors",
        short_names=("actor",),
        categories=(CATEGORY,),
        name=NameRule(
            pattern=NAME_LABEL,
            max_length=63,
            message="the name of an Actor has at most 63 lower-case letters, digits and '-',"
            " starts with a letter and ends with a letter or digit",
        ),
        columns=(
            Column(
                name="Latest",
                path=".spec.taggedBuilds.latest",
                description="Build of the tag latest",
            ),
            Column(
                name="Public",
                path=".spec.isPublic",
                type="boolean",
                description="Whether other namespaces may run it",
            ),
            Column(
                name="Ready",
                path=".status.conditions[?(@.type=='Ready')].status",
                description="Whether each tag points to a build",
            ),
            AGE,
            Column(name="Title", path=".spec.title", description="Name for people", wide=True),
        ),
    )

    kind: Literal["Actor"] = "Actor"
    """Name of this kind."""
    spec: ActorSpec
    """What the Actor is."""
    status: ActorStatus = ActorStatus()
    """What the operator says of it."""
