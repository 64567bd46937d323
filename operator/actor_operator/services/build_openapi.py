"""OpenAPI documents of Actors: how a build is run over this API, and what its input is. Pure.

In Apify's form (its OpenAPI document: GetOpenApiResponse), but with the statuses of this server.
"""

from typing import Any

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.full_actor import FullBuild
from actor_operator.services.actor_directory import FoundActor
from actor_operator.services.actor_object import version_of
from actor_operator.services.input import compile_schema
from actor_operator.services.input_schema import KEPT

VERSION = "3.0.1"
"""Of OpenAPI: the one whose words input schemas have, such as ``nullable``."""

WORDS = frozenset({*KEPT, "type", "title", "description", "default", "nullable"})
"""Words that mean the same in an input schema of Apify and in OpenAPI."""

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
TIME = {"type": "string", "format": "date-time"}
RUN = {
    "id": TEXT,
    "actId": TEXT,
    "userId": TEXT,
    "startedAt": TIME,
    "finishedAt": {**TIME, "nullable": True},
    "status": {"type": "string", "enum": [str(phase) for phase in Phase]},
    "meta": {"type": "object", "properties": {"origin": TEXT, "userAgent": TEXT}},
    "stats": {
        "type": "object",
        "properties": dict.fromkeys(("inputBodyLen", "runTimeSecs", "computeUnits"), NUMBER),
    },
    "options": {
        "type": "object",
        "properties": {
            "build": TEXT,
            **dict.fromkeys(("timeoutSecs", "memoryMbytes", "diskMbytes"), NUMBER),
        },
    },
    "buildId": TEXT,
    "buildNumber": TEXT,
    "defaultKeyValueStoreId": TEXT,
    "defaultDatasetId": TEXT,
    "defaultRequestQueueId": TEXT,
    "containerUrl": TEXT,
    "usageTotalUsd": NUMBER,
}
"""The fields of a run that those who start one look at."""

WAYS = (
    (
        "run-sync-get-dataset-items",
        "run-sync-get-dataset-items",
        "Run the Actor, wait for its end, and answer with the items of its dataset.",
    ),
    ("runs", "runs", "Start a run of the Actor, and answer with the run."),
    (
        "run-sync",
        "run-sync",
        "Run the Actor, wait for its end, and answer with the record OUTPUT.",
    ),
)
"""Path, name and summary of each way to run an Actor."""


def build_openapi(found: FoundActor, build: FullBuild, address: str) -> dict[str, Any]:
    """The document.

    Parameters
    ----------
    found
        The Actor.
    build
        The build, whose input it is.
    address
        Of the API for clients, without ``/v2``.

    Raises
    ------
    ApiError
        400 invalid-input-schema, when the build's cannot be used.
    """
    spec = found.actor.spec
    base = f"/acts/{found.actor.namespace}~{found.actor.name}"
    return {
        "openapi": VERSION,
        "info": {
            "title": spec.title or found.actor.name,
            "description": spec.description or "",
            "version": version_of(build.number),
            "x-build-id": found.build_id(build.number),
        },
        "servers": [{"url": f"{address}/v2"}],
        "paths": {
            f"{base}/{path}": {"post": _operation(name, summary)} for path, name, summary in WAYS
        },
        "components": {
            "schemas": {
                "inputSchema": _input(build),
                "runsResponseSchema": {
                    "type": "object",
                    "properties": {"data": {"type": "object", "properties": RUN}},
                },
            }
        },
    }


def _operation(name: str, summary: str) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success."}
    if name == "runs":
        success["content"] = _json({"$ref": "#/components/schemas/runsResponseSchema"})
    return {
        "operationId": name,
        "x-openai-isConsequential": False,
        "summary": summary,
        "tags": ["Run Actor"],
        "requestBody": {
            "required": True,
            "content": _json({"$ref": "#/components/schemas/inputSchema"}),
        },
        "parameters": [
            {
                "name": "token",
                "in": "query",
                "required": True,
                "schema": TEXT,
                "description": "A token of the API.",
            }
        ],
        "responses": {"201": success},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _input(build: FullBuild) -> dict[str, Any]:
    if build.input_schema is None:
        return {"type": "object"}
    return {"type": "object", **_translate(compile_schema(build.input_schema).source)}


def _translate(schema: dict[str, Any]) -> dict[str, Any]:
    """An input schema, or the part of it about a field, in the words of OpenAPI."""
    answer = {word: value for word, value in schema.items() if word in WORDS}
    if not answer.get("required", True):
        del answer["required"]  # OpenAPI has no empty list there
    if isinstance(fields := schema.get("properties"), dict):
        answer["properties"] = {name: _translate(field) for name, field in fields.items()}
    for word in ("items", "additionalProperties"):
        if word in schema:
            part = schema[word]
            answer[word] = _translate(part) if isinstance(part, dict) else part
    if answer.get("type") == "array":
        answer.setdefault("items", {})  # which OpenAPI demands
    return answer
