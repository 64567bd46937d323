"""One burst: many objects at once, observed until the last has ended."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench.contenders import ACTOR, Contender
from tests.bench.costs import Costs, costs_so_far
from tests.bench.observer import Moments, Observer
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.operators import OperatorProcess
from tests.support.rest import GROUP_PATH, RestClient

CREATORS = 8
"""Connections over which objects are created side by side."""

SETTLE_SECONDS = 3.0
"""Before a burst, so that its preparations are not counted; after it, so that its ends are."""


@dataclass(frozen=True)
class Burst:
    """What was seen of one burst."""

    kind: str
    moments: Moments
    costs: Costs
    operator_mbytes: float
    """Resident memory of the operator after it."""


class Arena:
    """Where bursts are measured.

    Parameters
    ----------
    control_plane
        Runs the pods, and is the Job controller.
    operator
        The one that leads.
    """

    def __init__(self, control_plane: ControlPlane, operator: OperatorProcess) -> None:
        self._control_plane = control_plane
        self._operator = operator
        self._bursts = 0

    def measure(self, contender: Contender, count: int) -> Burst:
        """Create `count` objects in a namespace of their own and wait until they have ended.

        Raises
        ------
        TimeoutError
            They do not end.
        AssertionError
            The API server refuses one.
        """
        self._bursts += 1
        namespace = f"bench-{self._bursts}"
        self._prepare(namespace)
        before = costs_so_far(self._control_plane, self._operator)
        with Observer(self._control_plane, contender, namespace) as observer:
            self._create(contender, namespace, count)
            observer.wait(count, seconds=60 + count)
        time.sleep(SETTLE_SECONDS)
        costs = costs_so_far(self._control_plane, self._operator).since(before)
        return Burst(contender.kind, observer.moments, costs, self._operator.memory_mbytes)

    def _prepare(self, namespace: str) -> None:
        """Make a namespace with an Actor, and wait until pods may be created in it."""
        client = RestClient(self._control_plane)
        _must_create(client, "/api/v1/namespaces", {"metadata": {"name": namespace}})
        _must_create(client, f"{GROUP_PATH}/namespaces/{namespace}/actors", ACTOR)
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        deadline = time.monotonic() + 30
        while not client.call("GET", account).accepted:
            assert time.monotonic() < deadline, f"{namespace} has no service account"
            time.sleep(0.1)
        client.close()
        time.sleep(SETTLE_SECONDS)

    def _create(self, contender: Contender, namespace: str, count: int) -> None:
        names = [f"{contender.kind.lower()}-{number}" for number in range(count)]
        path = contender.path.format(namespace=namespace)

        def create(share: list[str]) -> None:
            client = RestClient(self._control_plane)
            for name in share:
                _must_create(client, path, contender.body(name))
            client.close()

        with ThreadPoolExecutor(CREATORS) as pool:
            list(pool.map(create, (names[first::CREATORS] for first in range(CREATORS))))


def _must_create(client: RestClient, path: str, body: object) -> None:
    answer = client.call("POST", path, body)
    assert answer.accepted, f"POST {path}: {answer.sentences}"
