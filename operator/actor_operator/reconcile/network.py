"""The NetworkPolicy of each namespace with runs: no pod of a run is made where there is none.

It belongs to the namespace and not to a run: one write serves all of its runs. Runs never write
it themselves; they ask for it, and a worker of this module makes it, so that an admission webhook
that does not answer holds up one worker, and not one for each run.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec import convert

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.network_policy import NetworkPolicyView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.desired.diff import merge_patch
from actor_operator.desired.network_policy import LABELS, POLICY_NAME, build_network_policy
from actor_operator.engine.backoff import Backoff
from actor_operator.engine.store import Store
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.errors import ActorOperatorError, NotLeaderError, WaitingError
from actor_operator.kube.errors import AlreadyExistsError, ApiError
from actor_operator.kube.network_policies import NetworkPolicies
from actor_operator.log import logger
from actor_operator.reconcile.execute import Refusal, explain_refusal
from actor_operator.settings import Settings

log = logger(__name__)

WORKERS = 4
"""Policies that are written at the same time."""

PATIENCE = 2.0
"""Seconds that a run waits for the policy of its namespace before it makes way for others."""

REPAIR_PAUSE = 1.0
"""Seconds after which a policy that was changed is looked at: whoever insists is not fought."""

REFUSED = Backoff(first=5.0, cap=60.0)
"""Pauses after the API server has refused a policy."""

NO_ANSWER = Refusal(
    Reason.ADMISSION_UNAVAILABLE,
    f'The API server does not answer about the NetworkPolicy "{POLICY_NAME}" of the namespace.',
    final=False,
)
"""What a run is told meanwhile."""

Outcome = Refusal | ActorOperatorError | None
"""What came of a try: None when the policy is there."""


class NetworkController:
    """Keeps the NetworkPolicies of namespaces with runs, in the replica that leads.

    Parameters
    ----------
    policies, runs
        What the informers know; answers to our own writes are put in beside them.
    writer
        The API server.
    settings
        What the policies say, and whether there are any.
    serves
        Whether this installation works in a namespace.
    """

    def __init__(
        self,
        *,
        policies: Store[NetworkPolicyView],
        runs: Store[RunView | FinishedRun],
        writer: NetworkPolicies,
        settings: Settings,
        serves: Callable[[str], bool],
    ) -> None:
        self._policies = policies
        self._runs = runs
        self._writer = writer
        self._settings = settings
        self._serves = serves
        self._wanted = _content(convert(build_network_policy("", settings), NetworkPolicyView))
        self._leading = False
        self._wake: Callable[[str], None] = lambda _namespace: None
        self._refusals: dict[str, Refusal] = {}
        self._failures: dict[str, int] = {}
        self._admitted: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        self._noticed: set[str] = set()
        self._queue: WorkQueue[str] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self._handle, size=WORKERS)

    # For runs

    async def ensure(self, namespace: str) -> Refusal | None:
        """Have the policy of a namespace before a pod is made there.

        Returns
        -------
        Refusal or None
            Why there is no policy, and the pod must wait; None: it is there.

        Raises
        ------
        ActorOperatorError
            Whatever passes by itself: the caller tries again.
        """
        if not self._settings.network.policy or self._is_right(self._stored(namespace)):
            return None
        if namespace not in self._refusals:
            self._queue.add(namespace, urgent=True)
            await self._wait(namespace)
        return self._refusals.get(namespace)

    async def _wait(self, namespace: str) -> None:
        """Wait for the worker; what takes long is a refusal until the answer comes."""
        future = self._waiting.get(namespace)
        if future is None:
            future = self._waiting[namespace] = asyncio.get_running_loop().create_future()
        await asyncio.wait((future,), timeout=PATIENCE)
        if not future.done():
            self._refusals[namespace] = NO_ANSWER
        elif isinstance(outcome := future.result(), ActorOperatorError):
            raise outcome

    # Events

    def on_policy(self, old: NetworkPolicyView | None, new: NetworkPolicyView | None) -> None:
        """One of our policies came, changed or went."""
        policy = new or old
        if policy is None or policy.name != POLICY_NAME or not self._leading:
            return
        if not self._is_right(new) and policy.namespace not in self._noticed:
            self._noticed.add(policy.namespace)
            self._queue.add_later(policy.namespace, REPAIR_PAUSE)

    def look_at_namespace(self, namespace: str) -> None:
        """Whose a namespace is has changed."""
        if self._leading:
            self._queue.add(namespace)

    # Leading

    def start_leading(self, wake: Callable[[str], None]) -> None:
        """Begin to work.

        Parameters
        ----------
        wake
            Called with a namespace whose runs waited for the policy, once it is there.
        """
        if not self._settings.network.policy:
            return
        self._leading, self._wake = True, wake
        for namespace in {run.namespace for run in self._runs if isinstance(run, RunView)}:
            self._queue.add(namespace)
        self._workers.start()

    async def stop_leading(self, grace: float) -> bool:
        """Stop working; returns whether all work ended by itself."""
        self._leading = False
        for namespace in list(self._waiting):
            self._settle(namespace, NotLeaderError("another replica leads"))
        by_itself = await self._workers.stop(grace)
        self._queue.clear()
        for memory in (self._refusals, self._failures, self._admitted, self._noticed):
            memory.clear()
        return by_itself

    # Work

    async def _handle(self, namespace: str) -> None:
        self._noticed.discard(namespace)
        try:
            await self._reconcile(namespace)
        except ApiError as error:
            refusal = _explain(error)
            if refusal is None:
                self._settle(namespace, error)
                raise
            self._settle(namespace, refusal)
            self._failures[namespace] = failures = self._failures.get(namespace, 0) + 1
            log.warning("A NetworkPolicy is refused.", namespace=namespace, cause=str(error))
            raise WaitingError(refusal.message, requeue_after=REFUSED.delay(failures)) from error
        except ActorOperatorError as error:
            self._settle(namespace, error)
            raise
        self._settle(namespace, None)

    async def _reconcile(self, namespace: str) -> None:
        """Make or correct the policy of one namespace, if runs need it.

        Raises
        ------
        ApiError
            It is refused, or it is to be tried again soon.
        NotLeaderError
            The namespace is not ours.
        """
        if not self._serves(namespace):
            raise NotLeaderError("the namespace is another installation's")
        stored = self._stored(namespace)
        if self._is_right(stored) or not self._has_runs(namespace):
            return
        written = await (self._correct(stored) if stored else self._make(namespace))
        self._policies.apply(written)
        admitted = _content(written)
        if admitted not in (self._wanted, self._admitted.get(namespace)):
            log.warning("Admission changes a NetworkPolicy of the operator.", namespace=namespace)
        # What the cluster's own admission makes of it holds: writing it again changes nothing.
        self._admitted[namespace] = admitted

    async def _make(self, namespace: str) -> NetworkPolicyView:
        try:
            policy = build_network_policy(namespace, self._settings)
            return await self._writer.create(namespace, policy)
        except AlreadyExistsError:
            # Of a lost answer, or somebody took its label off, or made one of that name.
            stored = await self._writer.read(namespace, POLICY_NAME)
            if stored is None:
                raise
            return await self._correct(stored)

    async def _correct(self, stored: NetworkPolicyView) -> NetworkPolicyView:
        patch = merge_patch(_content(stored), self._wanted)
        if not patch:
            return stored
        log.info("A NetworkPolicy is corrected.", namespace=stored.namespace)
        return await self._writer.patch(stored.namespace, POLICY_NAME, patch)

    def _settle(self, namespace: str, outcome: Outcome) -> None:
        """Tell the runs that wait what came of it."""
        if isinstance(outcome, Refusal):
            self._refusals[namespace] = outcome
        elif outcome is None:
            self._failures.pop(namespace, None)
            if self._refusals.pop(namespace, None) is not None:
                self._wake(namespace)
        elif isinstance(outcome, NotLeaderError):
            self._refusals.pop(namespace, None)
        future = self._waiting.pop(namespace, None)
        if future is not None:
            future.set_result(outcome)

    def _stored(self, namespace: str) -> NetworkPolicyView | None:
        return self._policies.get(namespace, POLICY_NAME)

    def _is_right(self, policy: NetworkPolicyView | None) -> bool:
        """Whether a policy is as wanted, or as admission made it of what was wanted."""
        if policy is None:
            return False
        return _content(policy) in (self._wanted, self._admitted.get(policy.namespace))

    def _has_runs(self, namespace: str) -> bool:
        return any(isinstance(run, RunView) and run.namespace == namespace for run in self._runs)


def _content(policy: NetworkPolicyView) -> dict[str, Any]:
    """What of a policy is ours to say: its labels that we give, and its specification."""
    labels = {
        name: policy.metadata.labels[name] for name in LABELS if name in policy.metadata.labels
    }
    return {"metadata": {"labels": labels}, "spec": policy.spec}


def _explain(error: ApiError) -> Refusal | None:
    """Why the API server does not take a policy; None: it will, when tried again soon."""
    found = explain_refusal(error)
    if found is None:
        return None
    unavailable = found.reason is Reason.ADMISSION_UNAVAILABLE
    reason = found.reason if unavailable else Reason.NETWORK_POLICY_REFUSED
    message = f'The NetworkPolicy "{POLICY_NAME}" cannot be written: {error.message}'
    return Refusal(reason, message, final=False)
