"""A small blocking client of a real API server, for tests that look at single answers."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.reach import Reachable, tls_context

GROUP_PATH = "/apis/actor-operator.dev/v1alpha1"
"""Path of our API group."""

UNCHECKED = "correct the existing errors to complete validation"
"""End of the remark that CEL rules were not checked because of another fault."""

JSON = "application/json"
"""Content type of an object."""

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
"""Content type of a merge patch."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered."""

    code: int
    """HTTP status."""
    body: Any
    """The object, or the `Status` that says what went wrong."""

    @property
    def accepted(self) -> bool:
        """Whether the request was carried out."""
        return self.code < 300

    @property
    def sentences(self) -> list[str]:
        """What is wrong, as kubectl prints it after the object's name: `FIELD: SENTENCE`, sorted.

        Without the remark that rules were not checked because of another fault.
        """
        if self.accepted:
            return []
        causes = self.body.get("details", {}).get("causes", [])
        if not causes:
            return [self.body["message"]]
        return sorted(
            f"{cause['field']}: {cause['message']}" if "field" in cause else cause["message"]
            for cause in causes
            if not cause["message"].endswith(UNCHECKED)
        )


class RestClient:
    """Sends requests over one connection, as a control plane's administrator or as somebody else.

    Parameters
    ----------
    control_plane
        Whose API server.
    user
        As whom, by impersonation; empty: the administrator.
    groups
        The user's groups.
    """

    def __init__(
        self, control_plane: Reachable, *, user: str = "", groups: Sequence[str] = ()
    ) -> None:
        self._identity = [("Impersonate-User", user)] if user else []
        self._identity += [("Impersonate-Group", group) for group in groups]
        self._connection = http.client.HTTPSConnection(
            urlsplit(control_plane.url).netloc, context=tls_context(control_plane), timeout=30
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def call(self, verb: str, path: str, body: Any = None, *, content_type: str = JSON) -> Answer:
        """Send one request.

        Parameters
        ----------
        path
            Path and query.
        body
            JSON data.
        """
        text = None if body is None else json.dumps(body).encode()
        self._connection.putrequest(verb, path)
        # A group is a header of its own, which a mapping could not say.
        for header in (*self._identity, ("Content-Type", content_type), ("Accept", JSON)):
            self._connection.putheader(*header)
        self._connection.putheader("Content-Length", str(len(text or b"")))
        self._connection.endheaders(text)
        response = self._connection.getresponse()
        return Answer(response.status, json.loads(response.read()))

    def create(self, plural: str, manifest: Any, *, strict: bool = False) -> Answer:
        """Create an object of ours; with `strict` unknown fields are refused, as kubectl asks."""
        query = "?fieldValidation=Strict" if strict else ""
        return self.call("POST", f"{collection(plural)}{query}", manifest)

    def patch(self, plural: str, name: str, patch: Any, *, subresource: str = "") -> Answer:
        """Merge-patch an object of ours."""
        path = f"{collection(plural)}/{name}{subresource}"
        return self.call("PATCH", path, patch, content_type=MERGE_PATCH)


def collection(plural: str) -> str:
    """Path of the objects of one of our kinds, in the namespace default."""
    without = plural in {"actoraccounts", "actortokens"}
    namespace = "" if without else "/namespaces/default"
    return f"{GROUP_PATH}{namespace}/{plural}"
