"""Which identity may call which route: the whole table, and how routes are found in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fastapi import FastAPI
from fastapi.routing import APIRoute


class Outcome(StrEnum):
    """What comes of a request."""

    ALLOWED = "A"
    UNKNOWN = "U"
    """401: nobody knows who asks."""
    FORBIDDEN = "F"
    """403: the token does not have the permission, whatever is asked for."""
    MISSING = "M"
    """404: as if it were not there."""


class Who(StrEnum):
    """Who asks."""

    NOBODY = "nobody"
    STRANGER = "another account with all scopes"
    READ = "scope read"
    WRITE = "scope write"
    RUN = "scope run"
    ADMIN = "scope admin"
    LIMITED_OTHER = "another run, limited"
    LIMITED_OWN = "the run itself, limited"
    FULL = "another run, full"
    ENDED = "a run that has ended"
    OWNER = "the owner"

    GARBAGE = "a token that never was"
    EXPIRED = "a token whose time is over"
    REVOKED = "a token that was taken back"
    LONG_ENDED = "a run that ended long ago"
    EARLIER = "an earlier attempt of a run"


COLUMNS = (
    Who.NOBODY,
    Who.STRANGER,
    Who.READ,
    Who.WRITE,
    Who.RUN,
    Who.ADMIN,
    Who.LIMITED_OTHER,
    Who.LIMITED_OWN,
    Who.FULL,
    Who.ENDED,
    Who.OWNER,
)
"""Columns of the table. All others have a token that is none: they get 401 everywhere."""

KINDS = {
    #                      nobody
    #                      | stranger
    #                      | | read
    #                      | | | write
    #                      | | | | run
    #                      | | | | | admin
    #                      | | | | | | another run, limited
    #                      | | | | | | | the run itself, limited
    #                      | | | | | | | | another run, full
    #                      | | | | | | | | | a run that has ended
    #                      | | | | | | | | | | owner
    "list":               "U A A F F F F F A F A",
    "make a storage":     "U A F A F F A A A F A",
    "me":                 "U A A F F F A A A F A",
    "figures":            "U A A F F F F F A F A",
    "set limits":         "U A F F F A F F F F A",
    "nothing":            "U A A F F F A A A F A",
    "never there":        "U M M F F F M M M F M",
    "actor":              "U M A F F F A A A F A",
    "variable":           "U M A F F F M M A F A",
    "runs of actor":      "U M A F F F F F A F A",
    "start":              "U M F F A F F A A F A",
    "stop last run":      "U M F F A F F F A F A",
    "log of last run":    "M M A M M M F F A M A",
    "run of actor":       "U M A F F F M A A F A",
    "stop run":           "U M F F A F M A A F A",
    "run":                "M M A M M M M A A M A",
    "status":             "U M F F A F M A A M A",
    "delete run":         "U M F F F A F F F F A",
    "by id: read":        "M M A M M M M M A M A",
    "by id: write":       "U M F A F F M M A F A",
    "of run: read":       "M M A M M M M A A M A",
    "of run: write":      "U M F A F F M A A F A",
    "of last run: read":  "M M A M M M F F A M A",
    "of last run: write": "U M F A F F F F A F A",
}  # fmt: skip

ROWS = {
    "list": """
        GET /v2/key-value-stores
        GET /v2/datasets
        GET /v2/request-queues
        GET /v2/actors
        GET /v2/actor-runs
        GET /v2/actor-builds
    """,
    "make a storage": """
        POST /v2/key-value-stores
        POST /v2/datasets
        POST /v2/request-queues
    """,
    "me": "GET /v2/users/me",
    "figures": """
        GET /v2/users/me/limits
        GET /v2/users/me/usage/monthly
    """,
    "set limits": "PUT /v2/users/me/limits",
    # Names of accounts and public Actors are there for all accounts, as on Apify.
    "nothing": """
        GET /v2/users/{userId}
        GET /v2/store
        POST /v2/actors
        PUT /v2/actors/{actorId}
        DELETE /v2/actors/{actorId}
        POST /v2/actors/{actorId}/versions
        PUT /v2/actors/{actorId}/versions/{versionNumber}
        POST /v2/actors/{actorId}/versions/{versionNumber}
        DELETE /v2/actors/{actorId}/versions/{versionNumber}
        POST /v2/actors/{actorId}/versions/{versionNumber}/env-vars
        PUT /v2/actors/{actorId}/versions/{versionNumber}/env-vars/{envVarName}
        POST /v2/actors/{actorId}/versions/{versionNumber}/env-vars/{envVarName}
        DELETE /v2/actors/{actorId}/versions/{versionNumber}/env-vars/{envVarName}
        POST /v2/actors/{actorId}/builds
        POST /v2/actors/{actorId}/builds/{buildId}/abort
        DELETE /v2/actor-builds/{buildId}
        POST /v2/actor-builds/{buildId}/abort
        GET /v2/actor-tasks
        POST /v2/actor-tasks
        GET /v2/schedules
        POST /v2/schedules
        GET /v2/webhooks
        POST /v2/webhooks
        GET /v2/webhook-dispatches
        GET /v2/browser-info
        POST /v2/browser-info
        PUT /v2/browser-info
        DELETE /v2/browser-info
        POST /v2/tools/encode-and-sign
        POST /v2/tools/decode-and-verify
    """,
    "never there": """
        GET /v2/actor-tasks/{actorTaskId}
        PUT /v2/actor-tasks/{actorTaskId}
        DELETE /v2/actor-tasks/{actorTaskId}
        GET /v2/actor-tasks/{actorTaskId}/input
        PUT /v2/actor-tasks/{actorTaskId}/input
        GET /v2/actor-tasks/{actorTaskId}/webhooks
        GET /v2/actor-tasks/{actorTaskId}/runs
        POST /v2/actor-tasks/{actorTaskId}/runs
        GET /v2/actor-tasks/{actorTaskId}/run-sync
        POST /v2/actor-tasks/{actorTaskId}/run-sync
        GET /v2/actor-tasks/{actorTaskId}/run-sync-get-dataset-items
        POST /v2/actor-tasks/{actorTaskId}/run-sync-get-dataset-items
        GET /v2/schedules/{scheduleId}
        PUT /v2/schedules/{scheduleId}
        DELETE /v2/schedules/{scheduleId}
        GET /v2/schedules/{scheduleId}/log
        GET /v2/webhooks/{webhookId}
        PUT /v2/webhooks/{webhookId}
        DELETE /v2/webhooks/{webhookId}
        POST /v2/webhooks/{webhookId}/test
        GET /v2/webhooks/{webhookId}/dispatches
        GET /v2/webhook-dispatches/{dispatchId}
    """,
    "actor": """
        GET /v2/actors/{actorId}
        GET /v2/actors/{actorId}/webhooks
        POST /v2/actors/{actorId}/validate-input
        GET /v2/actors/{actorId}/versions
        GET /v2/actors/{actorId}/versions/{versionNumber}
        GET /v2/actors/{actorId}/versions/{versionNumber}/env-vars
        GET /v2/actors/{actorId}/builds
        GET /v2/actors/{actorId}/builds/{buildId}
        GET /v2/actors/{actorId}/builds/{buildId}/openapi.json
        GET /v2/actor-builds/{buildId}
        GET /v2/actor-builds/{buildId}/log
        GET /v2/actor-builds/{buildId}/openapi.json
    """,
    "variable": "GET /v2/actors/{actorId}/versions/{versionNumber}/env-vars/{envVarName}",
    "runs of actor": """
        GET /v2/actors/{actorId}/runs
        GET /v2/actors/{actorId}/runs/last
    """,
    "start": """
        POST /v2/actors/{actorId}/runs
        GET /v2/actors/{actorId}/run-sync
        POST /v2/actors/{actorId}/run-sync
        GET /v2/actors/{actorId}/run-sync-get-dataset-items
        POST /v2/actors/{actorId}/run-sync-get-dataset-items
    """,
    "stop last run": """
        POST /v2/actors/{actorId}/runs/last/reboot
        POST /v2/actors/{actorId}/runs/last/metamorph
        POST /v2/actors/{actorId}/runs/last/abort
    """,
    "log of last run": "GET /v2/actors/{actorId}/runs/last/log",
    "run of actor": "GET /v2/actors/{actorId}/runs/{runId}",
    "run": """
        GET /v2/actor-runs/{runId}
        GET /v2/actor-runs/{runId}/log
        GET /v2/logs/{buildOrRunId}
    """,
    "status": "PUT /v2/actor-runs/{runId}",
    "delete run": "DELETE /v2/actor-runs/{runId}",
    "stop run": """
        POST /v2/actor-runs/{runId}/charge
        POST /v2/actor-runs/{runId}/metamorph
        POST /v2/actor-runs/{runId}/reboot
        POST /v2/actor-runs/{runId}/resurrect
        POST /v2/actor-runs/{runId}/abort
        POST /v2/actors/{actorId}/runs/{runId}/metamorph
        POST /v2/actors/{actorId}/runs/{runId}/resurrect
        POST /v2/actors/{actorId}/runs/{runId}/abort
    """,
    "read": """
        GET {store}
        GET {store}/keys
        GET {store}/records
        GET {store}/records/{recordKey}
        HEAD {store}/records/{recordKey}
        GET {dataset}
        GET {dataset}/items
        HEAD {dataset}/items
        GET {dataset}/statistics
        GET {queue}
        GET {queue}/requests
        GET {queue}/requests/{requestId}
        GET {queue}/head
    """,
    "write": """
        PUT {store}
        DELETE {store}
        PUT {store}/records/{recordKey}
        POST {store}/records/{recordKey}
        DELETE {store}/records/{recordKey}
        PUT {dataset}
        DELETE {dataset}
        POST {dataset}/items
        PUT {queue}
        DELETE {queue}
        POST {queue}/requests
        POST {queue}/requests/batch
        DELETE {queue}/requests/batch
        POST {queue}/requests/unlock
        PUT {queue}/requests/{requestId}
        DELETE {queue}/requests/{requestId}
        POST {queue}/head/lock
        PUT {queue}/requests/{requestId}/lock
        DELETE {queue}/requests/{requestId}/lock
    """,
}
"""Every route, by the row of KINDS that holds for it."""

PLACES = {
    "by id": {
        "{store}": "/v2/key-value-stores/{storageId}",
        "{dataset}": "/v2/datasets/{storageId}",
        "{queue}": "/v2/request-queues/{storageId}",
    },
    "of run": {
        "{store}": "/v2/actor-runs/{runId}/key-value-store",
        "{dataset}": "/v2/actor-runs/{runId}/dataset",
        "{queue}": "/v2/actor-runs/{runId}/request-queue",
    },
    "of last run": {
        "{store}": "/v2/actors/{actorId}/runs/last/key-value-store",
        "{dataset}": "/v2/actors/{actorId}/runs/last/dataset",
        "{queue}": "/v2/actors/{actorId}/runs/last/request-queue",
    },
}
"""Where storages are found."""

TWIN = ("/v2/actors", "/v2/acts")
"""All routes of Actors are there twice."""


@dataclass(frozen=True)
class Cell:
    """A route as the table has it."""

    method: str
    path: str
    kind: str

    @property
    def key(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def is_twin(self) -> bool:
        """Whether it is the same as another one, under a former name."""
        return self.path.startswith(TWIN[1])

    def shows_actor(self, who: Who) -> bool:
        """Whether somebody who finds nothing here may still see the Actor in the path."""
        return who in COLUMNS and Cell("", "", "actor").outcome(who) is Outcome.ALLOWED

    def outcome(self, who: Who) -> Outcome:
        """What the table says."""
        if who not in COLUMNS:
            return Outcome.UNKNOWN
        return Outcome(KINDS[self.kind].split()[COLUMNS.index(who)])


def table() -> dict[str, Cell]:
    """All cells, by method and path."""
    cells = (cell for kind, lines in ROWS.items() for cell in _cells(kind, lines))
    return {twin.key: twin for cell in cells for twin in _twins(cell)}


def routes_of(app: FastAPI) -> list[str]:
    """Method and path of every route that an application has."""
    return [
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def _cells(kind: str, lines: str) -> Iterator[Cell]:
    for line in filter(None, map(str.strip, lines.splitlines())):
        method, path = line.split()
        if not path.startswith("{"):
            yield Cell(method, path, kind)
            continue
        for place, paths in PLACES.items():
            word, brace, rest = path.partition("}")
            yield Cell(method, paths[word + brace] + rest, f"{place}: {kind}")


def _twins(cell: Cell) -> Iterator[Cell]:
    yield cell
    today, before = TWIN
    if cell.path == today or cell.path.startswith(f"{today}/"):
        yield Cell(cell.method, cell.path.replace(today, before, 1), cell.kind)
