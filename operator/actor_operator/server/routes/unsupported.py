"""Parts of Apify's API that this server does not have: each answers so, in words.

Lists of what cannot exist are empty pages, so that programs that only look go on.
"""

from dataclasses import dataclass

from fastapi.responses import Response

from actor_operator.server.answers import page
from actor_operator.server.parameters import Desc, Limit, Offset, page_limit
from actor_operator.server.routes.refusal import add_refusal
from actor_operator.server.routing import Routes, Who
from actor_operator.services.errors import not_found
from actor_operator.services.identity import Permission


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun that this server does not have.

    Parameters
    ----------
    what
        What it is called in a sentence.
    path
        Of its list.
    thing
        Path of one of them after that; empty: there is none.
    below
        Methods and paths below one of them.
    writable
        Whether its list takes a POST.
    """

    what: str
    path: str
    thing: str = ""
    below: tuple[tuple[str, str], ...] = ()
    writable: bool = True


TASK = "/{actorTaskId}"
STARTS = tuple(
    (method, f"{TASK}/{name}")
    for name in ("run-sync", "run-sync-get-dataset-items")
    for method in ("GET", "POST")
)

NOUNS = (
    Noun(
        "tasks",
        "/v2/actor-tasks",
        TASK,
        (
            ("GET", f"{TASK}/input"),
            ("PUT", f"{TASK}/input"),
            ("GET", f"{TASK}/webhooks"),
            ("GET", f"{TASK}/runs"),
            ("POST", f"{TASK}/runs"),
            *STARTS,
        ),
    ),
    Noun("schedules", "/v2/schedules", "/{scheduleId}", (("GET", "/{scheduleId}/log"),)),
    Noun(
        "webhooks",
        "/v2/webhooks",
        "/{webhookId}",
        (("POST", "/{webhookId}/test"), ("GET", "/{webhookId}/dispatches")),
    ),
    Noun("webhook dispatches", "/v2/webhook-dispatches", "/{dispatchId}", writable=False),
)
"""All of them. What is below one of them is not found, as the thing itself is not."""

TOOLS = (
    ("GET", "/v2/browser-info"),
    ("POST", "/v2/browser-info"),
    ("PUT", "/v2/browser-info"),
    ("DELETE", "/v2/browser-info"),
    ("POST", "/v2/tools/encode-and-sign"),
    ("POST", "/v2/tools/decode-and-verify"),
)
"""Apify's tools, which have nothing to do with actors."""


def unsupported_routes() -> Routes:
    """Every route that is refused."""
    routes = Routes("", "Not supported")
    for noun in NOUNS:
        _add_noun(routes, noun)
    for method, path in TOOLS:
        add_refusal(routes, method, path, "this tool")
    return routes


def _add_noun(routes: Routes, noun: Noun) -> None:
    async def empty(
        _: Who, offset: Offset = 0, limit: Limit = 0, *, desc: Desc = False
    ) -> Response:
        return page([], total=0, offset=offset, limit=page_limit(limit), desc=desc)

    empty.__doc__ = f"List {noun.what}: there are none."
    routes.get(noun.path, needs=Permission.READ)(empty)
    if noun.writable:
        add_refusal(routes, "POST", noun.path, noun.what)
    own = tuple((method, noun.thing) for method in ("GET", "PUT", "DELETE"))
    for method, path in (*(own if noun.writable else own[:1]), *noun.below):
        _add_missing(routes, method, noun.path + path, noun.what)


def _add_missing(routes: Routes, method: str, path: str, what: str) -> None:
    async def miss(_: Who) -> Response:
        raise not_found(what.capitalize())

    miss.__doc__ = f"Find nothing: this server has no {what}."
    routes.add(method, path, needs=Permission.READ, status=404)(miss)
