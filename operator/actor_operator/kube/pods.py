"""Run pods: created, deleted, stopped."""

from typing import TYPE_CHECKING

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.pod import PodView
from actor_operator.constants import LABEL_RUN_UID
from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.errors import ConflictError, InvalidError, NotFoundError
from actor_operator.kube.resources import Resource

if TYPE_CHECKING:
    # Building these models takes longer than all else that actorctl imports.
    from actor_operator.api.k8s import V1Pod

PODS = Resource("", "v1", "pods", "Pod")
"""The kind."""

SELECTOR = LABEL_RUN_UID
"""Label selector of run pods: the label is there."""

_DECODER = msgspec.json.Decoder(PodView)


def decode_pod(data: Buffer) -> PodView:
    """Read a pod from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no pod.
    """
    return _DECODER.decode(data)


class Pods:
    """Writes run pods.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, namespace: str, name: str) -> PodView | None:
        """The pod as it is now; None: there is none."""
        data = await self._client.get(PODS, namespace, name)
        return decode_pod(data) if data is not None else None

    async def create(self, namespace: str, pod: "V1Pod") -> PodView:
        """Create a pod; returns it as stored.

        Raises
        ------
        AlreadyExistsError
            When the name is taken, perhaps by this very pod of a lost answer.
        """
        return decode_pod(await self._client.create(PODS, namespace, _encode(pod)))

    async def delete(
        self, namespace: str, name: str, *, uid: str, grace_seconds: int
    ) -> PodView | None:
        """Delete that very pod; returns it as it is now, None when there is none of that uid."""
        try:
            answer = await self._client.delete(
                PODS, namespace, name, uid=uid, grace_seconds=grace_seconds
            )
        except ConflictError:
            return None
        return decode_pod(answer) if answer is not None else None

    async def stop(self, namespace: str, name: str, *, uid: str) -> PodView | None:
        """Let the kubelet stop that very pod, which stays with its log; returns it as it is now.

        The kubelet stops a pod past its deadline with SIGTERM and its grace.
        """
        patch = {"metadata": {"uid": uid}, "spec": {"activeDeadlineSeconds": 1}}
        body = msgspec.json.encode(patch)
        try:
            answer = await self._client.patch(PODS, namespace, name, body, PatchKind.MERGE)
        except NotFoundError:
            return None
        except InvalidError as error:
            # So the API server answers when the uid is another one (a DELETE gets a 409).
            if "metadata.uid" not in error.message:
                raise
            return None
        return decode_pod(answer)


def _encode(pod: "V1Pod") -> bytes:
    return msgspec.json.encode(pod.model_dump(by_alias=True, exclude_none=True, mode="json"))
