"""Asks our health checks for Argo CD, as Argo CD does: Lua 5.1, the object in the global `obj`."""

from pathlib import Path
from typing import Any

import yaml
from lupa.lua51 import LuaRuntime

CONFIG = Path(__file__).parents[2] / "manifests" / "gitops" / "argocd-cm.yaml"
"""The ConfigMap with our health checks."""

Health = tuple[str, str]
"""Status and message."""


def health(found: dict[str, Any]) -> Health:
    """How healthy Argo CD takes an object of our kinds for.

    Raises
    ------
    KeyError
        There is no health check for its kind.
    lupa.LuaError
        The health check fails.
    """
    group = found["apiVersion"].partition("/")[0]
    data = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["data"]
    script = data[f"resource.customizations.health.{group}_{found['kind']}"]
    lua = LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(found, recursive=True)
    # Argo CD gives scripts neither files nor processes.
    for library in ("io", "os", "debug", "package", "require", "dofile", "loadfile"):
        lua.globals()[library] = None
    answer = lua.execute(script)
    return str(answer.status), str(answer.message)
