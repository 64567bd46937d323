"""Starts the API server."""

import uvloop

from actor_operator.api_factory import build_api
from actor_operator.api_parts import read_keyring, start_logging
from actor_operator.kube.credentials import Connection, connect
from actor_operator.server.application import build_application
from actor_operator.server.measured import Measured
from actor_operator.server.process import serve
from actor_operator.settings import Settings
from actor_operator.storage.open import open_database, open_objects


def run_api(settings: Settings) -> None:
    """Run until a signal ends it.

    Raises
    ------
    ConfigurationError
        When settings, keys, credentials, the database or the bucket do not allow it to start.
    """
    start_logging(settings)
    uvloop.run(serve_api(settings, connect()))


async def serve_api(settings: Settings, connection: Connection) -> None:
    """Serve the Apify HTTP API.

    Raises
    ------
    ConfigurationError
        When keys, the database or the bucket do not allow it to start, or a port is taken.
    """
    keyring = read_keyring(settings.api.keys_folder)
    objects = await open_objects(settings.api.storage)
    database = await open_database(settings.api.storage)
    api = build_api(settings, connection, keyring, database, objects)
    app = Measured(build_application(api), api.metrics)
    await serve(api, app, settings.api)
