"""What tests do to objects directly: no HTTP, no faults, not in the request log."""

import base64
from collections.abc import Callable

import msgspec
from tests.support.apiserver.builtin import PODS, QUOTAS
from tests.support.apiserver.clock import Clock
from tests.support.apiserver.deletion import DeleteOptions, Deletions
from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind, Registry
from tests.support.apiserver.patches import merged
from tests.support.apiserver.podlogs import PodLogs
from tests.support.apiserver.pods import PodHandle
from tests.support.apiserver.requestlog import Request
from tests.support.apiserver.store import Change, Store
from tests.support.apiserver.writes import Writes

TOUCHED = "test.actor-operator.dev/touched"
"""Annotation by which `touch` makes a new version."""


class Admin:
    """Objects as tests see and change them. Kinds are named by their plural."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        writes: Writes,
        deletions: Deletions,
        clock: Clock,
        logs: PodLogs,
    ) -> None:
        self.store = store
        self.registry = registry
        self._writes = writes
        self._deletions = deletions
        self._clock = clock
        self.logs = logs

    def objects(self, plural: str, namespace: str = "") -> list[Object]:
        """Copies of all objects of a kind, by namespace and name."""
        versions = sorted(self.store.all(self._kind(plural)).items())
        return [version.copy() for key, version in versions if namespace in {"", key[0]}]

    def find(self, plural: str, namespace: str, name: str) -> Object | None:
        """A copy of an object, None if there is none."""
        version = self.store.get(self._kind(plural), (namespace, name))
        return version.copy() if version else None

    def get(self, plural: str, namespace: str, name: str) -> Object:
        """A copy of an object.

        Raises
        ------
        LookupError
            There is none.
        """
        obj = self.find(plural, namespace, name)
        if obj is None:
            raise LookupError(f"{plural} {namespace}/{name}")
        return obj

    def create(self, plural: str, obj: Object, namespace: str = "default") -> Object:
        """Create an object, by all rules of the server.

        Raises
        ------
        ApiError
            It is refused.
        """
        kind = self._kind(plural)
        copy: Object = msgspec.json.decode(msgspec.json.encode(obj))
        place = copy.setdefault("metadata", {}).get("namespace", namespace)
        place = place if kind.namespaced else ""
        return self._writes.create(kind, place, kind.typed(copy)).version.copy()

    def patch(
        self, plural: str, namespace: str, name: str, patch: Object, subresource: str = ""
    ) -> Object:
        """Merge-patch an object, by all rules of the server.

        Raises
        ------
        ApiError
            It is refused.
        """
        return self.change(plural, namespace, name, lambda obj: merged(obj, patch), subresource)

    def change(
        self,
        plural: str,
        namespace: str,
        name: str,
        change: Callable[[Object], Object],
        subresource: str = "",
    ) -> Object:
        """Let a function change an object, by all rules of the server.

        Raises
        ------
        ApiError
            It is refused.
        """
        kind = self._kind(plural)
        return self._writes.change(kind, (namespace, name), change, subresource).version.copy()

    def delete(
        self, plural: str, namespace: str, name: str, options: DeleteOptions | None = None
    ) -> None:
        """Delete an object as a client would: with grace, finalizers, dependents.

        Raises
        ------
        ApiError
            404, 409.
        """
        kind = self._kind(plural)
        self._deletions.delete(kind, (namespace, name), options or DeleteOptions())

    def history(self, plural: str) -> list[Change]:
        """All kept committed writes of a kind, oldest first."""
        return self.store.changes(self._kind(plural))

    def compact(self) -> None:
        """Forget all history: what was listed or watched before has to be listed anew."""
        self.store.compact()

    def pod(self, namespace: str, name: str) -> PodHandle:
        """A pod, to be moved by hand.

        Raises
        ------
        LookupError
            There is none.
        """
        self.get("pods", namespace, name)
        return PodHandle(store=self.store, key=(namespace, name), clock=self._clock, logs=self.logs)

    def quota(self, namespace: str, name: str, hard: dict[str, str]) -> Object:
        """Create a ResourceQuota, such as `{"pods": "1", "limits.memory": "1Gi"}`."""
        obj = {"metadata": {"name": name}, "spec": {"hard": hard}}
        return self.create(QUOTAS.plural, obj, namespace)

    def secret_text(self, namespace: str, name: str) -> dict[str, str]:
        """The decoded data of a Secret.

        Raises
        ------
        LookupError
            There is none.
        """
        data = self.get("secrets", namespace, name).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def touch(self, request: Request) -> None:
        """Let another client change the object that a request is about, if it is there."""
        plural = request.kind.partition("/")[0]
        if self.find(plural, request.namespace, request.name):
            patch = {"metadata": {"annotations": {TOUCHED: str(request.number)}}}
            self.patch(plural, request.namespace, request.name, patch)

    def _kind(self, plural: str) -> Kind:
        return PODS if plural == PODS.plural else self.registry.named(plural)
