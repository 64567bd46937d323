"""Carrying out what was decided: the only writes to children of a run."""

from dataclasses import dataclass

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
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
from actor_operator.lifecycle.decide import Action, CreatePod, DeletePod, DeleteSecret, StopPod

WEBHOOK_UNAVAILABLE = "failed calling webhook"
"""What the API server says of an admission webhook that does not answer."""

RBAC_REFUSAL = "cannot create resource"
"""What the API server says when the operator itself lacks a right."""

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
    """

    def __init__(self, *, pods: Pods, secrets: Secrets) -> None:
        self._pods = pods
        self._secrets = secrets

    async def carry_out(
        self, run: RunView, actions: tuple[Action, ...]
    ) -> PodView | Refusal | None:
        """Carry out actions in their order.

        Returns
        -------
        PodView, Refusal or None
            The pod as the last action on it left it, or why the API server did not take it.

        Raises
        ------
        ApiError
            Whatever passes by itself: the caller tries the whole step again.
        """
        outcome: PodView | Refusal | None = None
        for action in actions:
            match action:
                case CreatePod():
                    outcome = await self._create(run, action)
                case DeleteSecret(namespace, name):
                    await self._secrets.delete(namespace, name)
                case DeletePod(namespace, name, uid, grace_seconds):
                    outcome = await self._pods.delete(
                        namespace, name, uid=uid, grace_seconds=grace_seconds
                    )
                case StopPod(namespace, name):
                    outcome = await self._pods.stop(namespace, name)
        return outcome

    async def _create(self, run: RunView, action: CreatePod) -> PodView | Refusal:
        objects = action.objects
        try:
            await self._secrets.ensure(run.namespace, objects.secret)
        except ApiError as error:
            return _refusal_of(error)
        try:
            return await self._pods.create(run.namespace, objects.pod)
        except AlreadyExistsError:
            pod = await self._pods.read(run.namespace, objects.pod_name)
            if pod is None:
                raise  # it went away this moment: the next try meets no pod
            if pod.controller_uid() == run.uid:
                return pod  # ours, of a lost answer
            message = f'A pod "{pod.name}" exists that is not of this run; delete it.'
            refusal = Refusal(Reason.NAME_TAKEN, message, final=False)
        except ApiError as error:
            refusal = _refusal_of(error)
        await self._secrets.delete(run.namespace, objects.secret_name)
        return refusal


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
        case QuotaExceededError():
            return Refusal(Reason.QUOTA_EXCEEDED, f"Waits for room: {text}", final=False)
        case ForbiddenError() if RBAC_REFUSAL in text:
            hint = f"The operator lacks a right; its administrator must grant it: {text}"
            return Refusal(Reason.POD_REJECTED, hint, final=False)
        case ForbiddenError() if NO_SERVICE_ACCOUNT in text:
            hint = f"Waits for the namespace's ServiceAccount: {text}"
            return Refusal(Reason.POD_REJECTED, hint, final=False)
        case ForbiddenError() | InvalidError():
            # What is created in a namespace that goes away is of no use, and no fault.
            final = not error.has_cause("NamespaceTerminating")
            return Refusal(Reason.POD_REJECTED, f"The pod was refused: {text}", final=final)
        case ServerError() if WEBHOOK_UNAVAILABLE in text:
            return Refusal(Reason.ADMISSION_UNAVAILABLE, text, final=False)
        case _:
            return None
