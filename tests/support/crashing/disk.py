"""What a disk may hold after the power went out, by what was done to it before.

Strict: a write is there for sure after a sync of its file, a name after a sync of its folder, and
nothing else is. What was not synced is dropped, or each piece of it by a throw of a coin: disks
keep no order.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crashing.entries import Entry, Kind

Keep = Callable[[], bool]
"""Whether the next unsynced thing survives."""

MEMORY = "-shm"
"""End of the name of the file that SQLite maps into memory: it is made anew after a crash."""


@dataclass(slots=True, eq=False)
class _Node:
    """A file, under whatever name, or a folder."""

    is_folder: bool = False
    content: bytearray = field(default_factory=bytearray)
    unsynced: list[Entry] = field(default_factory=list)
    names: dict[str, "_Node | None"] = field(default_factory=dict)
    unsynced_names: list[tuple[str, "_Node | None"]] = field(default_factory=list)

    def now(self, name: str) -> "_Node | None":
        """What has a name as programs see it."""
        for changed, node in reversed(self.unsynced_names):
            if changed == name:
                return node
        return self.names.get(name)

    def sync(self, keep: Keep = lambda: True) -> None:
        for entry in self.unsynced:
            if keep():
                self._apply(entry)
        self.unsynced.clear()

    def sync_names(self, keep: Keep = lambda: True) -> None:
        for name, node in self.unsynced_names:
            if keep():
                self.names[name] = node
        self.unsynced_names.clear()

    def _apply(self, entry: Entry) -> None:
        if entry.kind is Kind.CUT:
            del self.content[entry.offset :]
            return
        missing = entry.offset - len(self.content)
        if missing > 0:
            self.content += bytes(missing)
        self.content[entry.offset : entry.offset + len(entry.data)] = entry.data


class Disk:
    """A folder, what was done in it, and what of that is durable.

    Parameters
    ----------
    before
        A copy of the folder as it was at the beginning: all of that is durable.
    root
        The folder.
    """

    def __init__(self, before: Path, root: Path) -> None:
        self._root = root
        self._top = _load(before)

    def follow(self, entries: Iterable[Entry]) -> None:
        """Do what was done."""
        for entry in entries:
            self._follow(entry)

    def lose_power(self, keep: Keep) -> None:
        """Drop what is not durable, but for what is kept by chance."""
        for node in _nodes(self._top):
            node.sync(keep)
            node.sync_names(keep)

    def write_to(self, folder: Path) -> None:
        """Make the files that are there."""
        _write(self._top, folder)

    def _follow(self, entry: Entry) -> None:
        match entry.kind:
            case Kind.MAKE:
                self._put(entry.path, _Node())
            case Kind.MAKE_FOLDER:
                self._put(entry.path, _Node(is_folder=True))
            case Kind.RENAME:
                self._put(entry.target, self._at(entry.path))
                self._put(entry.path, None)
            case Kind.REMOVE:
                self._put(entry.path, None)
            case Kind.WRITE | Kind.CUT:
                self._at(entry.path).unsynced.append(entry)
            case Kind.SYNC:
                self._at(entry.path).sync()
            case Kind.SYNC_FOLDER:
                self._at(entry.path).sync_names()
            case Kind.STATEMENT | Kind.UPLOAD | Kind.UPLOADED | Kind.DELETION | Kind.DELETED:
                pass  # servers do not lose power
            case Kind.BEGUN | Kind.DONE:
                pass

    def _put(self, path: str, node: _Node | None) -> None:
        whole = Path(path)
        self._at(str(whole.parent)).unsynced_names.append((whole.name, node))

    def _at(self, path: str) -> _Node:
        node = self._top
        for part in Path(path).relative_to(self._root).parts:
            below = node.now(part)
            if below is None:
                raise ValueError(f"{path} is used, and was never made")
            node = below
        return node


def _load(path: Path) -> _Node:
    if not path.is_dir():
        return _Node(content=bytearray(path.read_bytes()))
    below = (each for each in path.iterdir() if not each.name.endswith(MEMORY))
    return _Node(is_folder=True, names={each.name: _load(each) for each in below})


def _write(node: _Node, path: Path) -> None:
    if not node.is_folder:
        path.write_bytes(node.content)
        return
    path.mkdir()
    for name, below in node.names.items():
        if below is not None:
            _write(below, path / name)


def _nodes(node: _Node) -> Iterator[_Node]:
    """A folder and all that is in it or will be."""
    yield node
    below = [*node.names.values(), *(each for _, each in node.unsynced_names)]
    for each in below:
        if each is not None:
            yield from _nodes(each)
