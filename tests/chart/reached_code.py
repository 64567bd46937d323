"""Finds the code that a process can reach, by reading the code.

From its roots on, whatever is named counts as used: a name leads to the function, class or
constant that it stands for, in this module or another one of the package. A method counts when its
class is reached and anything that is reached says ``.method``. So nothing that runs is missed;
something that never runs may be found, where classes have methods of the same name.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

Symbol = tuple[str, str]
"""Module, and the name of something at its top level."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A module: what it defines, and what its imported names stand for."""

    module: ModuleType
    definitions: dict[str, ast.stmt]
    imported: dict[str, Symbol]


@cache
def source_of(name: str) -> Source:
    """A module of the package, which is imported."""
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
    return Source(module, _definitions(tree), _imported(tree))


def _definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for statement in tree.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[statement.name] = statement
            case ast.Assign(targets=targets):
                found |= {
                    target.id: statement for target in targets if isinstance(target, ast.Name)
                }
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = statement
            case _:
                pass
    return found


def _imported(tree: ast.Module) -> dict[str, Symbol]:
    """Names from other modules of the package, those of imports inside functions too."""
    return {
        alias.asname or alias.name: (str(statement.module), alias.name)
        for statement in ast.walk(tree)
        if isinstance(statement, ast.ImportFrom)
        and (statement.module or "").partition(".")[0] == "actor_operator"
        for alias in statement.names
    }


@dataclass
class _Search:
    """What is reached so far."""

    waiting: list[tuple[str, ast.AST]] = field(default_factory=list)
    seen: set[Symbol] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    methods: dict[str, list[tuple[str, Function]]] = field(default_factory=dict)
    """Methods of reached classes that nobody has named yet."""

    def reach(self, symbol: Symbol) -> None:
        """Something at the top level of a module is named."""
        if symbol in self.seen:
            return
        self.seen.add(symbol)
        module, name = symbol
        source = source_of(module)
        if name in source.imported:
            self.reach(source.imported[name])
        elif isinstance(node := source.definitions.get(name), ast.ClassDef):
            self._reach_class(module, node)
        elif node is not None:
            self.waiting.append((module, node))

    def _reach_class(self, module: str, node: ast.ClassDef) -> None:
        self.waiting += [(module, part) for part in (*node.bases, *node.decorator_list)]
        for part in node.body:
            is_method = isinstance(part, Function) and not part.name.startswith("__")
            if isinstance(part, Function) and is_method and part.name not in self.attributes:
                self.methods.setdefault(part.name, []).append((module, part))
            else:
                self.waiting.append((module, part))

    def read(self, module: str, node: ast.AST) -> None:
        """Reach all that a part of the code names."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                self.reach((module, part.id))
            elif isinstance(part, ast.Attribute):
                self.attributes.add(part.attr)
                self.waiting += self.methods.pop(part.attr, [])


def reached(*roots: str) -> Iterator[tuple[ModuleType, ast.AST]]:
    """Every part of the code that is reached, with its module.

    Parameters
    ----------
    roots
        What is called from outside: ``module`` for everything in it, or ``module:name``.
    """
    search = _Search()
    for root in roots:
        module, _, name = root.partition(":")
        for one in [name] if name else list(source_of(module).definitions):
            search.reach((module, one))
    while search.waiting:
        module, node = search.waiting.pop()
        search.read(module, node)
        yield source_of(module).module, node
