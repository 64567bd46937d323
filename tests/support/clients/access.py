"""How tests reach an API server, and a client of each kind for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apify_client import ApifyClient
from tests.cluster_tool import http_probe
from tests.support.clients.node_client import NodeClient


@dataclass(frozen=True)
class ApiAccess:
    """An API server, and a token of one account that may do everything there."""

    url: str
    """Address without ``/v2``, such as ``http://127.0.0.1:18080``."""
    token: str
    namespace: str
    """Namespace of the account: there the Actors are."""

    def python(self) -> ApifyClient:
        """The Python client. It does not try again: no failure of the server is to be hidden."""
        return ApifyClient(self.token, api_url=self.url, api_public_url=self.url, max_retries=0)

    def node(self) -> NodeClient:
        """The JavaScript client."""
        return NodeClient(self.url, self.token)


def finished(client: ApifyClient, run: str, seconds: float = 180) -> dict[str, Any]:
    """Wait for the end of a run, and return the run as the API has it on the wire.

    Raises
    ------
    AssertionError
        With its log, when it does not end in time.
    """
    found = client.run(run).wait_for_finish(wait_duration=timedelta(seconds=seconds))
    assert found is not None, f"there is no run {run}"
    ended = found.status in {"SUCCEEDED", "FAILED", "ABORTED", "TIMED-OUT"}
    assert ended, f"{run} is {found.status}. Its log:\n{client.log(run).get()}"
    return found.model_dump(mode="json", by_alias=True)


def until_answered(url: str, seconds: float = 60) -> None:
    """Wait until an API answers; an ingress controller hears of a ready pod a moment later.

    Raises
    ------
    ClusterToolError
        When it does not in time.
    """

    def asked() -> tuple[int, str]:
        return http_probe.get(f"{url}/v2/users/me")

    # Nobody may ask that without a token, and only the API says so.
    http_probe.wait_until(
        url, lambda: asked()[0] == 401, seconds=seconds, explain=lambda: str(asked())
    )
