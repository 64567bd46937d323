"""Asks Kubernetes whose token it is, and what somebody may do."""

import msgspec

from actor_operator.api.views.metadata import View
from actor_operator.constants import GROUP
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource

TOKEN_REVIEWS = Resource(
    "authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False
)
"""Whose a token is."""

ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
"""What somebody may do."""

AUDIENCE = GROUP
"""For whom a token must be made: one for Kubernetes itself is not for us."""


class Subject(View, frozen=True):
    """Somebody whom Kubernetes knows."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class _TokenStatus(View, frozen=True):
    authenticated: bool = False
    user: Subject = Subject()
    audiences: tuple[str, ...] = ()


class _TokenReview(View, frozen=True):
    status: _TokenStatus = _TokenStatus()


class _AccessStatus(View, frozen=True):
    allowed: bool = False
    denied: bool = False


class _AccessReview(View, frozen=True):
    status: _AccessStatus = _AccessStatus()


_TOKEN = msgspec.json.Decoder(_TokenReview)
_ACCESS = msgspec.json.Decoder(_AccessReview)


class Reviews:
    """Asks Kubernetes about people.

    Parameters
    ----------
    client
        Over which.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def whose(self, token: str) -> Subject | None:
        """Whose token it is; None: it is none, or none for us.

        Raises
        ------
        ApiError
            When Kubernetes does not answer.
        """
        asked = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }
        data = await self._client.create(TOKEN_REVIEWS, None, msgspec.json.encode(asked))
        status = _TOKEN.decode(data).status
        # An authenticator that knows no audiences names none: its tokens are for Kubernetes alone.
        if not status.authenticated or AUDIENCE not in status.audiences:
            return None
        return status.user

    async def may(self, subject: Subject, namespace: str, resource: str, verb: str) -> bool:
        """Whether somebody may do something with a resource of our group in a namespace.

        Raises
        ------
        ApiError
            When Kubernetes does not answer.
        """
        asked = {
            "apiVersion": ACCESS_REVIEWS.api_version,
            "kind": ACCESS_REVIEWS.kind,
            "spec": {
                "user": subject.username,
                "uid": subject.uid,
                "groups": subject.groups,
                "extra": subject.extra,
                "resourceAttributes": {
                    "namespace": namespace,
                    "group": GROUP,
                    "resource": resource,
                    "verb": verb,
                },
            },
        }
        data = await self._client.create(ACCESS_REVIEWS, None, msgspec.json.encode(asked))
        status = _ACCESS.decode(data).status
        return status.allowed and not status.denied
