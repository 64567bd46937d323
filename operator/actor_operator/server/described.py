"""What the OpenAPI document says of requests and answers, beside their parameters."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from actor_operator.services.identity import Permission

Content = dict[str, Any]
"""Schemas by media type, as the specification of OpenAPI has them."""

ENVELOPE: Content = {
    "application/json": {
        "schema": {"type": "object", "required": ["data"], "properties": {"data": {}}}
    }
}
"""An answer in Apify's envelope."""

OBJECT: Content = {"application/json": {"schema": {"type": "object"}}}
"""A JSON object, without an envelope."""

JSON_VALUE: Content = {"application/json": {"schema": {}}}
"""Any JSON."""

PLAIN_TEXT: Content = {"text/plain": {"schema": {"type": "string"}}}
"""Text."""

ANYTHING: Content = {"*/*": {"schema": {}}}
"""Bytes of any type: what users have written, or files."""

NOTHING: Content = {}
"""No body."""

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {
                "type": {"type": "string", "description": "For programs: what is wrong."},
                "message": {"type": "string", "description": "For people: what to do."},
                "data": {"type": "object", "description": "More for programs."},
            },
        }
    },
}
"""Schema of every error."""

SCHEMES = {
    "header": {"type": "http", "scheme": "bearer", "description": "A token of an account or run."},
    "query": {"type": "apiKey", "in": "query", "name": "token"},
}
"""How a token is sent."""

ERROR_NAME = "Error"


def responses(status: int, gives: Content) -> dict[int | str, dict[str, Any]]:
    """The answers of a route: its success, and errors."""
    error = {
        "description": "An error.",
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ERROR_NAME}"}}},
    }
    if status >= 400:  # a route that always refuses
        return {status: error, "default": error}
    body = {} if status == 204 or not gives else {"content": gives}
    return {status: {"description": "Success.", **body}, "default": error}


def request_body(takes: Content) -> dict[str, Any]:
    """The body of a route's requests, if they have one."""
    return {"requestBody": {"content": takes}} if takes else {}


def security(needs: Permission) -> dict[str, Any]:
    """How one may ask a route: with a token, or without one too."""
    ways: list[dict[str, list[str]]] = [{name: []} for name in SCHEMES]
    nobody_may = needs in {Permission.PUBLIC, Permission.SHARED}
    return {"security": [*ways, {}] if nobody_may else ways}


def describe(app: FastAPI) -> None:
    """Add to the document of an application what its routes refer to."""
    made: Callable[[], dict[str, Any]] = app.openapi

    def document() -> dict[str, Any]:
        found = made()
        components = found.setdefault("components", {})
        components.setdefault("schemas", {})[ERROR_NAME] = ERROR
        components["securitySchemes"] = SCHEMES
        return found

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way
