"""The objects of one kind as they were last seen, with indexes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Key = tuple[str, str]
"""Namespace (empty for kinds without) and name."""


class Stored(Protocol):
    """What an object must tell of itself to be kept."""

    @property
    def namespace(self) -> str:
        """``metadata.namespace``; empty for kinds without namespaces."""
        ...

    @property
    def name(self) -> str:
        """``metadata.name``."""
        ...

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        ...

    @property
    def resource_version(self) -> str:
        """``metadata.resourceVersion``."""
        ...


T = TypeVar("T", bound=Stored)

IndexFunction = Callable[[T], str | None]
"""Under which value an object is filed; ``None`` for not at all."""

Listener = Callable[[T | None, T | None], None]
"""Called with an object before and after a change; ``None`` where it was not there."""


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """What happened to one object: before and after, ``None`` where it was not there."""

    old: T | None
    new: T | None


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """What a full list changed."""

    added: list[T] = field(default_factory=list)
    changed: list[Change[T]] = field(default_factory=list)
    vanished: list[T] = field(default_factory=list)

    def changes(self) -> Iterator[Change[T]]:
        """All of it, one object at a time; deletions first."""
        yield from (Change(old, None) for old in self.vanished)
        yield from self.changed
        yield from (Change(None, new) for new in self.added)


def is_newer(version: str, than: str) -> bool:
    """Whether a resourceVersion is newer than another of the same server.

    Since 1.35 Kubernetes promises that they compare as numbers. What is no number cannot be
    compared and counts as newer when it differs: an event then wins over what is stored.
    """
    if version.isdecimal() and than.isdecimal():
        return int(version) > int(than)
    return version != than


class Store(Generic[T]):
    """Objects by namespace and name.

    Whatever is told, only newer versions replace older ones: answers to our own writes may be put
    in beside the watch, in any order.

    Parameters
    ----------
    indexes
        Name of each index and the function that files an object in it.
    """

    def __init__(self, indexes: Mapping[str, IndexFunction[T]] | None = None) -> None:
        self._objects: dict[Key, T] = {}
        self._functions = dict(indexes or {})
        self._indexes: dict[str, dict[str, set[Key]]] = {name: {} for name in self._functions}
        self._parts: dict[str, Part[T]] = {}
        self._listeners: list[Listener[T]] = []
        self.version = ""
        """Up to where the watch has told everything; the informer moves it."""

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._objects.values()))

    def listen(self, listener: Listener[T]) -> None:
        """Have every change told, also those by answers to our own writes; it must not fail."""
        self._listeners.append(listener)

    def part(self, namespace: str) -> "Part[T]":
        """The objects of one namespace, for an informer that knows of no other."""
        return self._parts.setdefault(namespace, Part(self, namespace))

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name."""
        return self._objects.get((namespace, name))

    def by_index(self, index: str, value: str) -> list[T]:
        """The objects that an index files under a value.

        Raises
        ------
        KeyError
            When there is no such index.
        """
        return [self._objects[key] for key in self._indexes[index].get(value, ())]

    def index_values(self, index: str) -> list[str]:
        """All values under which an index has objects."""
        return list(self._indexes[index])

    def apply(self, new: T) -> Change[T] | None:
        """Take an object in, from the watch or from the answer to a write.

        Returns
        -------
        Change or None
            ``None`` when nothing changed: what is stored is as new, or the watch has already told
            of this object's deletion.
        """
        if not new.resource_version:
            # Some answers to a DELETE have none (seen: 1 of 300 at once, kube-apiserver 1.36).
            # When they were true nobody can say, and the watch tells what became of the object.
            return None
        old = self.get(new.namespace, new.name)
        known = self._version_of(new.namespace) if old is None else old.resource_version
        return self._take(old, new, known)

    def remove(self, namespace: str, name: str, uid: str) -> T | None:
        """Take an object out; a namesake with another uid stays.

        Returns
        -------
        T or None
            What was taken out.
        """
        key = (namespace, name)
        old = self._objects.get(key)
        if old is None or old.uid != uid:
            return None
        self._unfile(key, old)
        del self._objects[key]
        self._tell(old, None)
        return old

    def replace_all(
        self, listed: Iterable[T], version: str, unreadable: Collection[Key] = ()
    ) -> Difference[T]:
        """Make the store what a full list says.

        Parameters
        ----------
        listed
            Every object of the list.
        version
            The list's resourceVersion.
        unreadable
            Objects of the list that could not be decoded: what is stored of them stays.

        Returns
        -------
        Difference
            What changed, also what vanished without anybody having told.
        """
        known, self.version = self.version, version
        return self._replace(list(self._objects.values()), listed, known, version, unreadable)

    def replace_part(
        self,
        namespace: str,
        listed: Iterable[T],
        known: str,
        version: str,
        unreadable: Collection[Key] = (),
    ) -> Difference[T]:
        """Make the objects of one namespace what a list of it says, as :meth:`replace_all`.

        ``known`` is up to where the watch of that namespace had told everything.
        """
        stored = [old for (place, _), old in self._objects.items() if place == namespace]
        return self._replace(stored, listed, known, version, unreadable)

    def _replace(
        self,
        stored: Iterable[T],
        listed: Iterable[T],
        known: str,
        version: str,
        unreadable: Collection[Key],
    ) -> Difference[T]:
        difference: Difference[T] = Difference()
        present = set(unreadable)
        # A list is never older than the watch, unless the server was restored from a backup.
        restored = bool(known) and is_newer(known, version)
        for new in listed:
            present.add((new.namespace, new.name))
            old = self.get(new.namespace, new.name)
            newest = "" if restored or old is None else old.resource_version
            self._note(self._take(old, new, newest), difference)
        for old in stored:
            # The answer to a write may be younger than the list.
            gone = restored or not is_newer(old.resource_version, version)
            if (old.namespace, old.name) not in present and gone:
                self.remove(old.namespace, old.name, old.uid)
                difference.vanished.append(old)
        return difference

    def _version_of(self, namespace: str) -> str:
        """Up to where everything about a namespace is known."""
        part = self._parts.get(namespace)
        return part.version if part is not None else self.version

    def _tell(self, old: T | None, new: T | None) -> None:
        for listener in self._listeners:
            listener(old, new)

    def _take(self, old: T | None, new: T, known: str) -> Change[T] | None:
        if known and not is_newer(new.resource_version, known):
            return None
        self._put(old, new)
        return Change(old, new)

    @staticmethod
    def _note(change: Change[T] | None, difference: Difference[T]) -> None:
        if change is None or change.new is None:
            return
        if change.old is None:
            difference.added.append(change.new)
        else:
            difference.changed.append(change)

    def _put(self, old: T | None, new: T) -> None:
        key = (new.namespace, new.name)
        if old is not None:
            self._unfile(key, old)
        self._objects[key] = new
        for name, function in self._functions.items():
            value = function(new)
            if value is not None:
                self._indexes[name].setdefault(value, set()).add(key)
        self._tell(old, new)

    def _unfile(self, key: Key, old: T) -> None:
        for name, function in self._functions.items():
            value = function(old)
            if value is None:
                continue
            keys = self._indexes[name][value]
            keys.discard(key)
            if not keys:
                del self._indexes[name][value]


class Part(Generic[T]):
    """The objects of one namespace in a store: what an informer of that namespace fills.

    Parameters
    ----------
    store
        Where the objects are.
    namespace
        Which of them are meant.
    """

    def __init__(self, store: Store[T], namespace: str) -> None:
        self._store = store
        self._namespace = namespace
        self.version = ""
        """Up to where the watch has told everything; the informer moves it."""

    def apply(self, new: T) -> Change[T] | None:
        """Take an object in, as :meth:`Store.apply`."""
        return self._store.apply(new)

    def remove(self, namespace: str, name: str, uid: str) -> T | None:
        """Take an object out, as :meth:`Store.remove`."""
        return self._store.remove(namespace, name, uid)

    def replace_all(
        self, listed: Iterable[T], version: str, unreadable: Collection[Key] = ()
    ) -> Difference[T]:
        """Make the part what a full list of the namespace says, as :meth:`Store.replace_all`."""
        known, self.version = self.version, version
        return self._store.replace_part(self._namespace, listed, known, version, unreadable)
