"""Services and routes of runs: what is known of them, and the only writes to them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.api.views.web_object import WebObject
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.desired.diff import differ_elsewhere
from actor_operator.desired.names import child_name
from actor_operator.engine.store import Key, Store
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServerError,
    TooManyRequestsError,
)
from actor_operator.kube.web_objects import WebObjects
from actor_operator.lifecycle.events import RunEvent, recreated
from actor_operator.lifecycle.routing import (
    Child,
    CreateChild,
    DeleteChild,
    DeleteUnseen,
    Part,
    PatchChild,
    Refused,
    Routing,
    RoutingAction,
)
from actor_operator.lifecycle.web_server import mend, take_down
from actor_operator.log import logger
from actor_operator.reconcile.execute import WEBHOOK_UNAVAILABLE
from actor_operator.settings_web import WebServerMode, WebServerSettings

log = logger(__name__)

FIRST_PAUSE = timedelta(seconds=5)
"""Pause after the first refusal."""

SHORT_PAUSE = timedelta(seconds=1)
"""Pause after the first failure that may pass by itself."""

LONGEST_PAUSE = timedelta(seconds=60)
"""Pause after many refusals or failures."""


@dataclass(frozen=True, slots=True, eq=False)
class WebKind:
    """One kind of these objects: what the informer knows of it, and who writes it."""

    store: Store[WebObject]
    writer: WebObjects

    @property
    def name(self) -> str:
        """The kind's name in Kubernetes."""
        return self.writer.resource.kind


class WebServers:
    """Knows and writes what leads requests to the web servers of runs.

    A run never waits for these: what the API server does not take is tried again later.

    Parameters
    ----------
    kinds
        Of Services and of routes; empty where runs have no URLs.
    classes
        What the informer knows of IngressClasses.
    settings, clock
        As everywhere.
    tell
        Told of what is made again, as an Event about the run.
    """

    def __init__(
        self,
        *,
        kinds: Mapping[Part, WebKind],
        classes: Store[WebObject],
        settings: WebServerSettings,
        clock: Clock,
        tell: Callable[[RunEvent, RunView], None],
    ) -> None:
        self._kinds = kinds
        self._classes = classes
        self._settings = settings
        self._clock = clock
        self._tell = tell
        self._left: dict[str, dict[str, Any]] = {}
        self._refused: dict[str, Refused] = {}
        for kind in kinds.values():
            kind.store.listen(self._on_object)

    def _on_object(self, old: WebObject | None, new: WebObject | None) -> None:
        if old is not None and (new is None or new.uid != old.uid):
            self._left.pop(old.uid, None)

    def runs(self) -> Iterator[Key]:
        """Namespace and name of every run that has one of these objects."""
        for kind in self._kinds.values():
            for found in kind.store:
                if name := found.metadata.labels.get(LABEL_RUN):
                    yield found.namespace, name

    def routing_of(self, run: RunView | FinishedRun) -> Routing:
        """What leads requests to a run now."""
        if not self._kinds:
            return Routing()
        settings, refused = self._settings, self._refused.get(run.uid)
        if refused is not None and refused.retry_at <= self._clock.now():
            refused = None  # it is tried now, or has become needless
        by_class = settings.mode is WebServerMode.INGRESS
        return Routing(
            service=self._child(Part.SERVICE, run),
            route=self._child(Part.ROUTE, run),
            class_missing=by_class and self._classes.get("", settings.ingress.class_name) is None,
            refused=refused,
        )

    def _child(self, part: Part, run: RunView | FinishedRun) -> Child | None:
        stored = self._kinds[part].store.get(run.namespace, child_name(run.name, run.uid))
        if stored is None or stored.controller_uid() != run.uid:
            return None
        return Child(stored, as_left=self._left.get(stored.uid) == stored.spec)

    async def carry_out(
        self, run: RunView | FinishedRun, actions: tuple[RoutingAction, ...]
    ) -> None:
        """Carry out actions in their order; what fails is remembered, and tried again later.

        After something that could not be made nothing else is made, but all is deleted that can be.
        """
        done = True
        for action in actions:
            if done or isinstance(action, DeleteChild | DeleteUnseen):
                done = await self._succeeds(run, action) and done
        if actions and done:
            self.forget(run.uid)

    async def remove_strays(self, run: RunView | FinishedRun) -> datetime | None:
        """Remove what a finished run has left: a creation may have landed after the verdict.

        Returns
        -------
        datetime or None
            When to try again, if something could not be removed.
        """
        actions = take_down(self.routing_of(run))
        await self.carry_out(run, actions)
        refused = self._refused.get(run.uid) if actions else None
        return refused.retry_at if refused is not None else None

    async def remove_orphans(self, namespace: str, run: str) -> None:
        """Remove what a run has left that was deleted without its children: they lead nowhere.

        What still has its owner is the garbage collector's.

        Raises
        ------
        ApiError
            Try again soon.
        """
        for kind in self._kinds.values():
            for found in [one for one in kind.store if _is_orphan(one, namespace, run)]:
                await kind.writer.delete(namespace, found.name, uid=found.uid)
                kind.store.remove(namespace, found.name, found.uid)

    def forget(self, uid: str) -> None:
        """The run is gone, or has ended, or all is well."""
        self._refused.pop(uid, None)

    def forget_all(self) -> None:
        """Leading has ended: what was refused may have been mended meanwhile."""
        self._refused.clear()

    async def _succeeds(self, run: RunView | FinishedRun, action: RoutingAction) -> bool:
        """Carry out one action; returns whether that went well."""
        try:
            refusal = await self._try(run, action)
        except TooManyRequestsError as error:
            self._remember(run, error.message, timedelta(seconds=error.requeue_after))
        except ApiError as error:
            name = self._kinds[action.part].name
            self._remember(run, f"The {name} could not be written: {error.message}", SHORT_PAUSE)
        else:
            if refusal is None:
                return True
            self._remember(run, refusal, FIRST_PAUSE)
        return False

    def _remember(self, run: RunView | FinishedRun, message: str, first_pause: timedelta) -> None:
        """Try again after the first pause, twice that … 60 s."""
        last = self._refused.get(run.uid)
        tries = last.tries + 1 if last else 1
        pause = min(first_pause * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
        if last is None or last.message != message:
            log.warning("A run's web server is not reachable.", run=run.name, cause=message)
        self._refused[run.uid] = Refused(message, tries, self._clock.now() + pause)

    async def _try(self, run: RunView | FinishedRun, action: RoutingAction) -> str | None:
        """Carry out one action; returns why the API server does not take it, if it does not."""
        kind = self._kinds[action.part]
        try:
            match action:
                case CreateChild():
                    return await self._create(run, kind, action)
                case PatchChild():
                    await self._patch(kind, action)
                case DeleteChild(_, namespace, name, uid):
                    await kind.writer.delete(namespace, name, uid=uid)
                    kind.store.remove(namespace, name, uid)
                case DeleteUnseen(_, namespace, name):
                    found = await kind.writer.read(namespace, name)
                    if found is not None and found.controller_uid() == run.uid:
                        await kind.writer.delete(namespace, name, uid=found.uid)
        except (ForbiddenError, InvalidError) as error:
            return f"The {kind.name} was refused: {error.message}"
        except NotFoundError:
            return (
                f"The cluster has no kind {kind.name}. Install what brings it (for an HTTPRoute the"
                " CRDs of the Gateway API), or choose another webServer.mode in the operator's"
                " settings."
            )
        except ServerError as error:
            if WEBHOOK_UNAVAILABLE not in error.message:
                raise
            return f"The {kind.name} could not be checked: {error.message}"
        return None

    async def _create(
        self, run: RunView | FinishedRun, kind: WebKind, action: CreateChild
    ) -> str | None:
        try:
            self._apply(kind, await kind.writer.create(run.namespace, action.manifest))
            if isinstance(run, RunView) and run.status.is_true(ConditionType.WEB_SERVER_READY):
                self._tell(recreated(kind.name), run)
        except AlreadyExistsError:
            name = action.manifest["metadata"]["name"]
            found = await kind.writer.read(run.namespace, name)
            if found is None:
                raise  # it went away this moment: the next try meets none
            if found.controller_uid() != run.uid:
                return f'A {kind.name} "{name}" exists that is not of this run; delete it.'
            kind.store.apply(found)
            # The watch does not tell of one without our labels: they are put back at once.
            change = mend(action.part, Child(found), action.manifest)
            if isinstance(change, PatchChild):
                await self._patch(kind, change)
        return None

    async def _patch(self, kind: WebKind, action: PatchChild) -> None:
        log.info("Mended what others had changed.", kind=kind.name, name=action.name)
        before = kind.store.get(action.namespace, action.name)
        patched = await kind.writer.patch(
            action.namespace, action.name, uid=action.uid, patch=action.patch
        )
        if patched is None:
            kind.store.remove(action.namespace, action.name, action.uid)
            # The watch will have no news of it: it is to be made again all the same.
            raise ConflictError("It was deleted at that moment.")
        spec = action.patch.get("spec", {})
        if before is None or differ_elsewhere(before.spec, patched.spec, spec):
            # What the answer holds beside our change is not the API server's, but somebody's.
            self._left.pop(patched.uid, None)
            kind.store.apply(patched)
            raise ConflictError("It was changed at that moment.")
        self._apply(kind, patched)

    def _apply(self, kind: WebKind, written: WebObject) -> None:
        self._left[written.uid] = written.spec
        kind.store.apply(written)


def _is_orphan(found: WebObject, namespace: str, run: str) -> bool:
    """Whether an object was made for a run of that name, and its owner was taken off it."""
    labels = found.metadata.labels
    return (
        (found.namespace, labels.get(LABEL_RUN)) == (namespace, run)
        and found.name == child_name(run, labels.get(LABEL_RUN_UID, ""))
        and found.controller_uid() is None
        and found.metadata.deletion_timestamp is None
    )
