"""Runs as Apify's objects. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.run import Options, RunStatus, RunView, Stats
from actor_operator.desired.names import ids_of
from actor_operator.quantities import compute_units
from actor_operator.services.run_shown import Shown, shown
from actor_operator.services.times import iso_of_millis, millis_of
from actor_operator.storage.runs import RunRow

FREE = {"usageTotalUsd": 0}
"""Runs cost nothing here."""

NO_OPTIONS = Options(build="latest", memory_mbytes=0, timeout_secs=0, disk_mbytes=0, cpu="0")
"""What stands for options that nobody knows: of a run that never was looked at."""

_STATUS = msgspec.json.Decoder(RunStatus)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """All that an answer about a run is made of.

    Parameters
    ----------
    row
        Its row.
    run
        Its object as it is now; None: it cannot be asked for, and the row says what it last said.
    user_id
        Id of the account that started it.
    build_id
        Id of its build.
    now
        The present moment.
    """

    row: RunRow
    run: RunView | None
    user_id: str
    build_id: str
    now: datetime

    @property
    def kept(self) -> RunStatus:
        """The status as the row has it."""
        return _STATUS.decode(self.row.mirror) if self.row.mirror else RunStatus()

    @property
    def status(self) -> RunStatus:
        """The status as it is now, as far as that is known."""
        return self.run.status if self.run is not None else self.kept

    @property
    def shown(self) -> Shown:
        """Attempt and phase as clients see them."""
        if self.run is not None:
            return shown(self.run)
        kept = self.kept
        phase = Phase(self.row.status)
        finished_at = kept.finished_at if phase in FINISHED else None
        return Shown(self.row.attempt, phase, finished_at, kept.exit_code)

    @property
    def options(self) -> Options:
        """What was resolved, by the operator or else when the run was started."""
        return self.status.options or self.kept.options or NO_OPTIONS

    @property
    def build_number(self) -> str | None:
        """Number of the build."""
        return self.status.build_number or self.row.build_number


def run_object(facts: RunFacts) -> dict[str, Any]:
    """A run whole."""
    row, status, now_shown = facts.row, facts.status, facts.shown
    known = ids_of(row.id)
    message, terminal = _status_message(facts, now_shown)
    answer = {
        **_common(facts, now_shown),
        "statusMessage": message,
        "isStatusMessageTerminal": terminal,
        "stats": _stats(facts, now_shown),
        "options": _options(facts.options),
        "exitCode": now_shown.exit_code,
        "generalAccess": row.general_access,
        "storageIds": {
            "keyValueStores": {"default": known.key_value_store},
            "datasets": {"default": known.dataset},
            "requestQueues": {"default": known.request_queue},
        },
        "isContainerServerReady": not now_shown.is_finished
        and status.is_true(ConditionType.WEB_SERVER_READY),
        "usage": {"ACTOR_COMPUTE_UNITS": _live_stats(facts, now_shown).compute_units},
        "usageUsd": {},
        "platformUsageBillingModel": "USER",
    }
    if status.container_url:
        answer["containerUrl"] = status.container_url
    return answer


def _finished_at(row: RunRow, finished: int | None) -> str | None:
    """Kubernetes tells the end in whole seconds: that may lie before the start, which has none."""
    return iso_of_millis(max(row.started_at, finished)) if finished is not None else None


def run_item(row: RunRow, user_id: str) -> dict[str, Any]:
    """A run as an entry of a list."""
    known = ids_of(row.id)
    return {
        "id": row.id,
        "actId": row.actor_id,
        "userId": user_id,
        "actorTaskId": None,
        "status": row.status,
        "startedAt": iso_of_millis(row.started_at),
        "finishedAt": _finished_at(row, row.finished_at),
        "buildId": row.build_id or "",
        "buildNumber": row.build_number,
        "buildNumberInt": build_number_int(row.build_number),
        "meta": msgspec.json.decode(row.meta),
        **FREE,
        "defaultKeyValueStoreId": known.key_value_store,
        "defaultDatasetId": known.dataset,
        "defaultRequestQueueId": known.request_queue,
    }


def build_number_int(number: str | None) -> int | None:
    """Apify's number for sorting builds: ``1.2.3`` → 10200003."""
    if not number:
        return None
    major, minor, build = (int(part) for part in number.split("."))
    return major * 10**7 + minor * 10**5 + build


def _common(facts: RunFacts, now_shown: Shown) -> dict[str, Any]:
    finished = now_shown.finished_at
    item = run_item(facts.row, facts.user_id)
    return item | {
        "status": str(now_shown.phase),
        "finishedAt": _finished_at(facts.row, millis_of(finished) if finished else None),
        "buildId": facts.build_id,
        "buildNumber": facts.build_number,
        "buildNumberInt": build_number_int(facts.build_number),
    }


def _options(options: Options) -> dict[str, Any]:
    answer = {
        "build": options.build,
        "timeoutSecs": options.timeout_secs,
        "memoryMbytes": options.memory_mbytes,
        "diskMbytes": options.disk_mbytes,
        "restartOnError": options.restart_on_error,
    }
    if options.max_items is not None:
        answer["maxItems"] = options.max_items
    if options.max_total_charge_usd is not None:
        answer["maxTotalChargeUsd"] = options.max_total_charge_usd
    return answer


def _stats(facts: RunFacts, now_shown: Shown) -> dict[str, Any]:
    stats = _live_stats(facts, now_shown)
    return {
        "inputBodyLen": facts.row.input_body_len,
        "migrationCount": stats.migration_count,
        "rebootCount": stats.reboot_count,
        "restartCount": stats.restart_count,
        "resurrectCount": stats.resurrect_count,
        "metamorph": 0,
        "durationMillis": stats.duration_millis,
        "runTimeSecs": stats.run_time_secs,
        "computeUnits": stats.compute_units,
    }


def _live_stats(facts: RunFacts, now_shown: Shown) -> Stats:
    """The figures; the operator writes them at the end, and until then time goes on."""
    stats, started = facts.status.stats, facts.status.started_at
    if now_shown.is_finished or facts.status.finished:
        return stats
    running = max(0.0, (facts.now - started).total_seconds()) if started is not None else 0.0
    units = compute_units(facts.options.memory_mbytes, running)
    return msgspec.structs.replace(
        stats,
        duration_millis=max(0, millis_of(facts.now) - facts.row.started_at),
        run_time_secs=round(stats.run_time_secs + running, 3),
        compute_units=round(stats.compute_units + units, 6),
    )


def _status_message(facts: RunFacts, now_shown: Shown) -> tuple[str | None, bool | None]:
    """The message and whether it is final.

    The actor's own stays when it is final, or when the run succeeded. Else the end has the last
    word, as on Apify.
    """
    row = facts.row
    own = row.status_message, row.status_message_terminal
    if not now_shown.is_finished or row.status_message_terminal:
        return own
    if now_shown.phase is Phase.SUCCEEDED:
        return own if row.status_message else ("Actor succeeded with exit code 0.", True)
    return _last_word(facts.status, now_shown), True


def _last_word(status: RunStatus, now_shown: Shown) -> str:
    if now_shown.phase is Phase.ABORTED:
        return "Actor was aborted."
    if now_shown.phase is Phase.TIMED_OUT:
        return "Actor timed out."
    why = status.failure.message if status.failure else ""
    code = now_shown.exit_code
    what = "Actor failed." if code is None else f"Actor failed with exit code {code}."
    return f"{what} {why}".strip()
