"""The input of a run and its name, checked before anything is sent. Pure."""

import json
import secrets
from typing import Any

import msgspec

from actor_operator.constants import API_VERSION, MAX_INPUT_BYTES, MAX_NAME_LENGTH

SYMBOLS = "bcdfghjklmnpqrstvwxz2456789"
"""Symbols of generated names, those of Kubernetes: no vowels, so that no words come about."""

SUFFIX_LENGTH = 5
"""Symbols that make a generated name one of its own."""


class InputError(ValueError):
    """The input cannot be the input of a run; says why."""


def parse_input(data: bytes, most: int = MAX_INPUT_BYTES) -> dict[str, Any]:
    """Read the input of a run.

    Parameters
    ----------
    data
        A JSON object in UTF-8.
    most
        Most bytes that it may have as compact JSON.

    Raises
    ------
    InputError
        When it is no JSON object, or too large.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"it is not UTF-8 (byte {error.start})") from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"it is not JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise InputError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise InputError(f"it must be a JSON object ({{…}}), not {_kind(value)}")
    _check_size(value, most)
    return value


def generated_name(actor: str) -> str:
    """A new name for a run of an Actor, which may be given as ``owner/name``."""
    base = actor.rpartition("/")[2][: MAX_NAME_LENGTH - SUFFIX_LENGTH - 1].rstrip("-")
    suffix = "".join(secrets.choice(SYMBOLS) for _ in range(SUFFIX_LENGTH))
    return f"{base}-{suffix}"


def run_manifest(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    """An ActorRun; of the spec only what is not ``None``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ActorRun",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {field: value for field, value in spec.items() if value is not None},
    }


def _check_size(value: dict[str, Any], most: int) -> None:
    try:
        size = len(msgspec.json.encode(value))
    except (UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise InputError(f"it cannot be sent: {error}") from None
    if size > most:
        raise InputError(f"it has {size:,} bytes as compact JSON; {most:,} are allowed")


def _refuse_constant(name: str) -> None:
    raise InputError(f"{name} is not JSON")


def _kind(value: Any) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
