"""Which namespaces this installation works in, so that several can stand side by side.

A namespace belongs to the installation whose own namespace its label ``actor-operator.dev/install``
names. An installation of some namespaces works in those of them that are labelled for it, the one
for the whole cluster in all that have no such label: nobody has to know of the others.
"""

import asyncio
from collections.abc import Callable

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.constants import LABEL_INSTALL
from actor_operator.engine.store import Store
from actor_operator.errors import ActorOperatorError
from actor_operator.kube.errors import ForbiddenError
from actor_operator.kube.namespaces import Namespaces
from actor_operator.log import logger

log = logger(__name__)

READ_PAUSE = 15.0
"""Seconds between two looks at the labels of the namespaces of an installation of some."""

HAND_OVER = READ_PAUSE + 5.0
"""Seconds after which a namespace that lost its label is free: by then its operator knows."""

FIRST_PAUSE = 0.5
"""As long as not all of them are known."""


class Claims:
    """Tells in which namespaces this installation works.

    Parameters
    ----------
    own
        The installation's own namespace.
    only
        The only namespaces in which it works; empty for the whole cluster.
    labelled
        The namespaces that are known to have the label.
    """

    def __init__(self, *, own: str, only: tuple[str, ...], labelled: Store[NamespaceView]) -> None:
        self._own = own
        self._only = frozenset(only)
        self._labelled = labelled
        self._released: set[str] = set()

    def serves(self, namespace: str) -> bool:
        """Whether this installation works in a namespace."""
        found = self._labelled.get("", namespace)
        if not self._only:
            return found is None and namespace not in self._released
        return namespace in self._only and found is not None and found.install == self._own

    def release(self, namespace: str, look: Callable[[str], None]) -> None:
        """A namespace has lost its label; have it looked at once nobody else works in it."""

        def free() -> None:
            self._released.discard(namespace)
            look(namespace)

        self._released.add(namespace)
        asyncio.get_running_loop().call_later(HAND_OVER, free)


class ClaimReader:
    """Reads the labels of some namespaces again and again: who may list none cannot watch them.

    Parameters
    ----------
    own, only
        As in :class:`Claims`.
    labelled
        What is kept equal.
    reader
        The API server.
    is_warm
        Whether all of a namespace has been listed once: before that nobody works in it.
    on_change
        Called with a namespace whose label has come, changed or gone.
    """

    def __init__(
        self,
        *,
        own: str,
        only: tuple[str, ...],
        labelled: Store[NamespaceView],
        reader: Namespaces,
        is_warm: Callable[[str], bool],
        on_change: Callable[[NamespaceView | None, NamespaceView | None], None],
    ) -> None:
        self._own = own
        self._only = only
        self._labelled = labelled
        self._reader = reader
        self._is_warm = is_warm
        self._on_change = on_change
        self._told: dict[str, str | None] = {}
        self.known = asyncio.Event()
        """Set once it is known of each namespace whose it is."""

    async def run(self) -> None:
        """Read for ever; returns only by being cancelled."""
        while True:
            answers = [await self._read(namespace) for namespace in self._only]
            if all(answers):
                self.known.set()
            await asyncio.sleep(READ_PAUSE if self.known.is_set() else FIRST_PAUSE)

    async def _read(self, name: str) -> bool:
        """Read one label; returns whether it is known whose the namespace is."""
        try:
            found = await self._reader.read(name)
        except ForbiddenError:
            # Our role has gone with the namespace, or is not there yet.
            found = None
        except ActorOperatorError as error:
            # What was known of it goes on to hold: the API server may be away.
            log.debug("A namespace cannot be read.", namespace=name, cause=str(error))
            return False
        if found is not None and found.install == self._own and not self._is_warm(name):
            return False
        self._take(name, found)
        return True

    def _take(self, name: str, found: NamespaceView | None) -> None:
        old = self._labelled.get("", name)
        if found is not None and found.install is not None:
            self._labelled.apply(found)
        elif old is not None:
            self._labelled.remove("", name, old.uid)
        now = self._labelled.get("", name)
        self._say(name, now)
        if (old and old.install) != (now and now.install):
            self._on_change(old, now)

    def _say(self, name: str, found: NamespaceView | None) -> None:
        """Log once whether the installation works in a namespace."""
        install = found.install if found else None
        if name in self._told and self._told[name] == install:
            return
        self._told[name] = install
        if install == self._own:
            log.info("Working in a namespace.", namespace=name)
            return
        log.warning(
            "Runs of a namespace are left alone: it has to be labelled for this installation.",
            namespace=name,
            label=f"{LABEL_INSTALL}={self._own}",
            found=install,
        )
