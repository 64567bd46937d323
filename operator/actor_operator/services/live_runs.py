"""Single runs as they are at this moment, asked of Kubernetes instead of the informers."""

from collections.abc import Sequence

import msgspec

from actor_operator.api.views.metadata import View
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.kube.client import KubeClient
from actor_operator.kube.pods import PODS
from actor_operator.kube.runs import Runs
from actor_operator.services.run_watch import RunWatch


class _Pods(View, frozen=True):
    items: tuple[PodView, ...] = ()


_DECODER = msgspec.json.Decoder(_Pods)


class LiveRuns:
    """Reads runs that are known by their uid only.

    Parameters
    ----------
    client
        Over which.
    watch
        Knows the names of most runs.
    namespaces
        Where runs may be; empty: everywhere.
    """

    def __init__(self, client: KubeClient, watch: RunWatch, namespaces: Sequence[str] = ()) -> None:
        self._client = client
        self._runs = Runs(client)
        self._watch = watch
        self._places: Sequence[str | None] = namespaces or (None,)

    async def read(self, uid: str) -> RunView | None:
        """The run as it is now; None: there is none, or none that ever had a pod.

        Kubernetes cannot be asked for a uid. A run that no informer has told of yet is found by
        the label of its pods, which whoever asks for it here runs in.

        Raises
        ------
        ActorOperatorError
            When Kubernetes does not answer.
        """
        known = self._watch.state(uid).run
        name = (known.namespace, known.name) if known else await self._name_by_pod(uid)
        run = await self._runs.read(*name) if name else None
        return run if run is not None and run.uid == uid else None

    async def _name_by_pod(self, uid: str) -> tuple[str, str] | None:
        for place in self._places:
            page = await self._client.list_page(
                PODS, place, label_selector=f"{LABEL_RUN_UID}={uid}", limit=1
            )
            for pod in _DECODER.decode(page).items:
                return pod.namespace, pod.metadata.labels.get(LABEL_RUN, "")
        return None
