"""A small blocking client of a real API server, for tests that look at single answers."""

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.cluster_tool.control_plane import ControlPlane

GROUP_PATH = "/apis/actor-operator.dev/v1alpha1"
"""Path of our API group."""

UNCHECKED = "correct the existing errors to complete validation"
"""End of the remark that CEL rules were not checked because of another fault."""

MERGE_PATCH = "application/merge-patch+json"
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
            f"{cause['field']}: {cause['message']}"
            for cause in causes
            if not cause["message"].endswith(UNCHECKED)
        )


class RestClient:
    """Sends requests as the administrator of a control plane, over one connection."""

    def __init__(self, control_plane: ControlPlane) -> None:
        context = ssl.create_default_context(cafile=str(control_plane.ca))
        admin = control_plane.admin
        context.load_cert_chain(str(admin.certificate), str(admin.key))
        url = urlsplit(control_plane.url)
        assert url.hostname
        self._connection = http.client.HTTPSConnection(
            url.hostname, url.port, context=context, timeout=30
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def call(
        self, verb: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> Answer:
        """Send one request.

        Parameters
        ----------
        path
            Path and query.
        body
            JSON data.
        """
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        text = None if body is None else json.dumps(body)
        self._connection.request(verb, path, text, headers)
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
    namespace = "" if plural == "actoraccounts" else "/namespaces/default"
    return f"{GROUP_PATH}{namespace}/{plural}"
