"""The replicas of the operator beside one control plane, and how they must bear an outage."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster_tool.control_plane import ControlPlane
from tests.support.operators import Credentials, OperatorProcess, chart_settings

CALLS = "actor_operator_api_calls_total"
"""Metric: calls of the API server."""

CALLS_A_SECOND = 10.0
"""More than this, over an outage, is spinning."""

MOST_LINES = 30
"""More log lines than this, over an outage, are noise: each watch says that it is interrupted, and
that it works again, and the Lease is lost and won."""

LEAD_SECONDS = 60.0
"""How long it may take until one of several replicas leads."""

QUICK_LIMITS = {"imagePullSeconds": 8}
"""What the tests cannot wait for."""


class Fleet:
    """The replicas of the operator; tests may do to them what they like.

    Parameters
    ----------
    control_plane
        Whose API server.
    folder
        Where their files go.
    lease
        Name of another Lease than the chart's.
    """

    def __init__(self, control_plane: ControlPlane, folder: Path, *, lease: str = "") -> None:
        self._control_plane = control_plane
        self._folder = folder
        self._settings = _settings()
        self._prefix = lease or "operator"
        if lease:
            self._settings["lease"] |= {"name": lease}
        self._count = 0
        self.replicas: list[OperatorProcess] = []

    def start(self, **options: Any) -> OperatorProcess:
        """Start one more; options are those of `Credentials`."""
        self._count += 1
        name = f"{self._prefix}-{self._count}"
        credentials = Credentials(self._control_plane, name, self._folder, **options)
        replica = OperatorProcess(name, credentials, self._settings, self._folder)
        self.replicas.append(replica)
        return replica

    def ensure(self, count: int) -> list[OperatorProcess]:
        """Bring the number of replicas to `count`; returns them, the leader first."""
        running = [replica for replica in self.replicas if replica.running]
        for replica in running[count:]:
            replica.stop()
        running = running[:count]
        running += [self.start() for _ in range(count - len(running))]
        for replica in running:
            replica.wait_ready()
        if not any(replica.leads for replica in running):
            wait_until_one_leads(running)
        self.replicas = running
        return sorted(running, key=lambda replica: not replica.leads)

    @contextmanager
    def configured(self, *values: str) -> Iterator[None]:
        """Let replicas, in the body, be others with values of the chart, as helm takes them."""
        before = self._settings
        self._end()
        self._settings = _settings(*values)
        try:
            yield
        finally:
            self._end()
            self._settings = before

    def _end(self) -> None:
        """Let all of them end in order, so that others can lead at once."""
        for replica in self.replicas:
            if replica.running:
                replica.stop()
        self.replicas = []

    def stop(self) -> None:
        """End all of them."""
        for replica in self.replicas:
            if replica.running:
                replica.kill()
        self.replicas = []


def _settings(*values: str) -> dict[str, Any]:
    settings = chart_settings(*values)
    settings["limits"] |= QUICK_LIMITS
    return settings


def wait_until_one_leads(replicas: list[OperatorProcess]) -> None:
    """Wait until one of them leads."""
    deadline = time.monotonic() + LEAD_SECONDS
    while not any(replica.leads for replica in replicas):
        for replica in replicas:
            replica.check()
        assert time.monotonic() < deadline, "no replica leads"
        time.sleep(0.1)


@contextmanager
def calm(*replicas: OperatorProcess) -> Iterator[None]:
    """Check that replicas live through the body without haste and without noise."""
    begun = time.monotonic()
    calls = [replica.metric(CALLS) for replica in replicas]
    lines = [len(replica.said()) for replica in replicas]
    yield
    seconds = time.monotonic() - begun
    for replica, calls_before, lines_before in zip(replicas, calls, lines, strict=True):
        replica.check()
        assert replica.healthy
        made = replica.metric(CALLS) - calls_before
        assert made < CALLS_A_SECOND * seconds, f"{made:.0f} calls in {seconds:.0f} s"
        said = [line["event"] for line in replica.said()[lines_before:]]
        assert len(said) < MOST_LINES, said
