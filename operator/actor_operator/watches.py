"""Informers for kinds: one for each place in which a kind is watched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from typing_extensions import Buffer

from actor_operator.engine.informer import Informer
from actor_operator.engine.store import Store, Stored
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.source import KindSource
from actor_operator.settings import Settings

T = TypeVar("T", bound=Stored)


@dataclass(frozen=True, slots=True, eq=False)
class Watched(Generic[T]):
    """One kind that is watched.

    Parameters
    ----------
    resource
        The kind.
    store
        Where its objects go.
    decode
        Makes an object of its JSON.
    on_change
        Told of each change.
    selector, field_selector
        Only objects that match.
    optional
        Work begins also without it: the cluster may not have this kind.
    """

    resource: Resource
    store: Store[T]
    decode: Callable[[Buffer], T]
    on_change: Callable[[T | None, T | None], None]
    selector: str = ""
    field_selector: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Watches:
    """Every informer, and which of them know of one namespace only.

    Of such a namespace nothing may be seen any more, for instance once it is deleted: that must
    hold up nobody else.
    """

    everywhere: tuple[Informer[Any], ...]
    by_namespace: Mapping[str, tuple[Informer[Any], ...]]
    optional: tuple[Informer[Any], ...] = ()
    """Those of kinds that the cluster may not have: nothing waits for them."""

    @property
    def informers(self) -> tuple[Informer[Any], ...]:
        """All of them."""
        return (*self.needed(lambda _namespace: True), *self.optional)

    def needed(self, serves: Callable[[str], bool]) -> tuple[Informer[Any], ...]:
        """Those without which no work can begin: not those of namespaces that are not ours."""
        ours = (found for place, found in self.by_namespace.items() if serves(place))
        return (*self.everywhere, *(informer for found in ours for informer in found))

    def warm_in(self, namespace: str) -> bool:
        """Whether all of a namespace has been listed once."""
        return all(informer.synced.is_set() for informer in self.by_namespace[namespace])


def build_watches(
    watched: Sequence[Watched[Any]], client: KubeClient, settings: Settings
) -> Watches:
    """One informer for each kind, or for each kind and namespace where only some are named.

    Kinds without namespaces are always watched whole.
    """
    needed = [kind for kind in watched if not kind.optional]
    scattered = [kind for kind in needed if kind.resource.namespaced and settings.namespaces]
    size = settings.engine.page_size
    return Watches(
        everywhere=tuple(
            _informer_of(kind, client, size) for kind in needed if kind not in scattered
        ),
        by_namespace={
            namespace: tuple(_informer_of(kind, client, size, namespace) for kind in scattered)
            for namespace in settings.namespaces
        },
        optional=tuple(
            _informer_of(kind, client, size, namespace)
            for kind in watched
            if kind.optional
            for namespace in settings.namespaces or (None,)
        ),
    )


def _informer_of(
    kind: Watched[T], client: KubeClient, page_size: int, namespace: str | None = None
) -> Informer[T]:
    return Informer(
        source=KindSource(
            client,
            kind.resource,
            namespace=namespace,
            label_selector=kind.selector,
            field_selector=kind.field_selector,
            page_size=page_size,
        ),
        store=kind.store if namespace is None else kind.store.part(namespace),
        decode=kind.decode,
        on_change=kind.on_change,
    )
