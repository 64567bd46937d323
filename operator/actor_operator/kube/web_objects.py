"""The objects that lead requests to runs: Services, Ingresses, HTTPRoutes and their classes."""

from typing import Any

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.web_object import WebObject
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.errors import ConflictError, InvalidError, NotFoundError
from actor_operator.kube.resources import Resource

SERVICES = Resource("", "v1", "services", "Service")
"""What has an address for a pod."""

INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
"""What leads a host to a Service."""

INGRESS_CLASSES = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
"""Which controllers serve Ingresses."""

HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
"""What leads a host from a Gateway to a Service."""

SELECTOR = LABEL_RUN_UID
"""Label selector of those that belong to runs: the label is there."""

_DECODER = msgspec.json.Decoder(WebObject)


def decode_web_object(data: Buffer) -> WebObject:
    """Read one of them from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is none.
    """
    return _DECODER.decode(data)


class WebObjects:
    """Writes the objects of one of these kinds.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    resource
        The kind.
    """

    def __init__(self, client: KubeClient, resource: Resource) -> None:
        self._client = client
        self.resource = resource

    async def read(self, namespace: str, name: str) -> WebObject | None:
        """The object as it is now; None: there is none."""
        data = await self._client.get(self.resource, namespace, name)
        return decode_web_object(data) if data is not None else None

    async def create(self, namespace: str, manifest: dict[str, Any]) -> WebObject:
        """Create one; returns it as stored.

        Raises
        ------
        AlreadyExistsError
            When the name is taken, perhaps by this very object of a lost answer.
        """
        body = msgspec.json.encode(manifest)
        return decode_web_object(await self._client.create(self.resource, namespace, body))

    async def patch(
        self, namespace: str, name: str, *, uid: str, patch: dict[str, Any]
    ) -> WebObject | None:
        """Change that very object by a merge patch; returns it as it is now, None when it is gone.

        Raises
        ------
        InvalidError
            When the API server does not take the change.
        """
        metadata = {**patch.get("metadata", {}), "uid": uid}
        body = msgspec.json.encode({**patch, "metadata": metadata})
        try:
            answer = await self._client.patch(self.resource, namespace, name, body, PatchKind.MERGE)
        except NotFoundError:
            return None
        except InvalidError as error:
            # So the API server answers when the uid is another one.
            if "metadata.uid" not in error.message:
                raise
            return None
        return decode_web_object(answer)

    async def delete(self, namespace: str, name: str, *, uid: str) -> None:
        """Delete that very object; one that is gone, or another of its name, is done."""
        try:
            await self._client.delete(self.resource, namespace, name, uid=uid)
        except ConflictError:
            return
