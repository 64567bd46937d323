"""Settings of the operator: one tree, from a YAML file (the chart's ConfigMap) and the environment.

A variable of the environment wins over the file: ``ACTOR_OPERATOR_LEASE__DURATION_SECONDS=30`` is
``lease.durationSeconds``. An unknown key is refused with the nearest valid one.
"""

import difflib
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from typing_extensions import override

from actor_operator.constants import WRITE_LANDING_SECONDS
from actor_operator.errors import ConfigurationError
from actor_operator.quantities import MEMORY_STEPS
from actor_operator.settings_api import ApiSettings
from actor_operator.settings_groups import (
    AbortSettings,
    AccountSettings,
    Group,
    Name,
    Namespaces,
    Port,
    ResurrectionSettings,
    RetentionSettings,
    Seconds,
)
from actor_operator.settings_pod import PodSettings, Toleration
from actor_operator.settings_source import Environment
from actor_operator.settings_web import NetworkSettings, WebServerSettings

ENV_PREFIX = "ACTOR_OPERATOR_"
"""Prefix of the environment variables that are read as settings."""


class LogFormat(StrEnum):
    """How log lines are written."""

    JSON = "json"
    """One JSON object a line."""

    TEXT = "text"
    """Text for people."""


class LogLevel(StrEnum):
    """The lowest level that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogSettings(Group):
    """What the operator logs."""

    level: LogLevel = LogLevel.INFO
    """The lowest level that is written."""

    format: LogFormat = LogFormat.JSON
    """JSON lines or text."""


class LeaseSettings(Group):
    """Leader election (one of the replicas writes, the others are warm)."""

    name: Name = "actor-operator"
    """Name of the Lease in the operator's namespace."""

    duration_seconds: Annotated[int, Field(ge=1, le=86_400 * 366)] = 15
    """How long others wait for a leader that says nothing."""

    renew_deadline_seconds: Seconds = 10
    """When a leader that cannot renew stops working."""

    retry_seconds: Seconds = 2
    """Pause between two attempts to take or renew the lease."""

    @model_validator(mode="after")
    def _check_order(self) -> "LeaseSettings":
        if not self.retry_seconds < self.renew_deadline_seconds:
            raise ValueError("retrySeconds must be less than renewDeadlineSeconds")
        if not self.renew_deadline_seconds + WRITE_LANDING_SECONDS < self.duration_seconds:
            raise ValueError(
                f"renewDeadlineSeconds + {WRITE_LANDING_SECONDS:g} must be less than"
                " durationSeconds: a write of the old leader may land that late"
            )
        return self


class DefaultRunSettings(Group):
    """What a run gets when neither it nor its Actor says otherwise."""

    build: Annotated[str, Field(pattern=r"^[A-Za-z0-9][-A-Za-z0-9._]{0,62}$")] = "latest"
    """Tag or number of the build."""

    memory_mbytes: Annotated[int, Field(json_schema_extra={"enum": list(MEMORY_STEPS)})] = 1024
    """Memory in MB: a power of two from 128 to 32768."""

    timeout_secs: Annotated[int, Field(ge=0, le=31_536_000)] = 3600
    """Time limit in seconds; 0 is none."""

    @model_validator(mode="after")
    def _check_memory(self) -> "DefaultRunSettings":
        if self.memory_mbytes not in MEMORY_STEPS:
            allowed = ", ".join(str(step) for step in MEMORY_STEPS)
            raise ValueError(f"memoryMbytes must be one of {allowed}")
        return self


class LimitSettings(Group):
    """How long runs may wait for something."""

    pending_seconds: Seconds = 600
    """A run that has not started after this long becomes FAILED with the cause."""

    image_pull_seconds: Seconds = 120
    """An image that cannot be fetched for this long fails the run."""

    hold_back_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    """A cause of waiting is written only when it lasts this long."""


class EngineSettings(Group):
    """The operator's own machinery."""

    workers: Annotated[int, Field(ge=1, le=256)] = 32
    """Runs that are worked on at the same time."""

    connections: Annotated[int, Field(ge=1, le=256)] = 48
    """HTTP connections to the API server."""

    writes_per_second: Annotated[float, Field(gt=0, le=10_000)] = 200
    """Writes to the API server in the long run."""

    write_burst: Annotated[int, Field(ge=1, le=100_000)] = 400
    """Writes at once after a quiet time."""

    page_size: Annotated[int, Field(ge=10, le=5000)] = 100
    """Objects a page when listing; each may have 1.5 MB, and a page is held in memory."""

    silence_seconds: Annotated[float, Field(ge=4, le=3600)] = 20
    """A watch that says nothing for this long is opened anew. The API server is asked to end each
    watch 2 seconds before."""


class ProbeSettings(Group):
    """Ports that the kubelet and Prometheus ask."""

    host: str = "0.0.0.0"  # noqa: S104 -- in a pod, probes come from outside the pod
    """Address to listen on."""

    probes_port: Port = 8080
    """``/healthz``."""

    metrics_port: Port = 9090
    """``/metrics`` and ``/readyz``."""


class Settings(BaseSettings):
    """Everything that an administrator can set."""

    model_config = SettingsConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
    )

    namespace: Name = "actor-operator-system"
    """The operator's own namespace: its Lease and its keys are there."""

    namespaces: Namespaces = ()
    """The only namespaces in which the operator works, each labelled for it
    (``actor-operator.dev/install=<the operator's namespace>``). Empty: all that have no such
    label."""

    log: LogSettings = LogSettings()
    """Logging."""

    lease: LeaseSettings = LeaseSettings()
    """Leader election."""

    defaults: DefaultRunSettings = DefaultRunSettings()
    """Defaults of runs."""

    pod: PodSettings = PodSettings()
    """Run pods."""

    limits: LimitSettings = LimitSettings()
    """Waiting times."""

    abort: AbortSettings = AbortSettings()
    """Aborts."""

    resurrection: ResurrectionSettings = ResurrectionSettings()
    """Resurrections."""

    retention: RetentionSettings = RetentionSettings()
    """When finished runs and their pods are removed."""

    accounts: AccountSettings = AccountSettings()
    """Limits of accounts."""

    web_server: WebServerSettings = WebServerSettings()
    """Web servers of runs: every run has a URL when there is a domain."""

    network: NetworkSettings = NetworkSettings()
    """What run pods may reach, and who may reach them: one NetworkPolicy in each of the runs'
    namespaces. A network plugin must enforce it."""

    api: ApiSettings = ApiSettings()
    """The API server, which is a process of its own; the operator gives runs what they need for
    it."""

    engine: EngineSettings = EngineSettings()
    """The operator's machinery."""

    probes: ProbeSettings = ProbeSettings()
    """Health and metrics endpoints."""

    @model_validator(mode="after")
    def _check_network(self) -> "Settings":
        closed = self.network.policy and not self.network.web_server_from
        if self.web_server.enabled and closed:
            raise ValueError(
                "network.webServerFrom must name the namespace of the ingress controller, which"
                " else could not reach the runs (or network.policy must be false)"
            )
        return self

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which comes in as init arguments."""
        return Environment(settings_cls, env_prefix=ENV_PREFIX), init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    path
        The YAML file; without one, defaults and the environment hold.

    Raises
    ------
    ConfigurationError
        With every mistake in one message: the key, what is wrong, and for an unknown key the
        nearest valid one.
    """
    values = _read_yaml(path) if path else {}
    _refuse_unknown_groups()
    try:
        return Settings(**values)
    except ValidationError as error:
        mistakes = "; ".join(_describe(mistake) for mistake in error.errors())
        raise ConfigurationError(f"The settings are not valid: {mistakes}") from None
    except SettingsError as error:
        raise ConfigurationError(f"The environment cannot be read: {error}") from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"The settings file {path} cannot be read: {error.strerror}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The settings file {path} is not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigurationError(f"The settings file {path} must hold a mapping of names.")
    return values


def _refuse_unknown_groups() -> None:
    """Names without ``__`` may be Kubernetes' service variables; those with it are for us."""
    known = _keys_at(())
    for name in os.environ:
        group, nested, _ = name.removeprefix(ENV_PREFIX).partition("__")
        if not name.startswith(ENV_PREFIX) or not nested:
            continue
        if to_camel(group.lower()) not in known:
            nearest = difflib.get_close_matches(to_camel(group.lower()), known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(known)}"
            raise ConfigurationError(f"Variable {name}: there is no such group of settings; {hint}")


def _describe(mistake: Any) -> str:
    where = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] != "extra_forbidden":
        return f"{where}: {mistake['msg']} (got {mistake['input']!r})"
    known = _keys_at(mistake["loc"][:-1])
    nearest = difflib.get_close_matches(str(mistake["loc"][-1]), known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(known)}"
    return f"{where}: there is no such setting; {hint}"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """The valid keys of the group at a place in the tree."""
    group: Any = Settings
    for part in location:
        field = next(
            (f for name, f in group.model_fields.items() if part in (name, to_camel(name))), None
        )
        if field is None or not hasattr(field.annotation, "model_fields"):
            return sorted(to_camel(name) for name in Toleration.model_fields)
        group = field.annotation
    return sorted(to_camel(name) for name in group.model_fields)
