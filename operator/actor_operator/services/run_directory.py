"""Where each run is: by its ids and by those of its storages, from what the informer knows."""

from collections.abc import Callable

from actor_operator.api.views.run import RunView
from actor_operator.desired.names import ids
from actor_operator.engine.store import Key, Store
from actor_operator.kube.run_requests import slim
from actor_operator.kube.runs import Runs
from actor_operator.services.run_watch import Run

Listener = Callable[[RunView | None, RunView | None], None]
"""Called with a run before and after a change."""


class RunDirectory:
    """Finds runs.

    Parameters
    ----------
    store
        The runs, whole; an informer fills it.
    runs
        Asked for what the informer has not told of yet.
    """

    def __init__(self, store: Store[Run], runs: Runs) -> None:
        self._store = store
        self._runs = runs
        self._by_id: dict[str, Key] = {}
        self._by_uid: dict[str, Key] = {}
        self._by_storage: dict[str, str] = {}
        self._listeners: list[Listener] = []
        store.listen(self._on_change)

    def on_change(self, listener: Listener) -> None:
        """Have every change told; it must not fail."""
        self._listeners.append(listener)

    def __len__(self) -> int:
        return len(self._store)

    def all(self) -> list[RunView]:
        """Every run."""
        return [run for run in self._store if isinstance(run, RunView)]

    def by_name(self, namespace: str, name: str) -> RunView | None:
        """The run of that name, if it is known."""
        found = self._store.get(namespace, name)
        return found if isinstance(found, RunView) else None

    def by_id(self, run_id: str) -> RunView | None:
        """The run with that id, if it is known."""
        key = self._by_id.get(run_id)
        return self.by_name(*key) if key else None

    def by_uid(self, uid: str) -> RunView | None:
        """The run with that uid, if it is known."""
        key = self._by_uid.get(uid)
        return self.by_name(*key) if key else None

    def by_storage(self, storage_id: str) -> RunView | None:
        """The run that has a storage by default, if it is known."""
        run_id = self._by_storage.get(storage_id)
        return self.by_id(run_id) if run_id else None

    async def find(self, namespace: str, name: str) -> RunView | None:
        """The run of that name; one that was not seen yet is asked for.

        Raises
        ------
        RetryableError
            When Kubernetes does not answer.
        """
        return self.by_name(namespace, name) or await self.read(namespace, name)

    async def read(self, namespace: str, name: str) -> RunView | None:
        """The run of that name as it is now.

        Raises
        ------
        RetryableError
            When Kubernetes does not answer.
        """
        found = await self._runs.read(namespace, name)
        if found is not None:
            self.take(found)
        return found

    def take(self, run: RunView) -> None:
        """Take in the answer to a write: who reads next sees what it changed."""
        self._store.apply(slim(run))

    def _on_change(self, old: Run | None, new: Run | None) -> None:
        before = old if isinstance(old, RunView) else None
        after = new if isinstance(new, RunView) else None
        if before is not None and (after is None or before.uid != after.uid):
            self._remove(before)
        if after is not None and (before is None or before.uid != after.uid):
            self._add(after)
        for listener in self._listeners:
            listener(before, after)

    def _add(self, run: RunView) -> None:
        known, key = ids(run), (run.namespace, run.name)
        self._by_id[known.run] = key
        self._by_uid[run.uid] = key
        for storage in (known.key_value_store, known.dataset, known.request_queue):
            self._by_storage[storage] = known.run

    def _remove(self, run: RunView) -> None:
        known = ids(run)
        self._by_uid.pop(run.uid, None)
        # A namesake may have taken its place, and the id with it, when the API server made both.
        if self._by_id.get(known.run) == (run.namespace, run.name):
            del self._by_id[known.run]
            for storage in (known.key_value_store, known.dataset, known.request_queue):
                self._by_storage.pop(storage, None)
