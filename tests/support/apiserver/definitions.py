"""Serves the kinds of CustomResourceDefinitions as these come, change and go."""

from functools import partial

from tests.support.apiserver.builtin import DEFINITIONS
from tests.support.apiserver.clock import Clock
from tests.support.apiserver.custom import established, kinds_of
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.kinds import Registry
from tests.support.apiserver.store import Change, Store
from tests.support.apiserver.timers import Timers


class Definitions:
    """Follows the definitions in the store."""

    def __init__(self, *, store: Store, registry: Registry, timers: Timers, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._timers = timers
        self._clock = clock

    def on_change(self, change: Change) -> None:
        """Serve the kinds of a new or changed definition, and say so in its status."""
        if change.kind is not DEFINITIONS:
            return
        definition = change.after.object
        if change.deleted:
            self._withdraw(definition)
            return
        for kind in kinds_of(definition):
            self._registry.add(kind)
        if not at(definition, "status.conditions"):
            self._timers.later(0, partial(self._establish, change.key[1]))

    def _establish(self, name: str) -> None:
        version = self._store.get(DEFINITIONS, ("", name))
        if version is not None:
            status = established(version.object, self._clock)
            self._store.put(DEFINITIONS, ("", name), version.object | {"status": status})

    def _withdraw(self, definition: Object) -> None:
        """Serve the kinds no longer; their objects go with them."""
        for kind in kinds_of(definition):
            for key in list(self._store.all(kind)):
                self._store.remove(kind, key)
            self._registry.remove(kind)
