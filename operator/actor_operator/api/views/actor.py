"""What the operator reads of an Actor."""

import msgspec

from actor_operator.api.views.metadata import Condition, ObjectView, View
from actor_operator.constants import DEFAULT_WEB_PORT


class SecretKeyRef(View, frozen=True):
    """A key of a Secret in the Actor's namespace."""

    name: str
    key: str


class EnvVar(View, frozen=True):
    """A variable of an Actor or build: a literal, or a key of a Secret."""

    name: str
    value: str | None = None
    secret_key_ref: SecretKeyRef | None = None


class Build(View, frozen=True):
    """One build of an Actor."""

    number: str
    image: str
    env: tuple[EnvVar, ...] = ()


class DefaultRunOptions(View, frozen=True):
    """``spec.defaultRunOptions``."""

    build: str | None = None
    memory_mbytes: int | None = None
    timeout_secs: int | None = None
    restart_on_error: bool | None = None


class WebServer(View, frozen=True):
    """``spec.webServer``."""

    enabled: bool = True
    port: int = DEFAULT_WEB_PORT
    readiness_probe: bool = False


class ActorSpec(View, frozen=True):
    """``spec`` of an Actor."""

    builds: tuple[Build, ...] = ()
    tagged_builds: dict[str, str] = msgspec.field(default_factory=dict)
    default_run_options: DefaultRunOptions = DefaultRunOptions()
    env: tuple[EnvVar, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    web_server: WebServer = WebServer()
    is_public: bool = False
    abort_signal: str | None = None
    restart_on_disruption: bool = True


class ActorStatus(View, frozen=True):
    """``status`` of an Actor."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class ActorView(ObjectView, frozen=True):
    """An Actor."""

    spec: ActorSpec
    status: ActorStatus = ActorStatus()
