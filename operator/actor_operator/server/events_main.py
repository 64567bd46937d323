"""Starts the events' part of the API server, which needs no database."""

import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from actor_operator.api_parts import read_keyring, start_logging
from actor_operator.events_factory import Events, build_events
from actor_operator.kube.credentials import Connection, connect
from actor_operator.server.events import ROUTE, EventSockets
from actor_operator.server.process import serve
from actor_operator.settings import Settings


def run_events(settings: Settings) -> None:
    """Run until a signal ends it.

    Raises
    ------
    ConfigurationError
        When settings, keys or credentials do not allow it to start.
    """
    start_logging(settings)
    uvloop.run(serve_events(settings, connect()))


async def serve_events(settings: Settings, connection: Connection) -> None:
    """Serve the events' sockets.

    Raises
    ------
    ConfigurationError
        When the keys do not allow it to start, or a port is taken.
    """
    events = build_events(settings, connection, read_keyring(settings.api.keys_folder))
    await serve(events, events_app(events), settings.api)


def events_app(events: Events) -> Starlette:
    """The application of the events' process."""
    sockets = EventSockets(
        events.keyring,
        events.hub,
        events.live,
        events.info,
        events.clock,
        events.limits.max_event_sockets,
    )
    events.metrics.sockets.set_function(lambda: sockets.count)
    return Starlette(routes=[WebSocketRoute(ROUTE, sockets.serve)])
