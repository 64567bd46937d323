"""Finds which verbs on which resources a process calls, by reading the code that it can reach.

Every call of the Kubernetes API names its kind as a module constant, a ``Resource``. This looks at
each call that has such a constant as an argument: a method of the client is one verb, a kind that
is watched is two, a class that keeps it as ``self.resource`` has the verbs of its own calls, and
anything else is unknown and must be added here.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from types import ModuleType

from tests.chart.reached_code import reached

from actor_operator.kube.resources import Resource

VERBS: dict[str, set[str]] = {
    "get": {"get"},
    "create": {"create"},
    "put": {"update"},
    "patch": {"patch"},
    "delete": {"delete"},
    "list_page": {"list"},
    "watch": {"watch"},
    "read_stream": {"get"},
    "Watched": {"list", "watch"},
    "status_body": set(),
}
"""Verbs of a client's method, or of what else is given the resource; none: it sends nothing."""

KUBELETS = "actor_operator.kube.node_stats"
"""Module that asks kubelets, which look up the right to ``nodes/stats``."""

Use = tuple[str, str, str]
"""API group, resource (with its subresource), verb."""


class UnknownCallError(Exception):
    """A resource is handed to something that this module does not know."""


def verbs_in_code(*roots: str) -> set[Use]:
    """Every use of the Kubernetes API by what is reached from the roots (see ``reached_code``)."""
    found: set[Use] = set()
    for module, part in reached(*roots):
        if module.__name__ == KUBELETS:
            found.add(("", "nodes/stats", "get"))
        for call in (node for node in ast.walk(part) if isinstance(node, ast.Call)):
            for resource in _resources(call, module):
                found |= _uses(call, resource, module)
    return found


def _resources(call: ast.Call, module: ModuleType) -> Iterator[Resource]:
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Name):
            value = getattr(module, argument.id, None)
            if isinstance(value, Resource):
                yield value


def _uses(call: ast.Call, resource: Resource, module: ModuleType) -> set[Use]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    verbs = VERBS[name] if name in VERBS else _verbs_of_class(getattr(module, name, None))
    if verbs is None:
        raise UnknownCallError(f"{module.__name__}:{call.lineno}: {ast.unparse(call)}")
    return {(resource.group, resource.plural + _subresource(call), verb) for verb in verbs}


def _subresource(call: ast.Call) -> str:
    """The subresource that a call names, after kind, namespace and name, with a slash before it."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "subresource"]
    fourth = [found for found in call.args[3:4] if isinstance(found, ast.Constant)]
    return "".join(f"/{ast.literal_eval(found)}" for found in (*named, *fourth))


def _verbs_of_class(found: object) -> set[str] | None:
    """What a class does with the resource that it keeps; None: it is no class that keeps one."""
    if not isinstance(found, type):
        return None
    tree = ast.parse(textwrap.dedent(inspect.getsource(found)))
    names = {
        call.func.attr
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if any(ast.unparse(argument) == "self.resource" for argument in call.args)
    }
    return set().union(*(VERBS[name] for name in names)) if names else None
