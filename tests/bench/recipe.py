"""What the operator writes for a run, taken down from a real one, to be written for others."""

from dataclasses import dataclass
from typing import Any

import msgspec
from tests.bench.arena import Arena
from tests.bench.contenders import RUNS
from tests.bench.load import creations, send
from tests.bench.observer import FINISHED, RUNNING, Observer
from tests.support.history import Object
from tests.support.rest import RestClient

from actor_operator.api.v1alpha1.phase import Phase

PATIENCE_SECONDS = 60.0
"""How long the real run may take."""

NOT_SENT = (
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "managedFields",
    "generation",
)
"""Metadata that the request says otherwise, or the API server by itself."""


@dataclass(frozen=True)
class Recipe:
    """The bodies of the writes, with the name and uid of the run that they were taken from."""

    name: str
    uid: str
    secret: bytes
    pod: bytes
    statuses: dict[str, bytes]
    """By phase."""

    def secret_for(self, name: str, uid: str) -> Any:
        """The environment Secret of another run."""
        return self._for(self.secret, name, uid)

    def pod_for(self, name: str, uid: str) -> Any:
        """The pod of another run."""
        return self._for(self.pod, name, uid)

    def status_for(self, phase: str, run: Object) -> Any:
        """The body of a status write of another run."""
        metadata = run["metadata"]
        status = self._for(self.statuses[phase], metadata["name"], metadata["uid"])
        kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}
        return {**run, "metadata": kept, "status": status}

    def _for(self, template: bytes, name: str, uid: str) -> Any:
        text = template.replace(self.uid.encode(), uid.encode())
        return msgspec.json.decode(text.replace(self.name.encode(), name.encode()))


def take_down(arena: Arena, place: str) -> Recipe:
    """Let the operator carry out one run, and take down what it writes.

    Raises
    ------
    TimeoutError
        The run does not end.
    """
    client = arena.client()
    base = f"/api/v1/namespaces/{place}"
    statuses: dict[str, bytes] = {}
    with Observer(arena.plane, RUNS, place) as observer:
        (request,) = creations(RUNS, [place], 1, prefix="model")
        path = f"{request.path}/model-0"
        send(arena.plane, [request])
        observer.wait(1, PATIENCE_SECONDS, RUNNING)
        (secret,) = _items(client, f"{base}/secrets?labelSelector=actor-operator.dev/run=model-0")
        observer.wait(1, PATIENCE_SECONDS, Phase.RUNNING)
        run = client.call("GET", path).body
        statuses[run["status"]["phase"]] = msgspec.json.encode(run["status"])
        observer.wait(1, PATIENCE_SECONDS, FINISHED)
    run = client.call("GET", path).body
    statuses[run["status"]["phase"]] = msgspec.json.encode(run["status"])
    (pod,) = _items(client, f"{base}/pods?labelSelector=actor-operator.dev/run=model-0")
    pod["spec"].pop("nodeName")
    client.close()
    return Recipe("model-0", run["metadata"]["uid"], _sent(secret), _sent(pod), statuses)


def _items(client: RestClient, path: str) -> list[Object]:
    answer = client.call("GET", path)
    found: list[Object] = answer.body["items"]
    return found


def _sent(found: Object) -> bytes:
    metadata = {k: v for k, v in found["metadata"].items() if k not in NOT_SENT}
    body = {key: value for key, value in found.items() if key != "status"}
    return msgspec.json.encode({**body, "metadata": metadata})
