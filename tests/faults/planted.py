"""Defects that are put into the operator on purpose: a campaign that finds none proves nothing.

They change the operator's code in its process only, and only where a plan asks for one. None of
them does any harm while nothing goes wrong.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus, RunView
from actor_operator.kube.client import PatchKind
from actor_operator.kube.errors import ApiError
from actor_operator.kube.pods import Pods
from actor_operator.kube.runs import ACTOR_RUNS, Runs
from actor_operator.lifecycle import decide
from actor_operator.lifecycle.facts import Stop
from actor_operator.lifecycle.observed import Observed

if TYPE_CHECKING:
    from actor_operator.api.k8s import V1Pod


def plant(name: str) -> None:
    """Put a defect into this process.

    Raises
    ------
    KeyError
        There is none of this name.
    """
    if name:
        DEFECTS[name]()


def second_pod() -> None:
    """A pod whose creation was not answered is made again, under another name."""
    create = Pods.create

    async def create_again(self: Pods, namespace: str, pod: "V1Pod") -> PodView:
        try:
            return await create(self, namespace, pod)
        except ApiError:
            metadata = pod.metadata and pod.metadata.model_copy(
                update={"name": f"{pod.metadata.name}-again"}
            )
            return await create(self, namespace, pod.model_copy(update={"metadata": metadata}))

    Pods.create = create_again  # type: ignore[method-assign]


def lost_abort() -> None:
    """An abort is heard of only when it comes, not when it was there before."""
    stop = decide._stop
    seen: dict[str, bool] = {}

    def stop_on_news(observed: Observed, now: datetime) -> Stop | None:
        asked = observed.run.spec.abort is not None
        if seen.setdefault(observed.run.uid, asked) and observed.stopping is None:
            return None
        return stop(observed, now)

    decide._stop = stop_on_news


def unlocked_status() -> None:
    """A status is written whole, whatever version it replaces.

    The API server refuses a PUT without a version, so it is a patch. Most of what it could spoil
    the rules of the CRD refuse; that observedGeneration falls they do not see.
    """

    async def replace_status(self: Runs, run: RunView, status: RunStatus) -> RunView:
        patch = msgspec.json.encode([{"op": "replace", "path": "/status", "value": status}])
        data = await self._client.patch(
            ACTOR_RUNS, run.namespace, run.name, patch, PatchKind.JSON, subresource="status"
        )
        return msgspec.json.decode(data, type=RunView)

    Runs.write_status = replace_status  # type: ignore[method-assign]


DEFECTS: dict[str, Callable[[], None]] = {
    "second-pod": second_pod,
    "lost-abort": lost_abort,
    "unlocked-status": unlocked_status,
}
"""What can be planted."""
