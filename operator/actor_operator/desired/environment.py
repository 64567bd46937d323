"""The environment of a run's container.

Names and meanings are Apify's (docs: Actor environment variables). Where a variable has two
spellings, both get the same value. What only the API server gives a meaning is made in
``api_access``.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.actor import SecretKeyRef
from actor_operator.api.views.run import RunView
from actor_operator.constants import MAX_INPUT_BYTES, MAX_VARIABLE_BYTES
from actor_operator.desired.names import ids, object_id
from actor_operator.desired.resolve import PORT_VARIABLES, Resolution
from actor_operator.errors import TerminalError
from actor_operator.quantities import MEMORY_MBYTES_PER_CORE
from actor_operator.text import compact_json

MAX_SECRET_BYTES = 1_048_576
"""Largest content of a Secret (Kubernetes: MaxSecretSize)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of a container."""

    literals: dict[str, str]
    """What goes into the environment Secret."""

    secrets: dict[str, SecretKeyRef]
    """What the container takes from Secrets of the Actor."""

    def content(self) -> bytes:
        """The literals in one well-defined form, for hashing."""
        return msgspec.json.encode(self.literals, order="sorted")


def build_environment(
    run: RunView, resolution: Resolution, for_api: Mapping[str, str]
) -> Environment:
    """Make the environment of the run's next pod.

    Parameters
    ----------
    run, resolution
        The run, and what it runs.
    for_api
        The variables for the API server; none where there is none.

    Raises
    ------
    TerminalError
        InputTooLarge or EnvironmentTooLarge, with the sizes; InputChanged.
    """
    _check_input(run)
    platform = {**platform_variables(run, resolution), **for_api}
    own = {k: v for k, v in resolution.variables.items() if k not in platform}
    literals = {name: item.value or "" for name, item in own.items() if not item.secret_key_ref}
    literals |= platform
    _check_sizes(literals)
    secrets = {k: item.secret_key_ref for k, item in own.items() if item.secret_key_ref}
    return Environment(literals, secrets)


def compact_input(run: RunView) -> bytes | None:
    """The run's input as compact UTF-8 JSON with sorted keys; None when it has none.

    Raises
    ------
    TerminalError
        InputTooLarge, with both sizes.
    """
    raw = bytes(run.spec.input)
    compact = compact_json(raw) if raw else b""
    size = run.spec.oversized_input_bytes or len(compact)
    if size > MAX_INPUT_BYTES:
        raise TerminalError(
            Reason.INPUT_TOO_LARGE,
            f"The input has {size} bytes as compact JSON; at most {MAX_INPUT_BYTES} are allowed."
            " Put large data where the actor can fetch it, and name the place in the input.",
        )
    return compact or None


def input_sha256(run: RunView) -> str | None:
    """SHA-256 of the compact input in hexadecimal; None when the run has none."""
    compact = compact_input(run)
    return hashlib.sha256(compact).hexdigest() if compact is not None else None


def platform_variables(run: RunView, resolution: Resolution) -> dict[str, str]:
    """Every variable that the platform sets by itself; these win over the actor's own."""
    variables = {
        **_identity(run, resolution),
        **_storages(run),
        **_resources(resolution),
        **_times(run, resolution),
        **_web_server(resolution),
        **_limits(resolution),
        "APIFY_META_ORIGIN": run.spec.origin,
        "APIFY_HEADLESS": "1",
    }
    if resolution.resolved.restart_on_error:
        variables["ACTOR_RESTART_ON_ERROR"] = "1"
    compact = compact_input(run)
    if compact is not None:
        variables["ACTOR_INPUT_JSON"] = compact.decode()
    return variables


def _identity(run: RunView, resolution: Resolution) -> dict[str, str]:
    actor, number = resolution.actor, resolution.build.number
    tags = sorted(tag for tag, build in actor.spec.tagged_builds.items() if build == number)
    actor_id = object_id("actor", actor.uid)
    run_id = ids(run).run
    build_id = object_id("build", f"{actor.uid}/{number}")
    return {
        "ACTOR_ID": actor_id,
        "APIFY_ACTOR_ID": actor_id,
        "APIFY_ACT_ID": actor_id,
        "ACTOR_FULL_NAME": f"{actor.namespace}/{actor.name}",
        "ACTOR_RUN_ID": run_id,
        "APIFY_ACTOR_RUN_ID": run_id,
        "APIFY_ACT_RUN_ID": run_id,
        "ACTOR_BUILD_ID": build_id,
        "APIFY_ACTOR_BUILD_ID": build_id,
        "ACTOR_BUILD_NUMBER": number,
        "APIFY_ACTOR_BUILD_NUMBER": number,
        "ACTOR_BUILD_TAGS": ",".join(tags),
        "APIFY_USER_ID": object_id("user", run.namespace),
    }


def _storages(run: RunView) -> dict[str, str]:
    known = ids(run)
    store, dataset, queue = known.key_value_store, known.dataset, known.request_queue
    every = {
        "keyValueStores": {"default": store},
        "datasets": {"default": dataset},
        "requestQueues": {"default": queue},
    }
    return {
        "ACTOR_DEFAULT_KEY_VALUE_STORE_ID": store,
        "APIFY_DEFAULT_KEY_VALUE_STORE_ID": store,
        "ACTOR_DEFAULT_DATASET_ID": dataset,
        "APIFY_DEFAULT_DATASET_ID": dataset,
        "ACTOR_DEFAULT_REQUEST_QUEUE_ID": queue,
        "APIFY_DEFAULT_REQUEST_QUEUE_ID": queue,
        "ACTOR_STORAGES_JSON": msgspec.json.encode(every).decode(),
        "ACTOR_INPUT_KEY": "INPUT",
        "APIFY_INPUT_KEY": "INPUT",
    }


def _resources(resolution: Resolution) -> dict[str, str]:
    memory = resolution.resolved.memory_mbytes
    return {
        "ACTOR_MEMORY_MBYTES": str(memory),
        "APIFY_MEMORY_MBYTES": str(memory),
        "APIFY_DEDICATED_CPUS": f"{memory / MEMORY_MBYTES_PER_CORE:g}",
    }


def _times(run: RunView, resolution: Resolution) -> dict[str, str]:
    """Times come from what is stored before the pod is made: the same text each time.

    The time limit counts from the pod's start, which is not known yet: its end is an estimate.
    """
    started = run.status.admitted_at or run.attempt_began
    variables = {"ACTOR_STARTED_AT": _iso(started), "APIFY_STARTED_AT": _iso(started)}
    timeout = resolution.resolved.timeout_secs
    if timeout:
        ends = _iso(started + timedelta(seconds=timeout))
        variables |= {"ACTOR_TIMEOUT_AT": ends, "APIFY_TIMEOUT_AT": ends}
    return variables


def _iso(moment: datetime) -> str:
    """Apify writes times with milliseconds and Z."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _web_server(resolution: Resolution) -> dict[str, str]:
    variables = dict.fromkeys((*PORT_VARIABLES, "ACTOR_STANDBY_PORT"), str(resolution.port))
    url = resolution.resolved.container_url
    if url is not None:
        variables |= {"ACTOR_WEB_SERVER_URL": url, "APIFY_CONTAINER_URL": url}
    return variables


def _limits(resolution: Resolution) -> dict[str, str]:
    limits, variables = resolution.resolved.limits, {}
    if limits.max_items is not None:
        variables["ACTOR_MAX_PAID_DATASET_ITEMS"] = str(limits.max_items)
    if limits.max_total_charge_usd is not None:
        variables["ACTOR_MAX_TOTAL_CHARGE_USD"] = f"{limits.max_total_charge_usd:.15g}"
    return variables


def _check_input(run: RunView) -> None:
    """CEL cannot compare inputs: what the first status told of it is the measure."""
    if run.status.run_id is not None and input_sha256(run) != run.status.input_sha256:
        raise TerminalError(
            Reason.INPUT_CHANGED,
            "The input is not the one that the run was made with. Make a new run for another"
            " input; to resurrect this one, put the old input back.",
        )


def _check_sizes(literals: dict[str, str]) -> None:
    sizes = {name: len(name) + 1 + len(value.encode()) for name, value in literals.items()}
    for name, size in sizes.items():
        if size > MAX_VARIABLE_BYTES:
            raise TerminalError(
                Reason.ENVIRONMENT_TOO_LARGE,
                f"The environment variable {name} has {size} bytes with its name; Linux takes at"
                f" most {MAX_VARIABLE_BYTES}. Shorten it in the Actor.",
            )
    # The Secret holds base64, but its limit counts the decoded values.
    if sum(sizes.values()) > MAX_SECRET_BYTES:
        raise TerminalError(
            Reason.ENVIRONMENT_TOO_LARGE,
            f"The environment variables have {sum(sizes.values())} bytes together; at most"
            f" {MAX_SECRET_BYTES} are allowed. Shorten or remove some in the Actor.",
        )


def encode_secret_data(literals: dict[str, str]) -> dict[str, bytes | str]:
    """The literals as a Secret's ``data``: base64 of UTF-8."""
    return {name: base64.b64encode(value.encode()).decode() for name, value in literals.items()}
