"""Which objects are recorded, and where the API server has them."""

from dataclasses import dataclass

from tests.support.history import (
    ACCOUNT,
    ACTOR,
    EVENT,
    HTTP_ROUTE,
    INGRESS,
    NAMED_BY_NAMESPACE,
    NAMESPACE,
    POD,
    RUN,
    SECRET,
    SERVICE,
)

GROUP = "/apis/actor-operator.dev/v1alpha1"
OURS = "labelSelector=actor-operator.dev/run-uid"

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for objects without spec, data and status."""

METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for a list of them."""


@dataclass(frozen=True)
class Source:
    """Objects of one kind."""

    kind: str
    group: str
    plural: str
    query: str = ""
    """Which of them."""

    secret: bool = False
    """Only their metadata is asked for."""

    optional: bool = False
    """The cluster may have no such kind, or get it later."""

    def path(self, namespace: str = "", **query: str) -> str:
        """Path and query of a list or watch of all of them, or of those of a namespace."""
        path = f"{self.group}/{self.plural}"
        if namespace and self.kind not in NAMED_BY_NAMESPACE:
            path = f"{self.group}/namespaces/{namespace}/{self.plural}"
        elif namespace:
            query = {"fieldSelector": f"metadata.name={namespace}", **query}
        words = [f"{name}={value}" for name, value in query.items()]
        return "?".join(filter(None, (path, "&".join(filter(None, (self.query, *words))))))

    def accept(self, *, listing: bool) -> str:
        """Value of the header `Accept`."""
        if not self.secret:
            return "application/json"
        return METADATA_LIST if listing else METADATA


SOURCES = (
    Source(RUN, GROUP, "actorruns"),
    Source(ACTOR, GROUP, "actors"),
    Source(ACCOUNT, GROUP, "actoraccounts"),
    Source(POD, "/api/v1", "pods", OURS),
    Source(SECRET, "/api/v1", "secrets", OURS, secret=True),
    Source(SERVICE, "/api/v1", "services", OURS),
    Source(INGRESS, "/apis/networking.k8s.io/v1", "ingresses", OURS),
    Source(HTTP_ROUTE, "/apis/gateway.networking.k8s.io/v1", "httproutes", OURS, optional=True),
    Source(NAMESPACE, "/api/v1", "namespaces"),
    Source(EVENT, "/apis/events.k8s.io/v1", "events", "fieldSelector=regarding.kind=ActorRun"),
)
"""Everything that is recorded."""
