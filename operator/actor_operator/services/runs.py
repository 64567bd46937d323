"""Runs that are there: listed, waited for, changed, stopped, run once more, removed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunView
from actor_operator.kube.errors import ApiError as KubeError
from actor_operator.kube.errors import ConflictError, NotFoundError
from actor_operator.services.account_use import AccountUses
from actor_operator.services.describing import describe_all
from actor_operator.services.errors import ApiError, invalid, not_found, unavailable
from actor_operator.services.identity import Caller
from actor_operator.services.kubernetes_errors import of_kubernetes
from actor_operator.services.mirror_rows import mirrored
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_object import run_item
from actor_operator.services.run_options import RunOptions
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_shown import shown
from actor_operator.storage.run_ends import take_news
from actor_operator.storage.run_starts import forget_run
from actor_operator.storage.runs import RunFilter, RunRows

TRIES = 3
"""How often a request is written again when the run has changed in between."""

ACCESSES = ("FOLLOW_USER_SETTING", "RESTRICTED", "ANYONE_WITH_ID_CAN_READ")
"""Who else may read a run."""

MOST_MESSAGE = 10_000
"""Longest status message in characters."""


Request = Callable[[RunView], dict[str, Any] | None]
"""Makes a request to a run as it is now; None: nothing is to be asked."""


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What a client changes of a run; None: nothing."""

    status_message: str | None = None
    is_status_message_terminal: bool | None = None
    general_access: str | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A part of a list of runs."""

    items: list[dict[str, Any]]
    total: int


class RunService:
    """The use cases of runs, but for their start.

    Parameters
    ----------
    parts
        What it works with.
    answers
        Finds and describes runs.
    uses
        Knows what accounts use.
    """

    def __init__(self, parts: RunParts, answers: RunAnswers, uses: AccountUses) -> None:
        self._parts = parts
        self._answers = answers
        self._uses = uses

    # Reading

    async def page(
        self, caller: Caller, wanted: RunFilter, *, offset: int, limit: int, desc: bool
    ) -> RunPage:
        """A part of the list of the account's runs.

        Raises
        ------
        ApiError
            403 for a run with limited permissions.
        """
        _refuse_limited(caller)
        rows, total = await self._parts.database.read(
            lambda connection: RunRows(connection, caller.account).page(
                wanted, offset=offset, limit=limit, desc=desc
            )
        )
        user = caller.user_id
        return RunPage(await describe_all(lambda row: run_item(row, user), rows), total)

    async def last(self, caller: Caller, wanted: RunFilter) -> FoundRun:
        """The run of the account that was started last, of those wanted.

        Raises
        ------
        ApiError
            404 when there is none, 403 for a run with limited permissions.
        """
        _refuse_limited(caller)
        row = await self._parts.database.read(
            lambda connection: RunRows(connection, caller.account).last(wanted)
        )
        if row is None:
            raise not_found("Run")
        return FoundRun(row, caller.namespace)

    # Changing

    async def change(self, found: FoundRun, changes: RunChanges) -> dict[str, Any]:
        """Change what is the API's own; finished runs too.

        Raises
        ------
        ApiError
            400 for a general access that runs do not have.
        """
        if changes.general_access not in {None, *ACCESSES}:
            raise invalid(f"generalAccess must be one of {', '.join(ACCESSES)}.", "invalid-value")
        values: dict[str, Any] = {}
        if changes.general_access is not None:
            values["general_access"] = changes.general_access
        if changes.status_message is not None:
            # PostgreSQL has no NUL in texts.
            message = changes.status_message.replace("\0", "\ufffd")
            values["status_message"] = message[:MOST_MESSAGE]
            values["status_message_terminal"] = changes.is_status_message_terminal
        elif changes.is_status_message_terminal is not None:
            values["status_message_terminal"] = changes.is_status_message_terminal
        row = found.row
        if values:
            await self._parts.database.write(
                lambda connection: RunRows(connection, row.account).change(row.id, **values)
            )
        return await self._described(found)

    async def abort(self, found: FoundRun, *, gracefully: bool) -> dict[str, Any]:
        """Stop a run; of one that ends or has ended nothing is changed."""
        mode = "Graceful" if gracefully else "Immediate"

        def request(run: RunView) -> dict[str, Any] | None:
            asked = run.spec.abort
            already = asked.mode if asked and asked.attempt == run.status.attempt else None
            if shown(run).is_finished or already in {mode, "Immediate"}:
                return None
            if shown(run).attempt != run.status.attempt:
                raise _begins()
            return {"attempt": run.status.attempt, "mode": mode}

        return await self._ask(found, "abort", request)

    async def reboot(self, found: FoundRun) -> dict[str, Any]:
        """Give a running run a new pod.

        Raises
        ------
        ApiError
            403 job-finished for one that has ended.
        """

        def request(run: RunView) -> dict[str, Any] | None:
            if shown(run).is_finished:
                raise job_finished("rebooted")
            if shown(run).phase is not Phase.RUNNING:
                # As on Apify: a run that does not run yet, or no longer, is left alone.
                return None
            count = run.status.stats.reboot_count + 1
            return {"attempt": run.status.attempt, "count": count}

        return await self._ask(found, "reboot", request)

    async def resurrect(self, found: FoundRun, options: RunOptions) -> dict[str, Any]:
        """Run a finished run once more.

        Raises
        ------
        ApiError
            400 when it is not finished or an option cannot be, 402 when there is no room for it:
            then nothing was changed.
        """
        options.check()
        self._check_build(found, options)

        def request(run: RunView) -> dict[str, Any] | None:
            if not shown(run).is_finished:
                raise invalid(
                    f"The run is {shown(run).phase}: only a finished run can be resurrected."
                )
            had = run.status.options
            memory = options.memory_mbytes or (had.memory_mbytes if had else 0)
            self._uses.require_room(run.namespace, memory)
            return _resurrection(run, options)

        answer = await self._ask(found, "resurrect", request)
        row = found.row
        await self._parts.database.write(
            lambda connection: RunRows(connection, row.account).change(
                row.id, status_message=None, status_message_terminal=None
            )
        )
        return answer | {"statusMessage": None, "isStatusMessageTerminal": None}

    async def delete(self, found: FoundRun) -> None:
        """Remove a finished run with the storages that it has by default.

        Raises
        ------
        ApiError
            400 cannot-remove-running-run.
        """
        for _ in range(TRIES):
            run = await self._read(found)
            if not shown(run).is_finished:
                raise invalid(
                    "A run that is not finished cannot be removed: abort it first.",
                    "cannot-remove-running-run",
                )
            try:
                await self._parts.runs.delete(run)
            except ConflictError:
                continue
            except KubeError as error:
                raise of_kubernetes(error) from error
            break
        else:
            raise unavailable("The run changes at this moment. Try again.")
        row, now, news = found.row, self._parts.millis, mirrored(run, None, None)

        def forget(connection: Connection) -> None:
            # Its end may not have been written yet, and what it used counts.
            take_news(connection, row.account, row.id, news, now=now)
            forget_run(connection, row.account, row.id, now)

        await self._parts.database.write(forget)

    # Within

    async def _ask(self, found: FoundRun, field: str, request: Request) -> dict[str, Any]:
        """Write a request into the run's object; what it is depends on the run as it is now."""
        run = await self._answers.object_of(found) or await self._read(found)
        for _ in range(TRIES):
            wish = request(run)
            if wish is None:
                return self._answers.answer(found, run)
            try:
                run = await self._parts.requests.ask(run, field, wish)
            except NotFoundError:
                raise not_found("Run") from None
            except ConflictError:
                run = await self._read(found)
                continue
            except KubeError as error:
                raise of_kubernetes(error) from error
            self._parts.directory.take(run)
            return self._answers.answer(found, run)
        raise unavailable("The run changes at this moment. Try again.")

    async def _read(self, found: FoundRun) -> RunView:
        run = await self._parts.directory.read(found.namespace, found.row.name)
        if run is None or (found.row.uid is not None and run.uid != found.row.uid):
            raise not_found("Run")
        return run

    async def _described(self, found: FoundRun) -> dict[str, Any]:
        row = await self._parts.database.read(
            lambda connection: RunRows(connection, found.row.account).get(found.row.id)
        )
        if row is None:
            raise not_found("Run")
        return await self._answers.describe(FoundRun(row, found.namespace))

    def _check_build(self, found: FoundRun, options: RunOptions) -> None:
        """Refuse a build that the Actor does not have, as far as it is known."""
        actor = self._parts.actors.named(found.row.actor)
        if options.build is None or actor is None:
            return
        number = actor.spec.tagged_builds.get(options.build, options.build)
        if all(build.number != number for build in actor.spec.builds):
            raise invalid(
                f'The Actor "{actor.name}" has no build with the tag or number "{options.build}".'
                " Was it built?",
                "unknown-build-tag",
            )


def job_finished(what: str) -> ApiError:
    """A finished run cannot be rebooted, nor become another Actor; clients look for the words."""
    return ApiError(
        "job-finished", f"The run has already finished: it cannot be {what}.", status=403
    )


def _resurrection(run: RunView, options: RunOptions) -> dict[str, Any]:
    """The request; what is not wished is written out, to take back an earlier wish."""
    limits = options.limits
    had = run.status.options
    if limits is not None and had is not None:
        # They replace each other as a whole, so what the run had goes along.
        kept = RunOptions(max_items=had.max_items, max_total_charge_usd=had.max_total_charge_usd)
        limits = {"maxItems": None, "maxTotalChargeUsd": None, **(kept.limits or {}), **limits}
    return {
        "attempt": run.status.attempt + 1,
        "build": options.build,
        "memoryMbytes": options.memory_mbytes,
        "timeoutSecs": options.timeout_secs,
        "restartOnError": options.restart_on_error,
        "limits": limits,
    }


def _begins() -> ApiError:
    return unavailable("The run is being resurrected at this moment. Try again.")


def _refuse_limited(caller: Caller) -> None:
    if caller.is_limited:
        raise ApiError(
            "insufficient-permissions",
            "A run with limited permissions does not see the runs of its account.",
            status=403,
        )
