"""Carrying out what was decided: the only writes to children of a run."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import LABEL_ENVIRONMENT
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ForbiddenError,
    InvalidError,
    QuotaExceededError,
    ServerError,
)
from actor_operator.kube.pods import Pods
from actor_operator.kube.secret import Secrets
from actor_operator.lifecycle.actions import (
    Action,
    CreatePod,
    DeletePod,
    DeleteSecret,
    RestoreSecret,
    StopPod,
)

WEBHOOK_UNAVAILABLE = "failed calling webhook"
"""What the API server says of an admission webhook that does not answer."""

RBAC_REFUSAL = "cannot create resource"
"""What the API server says when the operator itself lacks a right."""

QUOTA_UNKNOWN = "status unknown for quota"
"""What the API server says of a ResourceQuota so new that nobody has counted yet."""

NO_SERVICE_ACCOUNT = "error looking up service account"
"""What the API server says in a namespace so new that it has no ServiceAccount yet."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the API server does not take a pod or Secret.

    ``final`` says that trying again cannot help.
    """

    reason: Reason
    message: str
    final: bool


class Executor:
    """Writes children of runs.

    Parameters
    ----------
    pods, secrets
        The kinds that it writes.
    protect
        Called with a namespace before a pod is made in it: why it must not be, if so.
    """

    def __init__(
        self,
        *,
        pods: Pods,
        secrets: Secrets,
        protect: Callable[[str], Awaitable[Refusal | None]],
    ) -> None:
        self._pods = pods
        self._secrets = secrets
        self._protect = protect

    async def carry_out(
        self, run: RunView | FinishedRun, actions: tuple[Action, ...]
    ) -> tuple[PodView, ...] | Refusal:
        """Carry out actions in their order.

        Returns
        -------
        tuple of PodView, or Refusal
            The pods as the actions left them, or why the API server did not take the new one.

        Raises
        ------
        ApiError
            Whatever passes by itself: the caller tries the whole step again.
        """
        touched: list[PodView] = []
        outcome: PodView | Refusal | None
        for action in actions:
            if isinstance(action, CreatePod):
                outcome = await self._create(run, action)
            elif isinstance(action, RestoreSecret):
                await self._restore(run.namespace, action)
                continue
            else:
                outcome = await self._change(action)
            if isinstance(outcome, Refusal):
                return outcome
            touched += [outcome] if outcome else []
        return tuple(touched)

    async def remove(self, actions: tuple[Action, ...]) -> None:
        """Carry out actions that make nothing, also without a run.

        Raises
        ------
        ApiError
            Whatever passes by itself: the caller tries the whole step again.
        """
        for action in actions:
            if not isinstance(action, CreatePod | RestoreSecret):
                await self._change(action)

    async def _restore(self, namespace: str, action: RestoreSecret) -> None:
        """The pod goes on waiting for what is refused, and says so."""
        with suppress(ForbiddenError, InvalidError):
            await self._secrets.ensure(namespace, action.objects.secret)

    async def _change(self, action: DeleteSecret | DeletePod | StopPod) -> PodView | None:
        match action:
            case DeleteSecret(namespace, name):
                await self._secrets.delete(namespace, name)
                return None
            case DeletePod(namespace, name, uid, grace_seconds):
                return await self._pods.delete(
                    namespace, name, uid=uid, grace_seconds=grace_seconds
                )
            case StopPod(namespace, name, uid):
                return await self._pods.stop(namespace, name, uid=uid)

    async def _create(self, run: RunView | FinishedRun, action: CreatePod) -> PodView | Refusal:
        objects = action.objects
        unprotected = await self._protect(run.namespace)
        if unprotected is not None:
            return unprotected
        try:
            await self._secrets.ensure(run.namespace, objects.secret)
        except ApiError as error:
            return _refusal_of(error)
        try:
            return await self._pods.create(run.namespace, objects.pod)
        except AlreadyExistsError as error:
            message = f'A pod "{objects.pod_name}" exists that is not of this run; delete it.'
            refusal, taken = Refusal(Reason.NAME_TAKEN, message, final=False), error
        except ApiError as error:
            refusal, taken = _refusal_of(error), None
        # Quotas and webhooks are asked before names: also a refusal may meet our pod of a lost
        # answer, which needs its Secret.
        pod = await self._pods.read(run.namespace, objects.pod_name)
        ours = pod is not None and pod.controller_uid() == run.uid
        if taken is not None and pod is None:
            raise taken  # it went away this moment: the next try meets no pod
        if pod is None or not ours or not _takes(pod, objects.secret_name):
            await self._secrets.delete(run.namespace, objects.secret_name)
        return pod if pod is not None and ours else refusal


def _takes(pod: PodView, secret_name: str) -> bool:
    """Whether that is the pod's environment Secret."""
    return secret_name == f"{pod.name}-{pod.metadata.labels.get(LABEL_ENVIRONMENT)}"


def _refusal_of(error: ApiError) -> Refusal:
    """The refusal that an error is; an error that passes by itself is raised again."""
    refusal = explain_refusal(error)
    if refusal is None:
        raise error
    return refusal


def explain_refusal(error: ApiError) -> Refusal | None:
    """Why the API server does not take a pod or Secret; None: it will, when tried again soon."""
    text = error.message
    match error:
        case ForbiddenError() if isinstance(error, QuotaExceededError) or QUOTA_UNKNOWN in text:
            return Refusal(Reason.QUOTA_EXCEEDED, f"Waits for room: {text}", final=False)
        case ForbiddenError() if RBAC_REFUSAL in text:
            hint = f"The operator lacks a right; its administrator must grant it: {text}"
            return Refusal(Reason.POD_REJECTED, hint, final=False)
        case ForbiddenError() if NO_SERVICE_ACCOUNT in text:
            hint = f"Waits for the namespace's ServiceAccount: {text}"
            return Refusal(Reason.POD_REJECTED, hint, final=False)
        case ForbiddenError() | InvalidError():
            # What is created in a namespace that goes away is of no use, and no fault.
            # Without a reason it is a proxy that speaks.
            final = bool(error.reason) and not error.has_cause("NamespaceTerminating")
            return Refusal(Reason.POD_REJECTED, f"The pod was refused: {text}", final=final)
        case ServerError() if WEBHOOK_UNAVAILABLE in text:
            return Refusal(Reason.ADMISSION_UNAVAILABLE, text, final=False)
        case _:
            return None
