"""Services and routes in a toy cluster: what the API server keeps of them, and what users do.

Each kind has its own watch, by label and late, and refuses what a test says. Whoever looks finds in
:attr:`ToyWebKind.written` what the operator has written, and in :attr:`ToyWebKind.touched` what it
should have left alone.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from tests.support.apiserver.patches import merged
from tests.support.builders import SETTINGS
from tests.support.toy_cluster import Crash, Event, ToyCluster

from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.desired.names import child_name
from actor_operator.desired.service import ALLOCATED
from actor_operator.kube.errors import AlreadyExistsError, ApiError, NotFoundError, ServerError
from actor_operator.kube.resources import Resource
from actor_operator.kube.web_objects import HTTP_ROUTES, INGRESSES, SERVICES
from actor_operator.lifecycle.routing import Part
from actor_operator.settings import Settings
from actor_operator.settings_web import (
    GatewaySettings,
    IngressSettings,
    NetworkSettings,
    WebServerMode,
    WebServerSettings,
)

T = TypeVar("T")

DOMAIN = "runs.example"
"""Domain of the runs' URLs."""

CLASS = "web"
"""The IngressClass in the settings."""

ADDRESSES = dict.fromkeys(ALLOCATED, "as the API server likes")
"""What the API server fills in for a Service."""

NEWS = {"inventedLater": "its default"}
"""What an API server of tomorrow fills in for everything."""


def settings_with_urls(mode: WebServerMode) -> Settings:
    """The defaults, with URLs in this mode."""
    web = WebServerSettings(
        mode=mode,
        domain=DOMAIN,
        ingress=IngressSettings(class_name=CLASS),
        gateway=GatewaySettings(name="front", namespace="gateways"),
    )
    network = NetworkSettings(policy=False)
    return SETTINGS.model_copy(update={"web_server": web, "network": network})


class ToyWebKind:
    """One kind; it stands for :class:`actor_operator.kube.web_objects.WebObjects`.

    Parameters
    ----------
    cluster
        Whose objects; its faults happen to these writes too.
    resource
        The kind.
    defaults
        What the API server fills into the specification of each.
    """

    def __init__(self, cluster: ToyCluster, resource: Resource, defaults: dict[str, str]) -> None:
        self.resource = resource
        self.objects: dict[str, WebObject] = {}
        self.events: deque[Event] = deque()
        self.refusal: ApiError | None = None
        """What every write is answered with."""
        self.held: set[str] = set()
        """Uids of those with a finalizer: they stay until it is taken away."""
        self.written: list[WebObject] = []
        """What the operator has committed, in its order."""
        self.touched: list[str] = []
        """What the operator has done to objects that are not of the run."""
        self.writes = 0
        self.failures = 0
        """How many requests failed, for whatever reason."""
        self.failed_at = datetime.min.replace(tzinfo=UTC)
        """When the last of them did."""
        self._cluster = cluster
        self._defaults = defaults
        self._made = 0

    @property
    def name(self) -> str:
        """The name of the run's one object of this kind."""
        return child_name(self._cluster.run.name, self._cluster.run.uid)

    @property
    def ours(self) -> list[WebObject]:
        """Those that the run controls."""
        return [found for found in self.objects.values() if self._is_ours(found)]

    @property
    def listed(self) -> list[WebObject]:
        """What a list with the operator's label selector holds."""
        return [found for found in self.objects.values() if _is_watched(found)]

    @property
    def foreign(self) -> WebObject | None:
        """Somebody else's object of the run's name."""
        found = self.objects.get(self.name)
        return None if found is None or self._is_ours(found) else found

    # The operator

    async def read(self, namespace: str, name: str) -> WebObject | None:
        if isinstance(self.refusal, ServerError):
            self._failed()
            raise self.refusal
        return self.objects.get(name)

    async def create(self, namespace: str, manifest: dict[str, Any]) -> WebObject:
        return self._write(lambda: self._note(self.make(manifest)))

    async def patch(
        self, namespace: str, name: str, *, uid: str, patch: dict[str, Any]
    ) -> WebObject | None:
        def apply() -> WebObject | None:
            if self._found(name, uid) is None:
                self._failed()  # its deletion is not told yet: it is tried again in a moment
                return None
            return self._note(self.change(patch))

        return self._write(apply)

    async def delete(self, namespace: str, name: str, *, uid: str) -> None:
        def apply() -> None:
            if self._found(name, uid) is not None:
                self.remove()

        self._write(apply)

    # Users and controllers

    def make(self, manifest: dict[str, Any]) -> WebObject:
        """Somebody creates an object.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        """
        if manifest["metadata"]["name"] in self.objects:
            raise AlreadyExistsError(f"the {self.resource.kind} exists", status=409)
        self._made += 1
        metadata = {**manifest["metadata"], "uid": f"{self.resource.plural}-{self._made}"}
        return self._put({**manifest, "metadata": metadata})

    def change(self, patch: dict[str, Any]) -> WebObject:
        """Somebody merge-patches the object of the run's name."""
        return self._put(merged(msgspec.to_builtins(self.objects[self.name]), patch))

    def remove(self) -> None:
        """Somebody deletes the object of the run's name."""
        found = self.objects[self.name]
        if found.uid in self.held:
            if found.metadata.deletion_timestamp is None:
                self.change({"metadata": {"deletionTimestamp": self._cluster.now}})
            return
        del self.objects[self.name]
        if _is_watched(found):
            self.events.append((self._cluster._versioned(found), True))

    def hold(self) -> None:
        """A controller puts its finalizer on the object of the run's name."""
        self.held.add(self.objects[self.name].uid)

    def let_go(self) -> None:
        """The controllers take their finalizers away."""
        self.held.clear()
        found = self.objects.get(self.name)
        if found is not None and found.metadata.deletion_timestamp is not None:
            self.remove()

    # How it is kept

    def _put(self, obj: dict[str, Any]) -> WebObject:
        """Store what was sent, with the API server's defaults."""
        sent = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
        sent["spec"] = {**self._defaults, **sent["spec"]}
        new = self._cluster._versioned(msgspec.convert(sent, WebObject, strict=False))
        old = self.objects.get(new.name)
        self.objects[new.name] = new
        if _is_watched(new):
            self.events.append((new, False))
        elif old is not None and _is_watched(old):
            self.events.append((new, True))  # a watch by label tells it so
        return new

    def _found(self, name: str, uid: str) -> WebObject | None:
        found = self.objects.get(name)
        if found is None:
            return None
        if found.uid != uid:
            return None
        if not self._is_ours(found):
            self.touched.append(name)
        return found

    def _note(self, written: WebObject) -> WebObject:
        self.written.append(written)
        return written

    def _write(self, apply: Callable[[], T]) -> T:
        self.writes += 1

        def refused_or_applied() -> T:
            if self.refusal is not None:
                raise self.refusal
            return apply()

        try:
            return self._cluster._write(refused_or_applied, may_land_late=True)
        except ApiError:
            self._failed()
            raise
        except Crash:
            self.failures += 1
            raise

    def _failed(self) -> None:
        self.failures += 1
        self.failed_at = self._cluster.now

    def _is_ours(self, found: WebObject) -> bool:
        return found.controller_uid() == self._cluster.run.uid


class ToyWeb:
    """Everything that leads requests to the run of a toy cluster.

    Parameters
    ----------
    cluster
        Whose run.
    mode
        How the run is reached.
    has_class
        Whether the IngressClass of the settings exists.
    news
        Whether the API server fills in what the operator does not know.
    """

    def __init__(
        self,
        cluster: ToyCluster,
        mode: WebServerMode,
        *,
        has_class: bool = True,
        news: bool = False,
    ) -> None:
        more = NEWS if news else {}
        route = INGRESSES if mode is WebServerMode.INGRESS else HTTP_ROUTES
        self.mode = mode
        self.has_class = has_class
        self.kinds: dict[Part, ToyWebKind] = {}
        if mode is not WebServerMode.NONE:
            self.kinds = {
                Part.SERVICE: ToyWebKind(cluster, SERVICES, {**ADDRESSES, **more}),
                Part.ROUTE: ToyWebKind(cluster, route, more),
            }

    @property
    def writes(self) -> int:
        """How many writes the operator has sent."""
        return sum(kind.writes for kind in self.kinds.values())


def not_served() -> NotFoundError:
    """The answer where the cluster has no such kind."""
    return NotFoundError("the server could not find the requested resource", status=404)


def _is_watched(found: WebObject) -> bool:
    return LABEL_RUN_UID in found.metadata.labels
