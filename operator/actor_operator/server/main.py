"""Starts the API server, or its events' part."""

import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from actor_operator.api_factory import build_api
from actor_operator.api_parts import read_keyring
from actor_operator.errors import ConfigurationError
from actor_operator.events_factory import Events, build_events
from actor_operator.kube.credentials import Connection, connect
from actor_operator.log import configure
from actor_operator.server.application import build_application
from actor_operator.server.events import ROUTE, EventSockets
from actor_operator.server.measured import Measured
from actor_operator.server.process import serve
from actor_operator.settings import LogFormat, Settings
from actor_operator.storage.open import open_database, open_objects


def run_server(settings: Settings, *, only_events: bool) -> None:
    """Run until a signal ends it.

    Raises
    ------
    ConfigurationError
        When settings, keys, credentials or the database do not allow it to start.
    """
    configure(level=settings.log.level, json=settings.log.format is LogFormat.JSON)
    if not settings.api.enabled:
        raise ConfigurationError("api.enabled is false: there is nothing to serve.")
    main = serve_events if only_events else serve_api
    uvloop.run(main(settings, connect()))


async def serve_api(settings: Settings, connection: Connection) -> None:
    """Serve the Apify HTTP API.

    Raises
    ------
    ConfigurationError
        When keys or the database do not allow it to start, or a port is taken.
    """
    keyring = read_keyring(settings.api.keys_folder)
    objects = open_objects(settings.api.storage)
    database = await open_database(settings.api.storage)
    api = build_api(settings, connection, keyring, database, objects)
    app = Measured(build_application(api), api.cluster.metrics)
    await serve(api, app, settings.api)


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
    sockets = EventSockets(events.keyring, events.hub, events.live, events.info, events.clock)
    return Starlette(routes=[WebSocketRoute(ROUTE, sockets.serve)])
