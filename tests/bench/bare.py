"""Writes what the operator writes, in the same order, and thinks about nothing."""

import queue
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from tests.bench.arena import Arena
from tests.bench.load import CONNECTIONS, Send
from tests.bench.observer import ENDED, RUNNING
from tests.bench.recipe import Recipe
from tests.support.history import Object
from tests.support.operators import USER
from tests.support.rest import RestClient

from actor_operator.api.v1alpha1.phase import Phase

GROUPS = ("system:serviceaccounts", "system:authenticated")
"""The operator's."""


class BareWriter:
    """Carries runs out by rote; a context manager.

    Parameters
    ----------
    arena
        Where; no operator runs in it.
    recipe
        What is written.
    """

    def __init__(self, arena: Arena, recipe: Recipe) -> None:
        self._arena = arena
        self._recipe = recipe
        self._runs: dict[str, Object] = {}
        self._secrets: dict[str, str] = {}
        self._work: queue.SimpleQueue[tuple[str, Send | str | None]] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(CONNECTIONS)

    def __enter__(self) -> Self:
        self._workers = [self._pool.submit(self._serve) for _ in range(CONNECTIONS)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for _ in self._workers:
            self._work.put(("", None))
        for worker in self._workers:
            worker.result()
        self._pool.shutdown()

    def start(self, creation: Send) -> None:
        """Create a run, its Secret and its pod."""
        self._work.put((creation.name, creation))

    def hear(self, what: str, key: str) -> None:
        """Something happened to a run, as an observer tells it: what follows is written."""
        if what in {RUNNING, ENDED}:
            self._work.put((key, what))

    def _serve(self) -> None:
        operator = RestClient(self._arena.plane, user=USER, groups=GROUPS)
        admin = self._arena.client()
        while True:
            key, what = self._work.get()
            if what is None:
                break
            if isinstance(what, Send):
                self._begin(admin, operator, what)
            elif what == RUNNING:
                self._tell(operator, key, Phase.RUNNING)
            elif self._runs[key]["status"]["phase"] == Phase.RUNNING:
                self._end(operator, key)
            else:
                self._work.put((key, what))  # another worker still writes what comes before
        operator.close()
        admin.close()

    def _begin(self, admin: RestClient, operator: RestClient, creation: Send) -> None:
        run = _written(admin, "POST", creation.path, creation.body)
        name, place = run["metadata"]["name"], run["metadata"]["namespace"]
        uid, core = run["metadata"]["uid"], f"/api/v1/namespaces/{place}"
        self._runs[creation.name] = run
        secret = _written(operator, "POST", f"{core}/secrets", self._recipe.secret_for(name, uid))
        self._secrets[creation.name] = f"{core}/secrets/{secret['metadata']['name']}"
        _written(operator, "POST", f"{core}/pods", self._recipe.pod_for(name, uid))

    def _tell(self, operator: RestClient, key: str, phase: Phase) -> None:
        run = self._runs[key]
        place, name = key.split("/")
        path = f"/apis/{run['apiVersion']}/namespaces/{place}/actorruns/{name}/status"
        self._runs[key] = _written(operator, "PUT", path, self._recipe.status_for(phase, run))

    def _end(self, operator: RestClient, key: str) -> None:
        _written(operator, "DELETE", self._secrets[key], None)
        self._tell(operator, key, Phase.SUCCEEDED)


def _written(client: RestClient, verb: str, path: str, body: object) -> Object:
    answer = client.call(verb, path, body)
    assert answer.accepted, f"{verb} {path}: {answer.sentences}"
    found: Object = answer.body
    return found
