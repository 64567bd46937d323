"""All routes of the API server, put together."""

from collections.abc import Callable, Iterator

from fastapi import FastAPI

from actor_operator.api_factory import Api
from actor_operator.server.account_path import AccountPath
from actor_operator.server.app import build_app
from actor_operator.server.finding import by_id, by_last_run, by_run
from actor_operator.server.gate import Gate
from actor_operator.server.routes.actor_runs import ActorRunUses, actor_run_routes
from actor_operator.server.routes.actors import PREFIXES, actor_routes
from actor_operator.server.routes.builds import actor_build_routes, build_routes
from actor_operator.server.routes.datasets import dataset_collection_routes, dataset_routes
from actor_operator.server.routes.key_value_stores import TAG as KEY_VALUE_STORES
from actor_operator.server.routes.key_value_stores import key_value_store_routes
from actor_operator.server.routes.logs import last_log_routes, log_routes
from actor_operator.server.routes.request_queues import (
    request_queue_collection_routes,
    request_queue_routes,
)
from actor_operator.server.routes.runs import run_routes
from actor_operator.server.routes.storages import storage_collection_routes
from actor_operator.server.routes.store import store_routes
from actor_operator.server.routes.unsupported import unsupported_routes
from actor_operator.server.routes.users import user_routes
from actor_operator.server.routing import Routes
from actor_operator.services.access import FindStorage
from actor_operator.services.public_actors import PublicActors
from actor_operator.storage.catalog import StorageKind

FindKind = Callable[[StorageKind], FindStorage]
"""Makes the dependency that finds a storage of a kind."""


def build_application(api: Api) -> FastAPI:
    """The application of the API server."""
    app = build_app(Gate(api.authentication, api.rates), _routes(api))
    app.add_middleware(AccountPath)
    return app


def _routes(api: Api) -> Iterator[Routes]:
    storages, runs = api.storages, api.runs
    find_last = runs.finding.last_run_id
    yield from _collections(api)
    yield from _storages(
        api,
        "/v2/key-value-stores/{storageId}",
        "/v2/datasets/{storageId}",
        "/v2/request-queues/{storageId}",
        find=lambda kind: by_id(storages.access, kind),
    )
    # Before the routes of runs by their id below an Actor: "last" is no id.
    for prefix in PREFIXES:
        below = f"{prefix}/{{actorId}}/runs/last"
        yield from _storages(
            api,
            f"{below}/key-value-store",
            f"{below}/dataset",
            f"{below}/request-queue",
            find=lambda kind: by_last_run(storages.access, kind, find_last),
        )
        yield last_log_routes(prefix, api.logs, runs.answers, runs.finding)
        yield actor_routes(prefix, runs.actors)
        yield actor_build_routes(prefix, runs.actors)
        yield actor_run_routes(prefix, _uses(api))
    below = "/v2/actor-runs/{runId}"
    yield from _storages(
        api,
        f"{below}/key-value-store",
        f"{below}/dataset",
        f"{below}/request-queue",
        find=lambda kind: by_run(storages.access, kind),
    )
    yield run_routes(runs.runs, runs.answers)
    yield build_routes(runs.actors)
    yield log_routes(api.logs, runs.answers, runs.actors)
    yield user_routes(api.users, api.measure)
    yield store_routes(PublicActors(runs.directory))
    yield unsupported_routes()


def _collections(api: Api) -> Iterator[Routes]:
    kinds = api.storages.kinds
    yield storage_collection_routes(
        "/v2/key-value-stores", KEY_VALUE_STORES, kinds[StorageKind.KEY_VALUE_STORE]
    )
    yield dataset_collection_routes(kinds[StorageKind.DATASET])
    yield request_queue_collection_routes(kinds[StorageKind.REQUEST_QUEUE])


def _storages(
    api: Api, store: str, dataset: str, queue: str, *, find: FindKind
) -> Iterator[Routes]:
    """The routes of one storage of each kind, at three paths."""
    services = api.storages
    yield key_value_store_routes(
        store,
        services.kinds[StorageKind.KEY_VALUE_STORE],
        services.key_value_stores,
        services.keys,
        find(StorageKind.KEY_VALUE_STORE),
        max_record_bytes=api.settings.api.limits.max_record_bytes,
    )
    yield dataset_routes(
        dataset,
        services.kinds[StorageKind.DATASET],
        services.datasets,
        find(StorageKind.DATASET),
    )
    yield request_queue_routes(
        queue,
        services.kinds[StorageKind.REQUEST_QUEUE],
        services.queues,
        find(StorageKind.REQUEST_QUEUE),
    )


def _uses(api: Api) -> ActorRunUses:
    runs = api.runs
    return ActorRunUses(
        actors=runs.actors,
        answers=runs.answers,
        finding=runs.finding,
        sync=runs.sync,
        runs=runs.runs,
        stores=api.storages.key_value_stores,
        datasets=api.storages.datasets,
    )
