"""ResourceQuota: counts and sums of what is in a namespace, refused with the server's sentence."""

from collections.abc import Iterable
from decimal import Decimal

from tests.support.apiserver.builtin import PODS, QUOTAS
from tests.support.apiserver.errors import forbidden
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.store import Change, Key, Store
from tests.support.apiserver.timers import Timers

UNITS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}
"""Suffix of a quantity -> what it is worth."""

_COMPUTE = {
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "requests.ephemeral-storage": ("requests", "ephemeral-storage"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
    "limits.ephemeral-storage": ("limits", "ephemeral-storage"),
}
"""Name in a quota -> where the pods' containers have it."""

RECOUNT_AFTER = 0.02
"""Seconds after a change in which the quotas' status is counted anew."""


def amount(quantity: str) -> Decimal:
    """The number that a quantity says."""
    digits = str(quantity).rstrip("".join(sorted({char for unit in UNITS for char in unit})))
    return Decimal(digits) * UNITS[str(quantity)[len(digits) :]]


class Quotas:
    """Admits objects within the quotas of their namespace, and keeps `status.used`."""

    def __init__(self, store: Store, timers: Timers) -> None:
        self._store = store
        self._timers = timers
        self._waiting: set[str] = set()

    def __call__(self, kind: Kind, obj: Object) -> None:
        """Look at a new object.

        Raises
        ------
        ApiError
            403, a quota would be exceeded.
        """
        if not kind.namespaced or kind is QUOTAS:
            return
        metadata = obj["metadata"]
        for quota in self._quotas(metadata["namespace"]):
            asked = _usage(kind, obj, _hard(quota))
            self._check(kind, obj, quota, asked)

    def on_change(self, change: Change) -> None:
        """Count anew soon after something in a namespace with a quota has changed."""
        namespace = change.key[0]
        if _is_a_recount(change) or namespace in self._waiting or not self._quotas(namespace):
            return
        self._waiting.add(namespace)
        self._timers.later(RECOUNT_AFTER, lambda: self._recount(namespace))

    def _check(self, kind: Kind, obj: Object, quota: Object, asked: dict[str, Decimal]) -> None:
        hard, name = _hard(quota), obj["metadata"]["name"]
        if missing := sorted(resource for resource in asked if asked[resource].is_nan()):
            raise forbidden(kind, name, _unsaid(quota, missing, obj))
        used = self._used(quota["metadata"]["namespace"], list(asked))
        over = sorted(
            resource
            for resource in asked
            if used[resource] + asked[resource] > amount(hard[resource])
        )
        if over:
            raise forbidden(
                kind,
                name,
                f"exceeded quota: {quota['metadata']['name']}, "
                f"requested: {_listed(over, asked, hard)}, used: {_listed(over, used, hard)}, "
                f"limited: {','.join(f'{resource}={hard[resource]}' for resource in over)}",
            )

    def _recount(self, namespace: str) -> None:
        self._waiting.discard(namespace)
        for quota in self._quotas(namespace):
            hard = _hard(quota)
            used = self._used(namespace, list(hard))
            shown = {resource: _shown(used[resource], hard[resource]) for resource in hard}
            status = {"hard": hard, "used": shown}
            if quota.get("status") != status:
                key = (namespace, quota["metadata"]["name"])
                self._store.put(QUOTAS, key, quota | {"status": status})

    def _used(self, namespace: str, resources: list[str]) -> dict[str, Decimal]:
        """What the live objects of a namespace use."""
        totals = dict.fromkeys(resources, Decimal(0))
        for kind, obj in self._objects(namespace, resources):
            for resource, value in _usage(kind, obj, totals).items():
                totals[resource] += Decimal(0) if value.is_nan() else value
        return totals

    def _objects(self, namespace: str, resources: list[str]) -> Iterable[tuple[Kind, Object]]:
        for kind in self._store.kinds():
            if kind is PODS or f"count/{kind.resource}" in resources:
                for (place, _), version in self._store.all(kind).items():
                    if place == namespace:
                        yield kind, version.object

    def _quotas(self, namespace: str) -> list[Object]:
        quotas: dict[Key, Object] = {
            key: version.object for key, version in self._store.all(QUOTAS).items()
        }
        return [quota for key, quota in sorted(quotas.items()) if key[0] == namespace]


def _unsaid(quota: Object, resources: list[str], pod: Object) -> str:
    """The sentence about containers that do not say how much they need."""
    each = []
    for resource in resources:
        part, name = _COMPUTE[resource]
        silent = [
            container["name"]
            for container in pod["spec"]["containers"]
            if name not in (at(container, f"resources.{part}") or {})
        ]
        each.append(f"{resource} for: {','.join(silent)}")
    return f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(each)}"


def _is_a_recount(change: Change) -> bool:
    """Whether a change of a quota is none of its limits."""
    if change.kind is not QUOTAS or change.before is None:
        return False
    return bool(change.before.object.get("spec") == change.after.object.get("spec"))


def _hard(quota: Object) -> dict[str, str]:
    return {name: str(value) for name, value in (at(quota, "spec.hard") or {}).items()}


def _usage(kind: Kind, obj: Object, resources: Iterable[str]) -> dict[str, Decimal]:
    """What one object uses of some resources; NaN for what it should say and does not."""
    usage = {}
    terminal = at(obj, "status.phase") in {"Succeeded", "Failed"}
    for resource in resources:
        is_live_pod = kind is PODS and not terminal
        if resource == f"count/{kind.resource}" or (is_live_pod and resource == "pods"):
            usage[resource] = Decimal(1)
        elif is_live_pod and resource in _COMPUTE:
            usage[resource] = _of_containers(obj, *_COMPUTE[resource])
    return usage


def _of_containers(pod: Object, part: str, name: str) -> Decimal:
    values = [
        at(container, f"resources.{part}") or {}
        for container in pod["spec"].get("containers") or []
    ]
    if not all(name in value for value in values):
        return Decimal("NaN")
    return sum((amount(value[name]) for value in values), Decimal(0))


def _shown(value: Decimal, like: str) -> str:
    """A number in binary units if its limit has such, in thousandths if it needs them."""
    if like.endswith("i") and value % 1024 == 0 and value:
        for unit in ("Ti", "Gi", "Mi", "Ki"):
            if value % UNITS[unit] == 0:
                return f"{int(value / UNITS[unit])}{unit}"
    return str(int(value)) if value == int(value) else f"{int(value * 1000)}m"


def _listed(names: list[str], values: dict[str, Decimal], hard: dict[str, str]) -> str:
    return ",".join(f"{name}={_shown(values[name], hard[name])}" for name in names)
