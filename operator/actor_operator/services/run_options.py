"""Options of a start or a resurrection, checked before anything is written. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from actor_operator.api.scalars import MAX_INT32, MAX_TAG_LENGTH, NUMBER, TAG
from actor_operator.quantities import MEMORY_STEPS
from actor_operator.services.errors import invalid

MOST_USD = 1_000_000
"""Highest limit of what a run may cost."""

BUILD = re.compile(f"({TAG}|{NUMBER})")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a client wishes of an attempt; None: what holds without a wish.

    Parameters
    ----------
    build
        Tag or number.
    memory_mbytes
        Memory in MB.
    timeout_secs
        Time limit in seconds; 0 is none.
    restart_on_error
        Whether a container that fails is started again.
    max_items
        Most results that may be charged for.
    max_total_charge_usd
        Most that it may cost, in US dollars.
    """

    build: str | None = None
    memory_mbytes: int | None = None
    timeout_secs: int | None = None
    restart_on_error: bool | None = None
    max_items: int | None = None
    max_total_charge_usd: float | None = None

    def check(self) -> None:
        """Refuse what no run can have.

        Raises
        ------
        ApiError
            400 that names the option.
        """
        if self.build is not None and not self._names_build():
            raise invalid(
                f'"{self.build[:80]}" is no tag or number of a build, such as latest or 1.2.34.',
                "unknown-build-tag",
            )
        if self.memory_mbytes is not None and self.memory_mbytes not in MEMORY_STEPS:
            steps = ", ".join(map(str, MEMORY_STEPS))
            raise invalid(f"memory must be one of {steps} (MB).", "invalid-value")
        if self.timeout_secs is not None and not 0 <= self.timeout_secs <= MAX_INT32:
            raise invalid(f"timeout must be from 0 to {MAX_INT32} seconds.", "invalid-value")
        self._check_limits()

    @property
    def limits(self) -> dict[str, Any] | None:
        """``limits`` of an ActorRun; None: no limit is wished."""
        wished = {"maxItems": self.max_items, "maxTotalChargeUsd": self.max_total_charge_usd}
        return {key: value for key, value in wished.items() if value is not None} or None

    def _names_build(self) -> bool:
        build = self.build or ""
        return len(build) <= MAX_TAG_LENGTH and BUILD.fullmatch(build) is not None

    def _check_limits(self) -> None:
        items, usd = self.max_items, self.max_total_charge_usd
        if items is not None and not 1 <= items <= MAX_INT32:
            raise invalid(
                f"maxItems must be from 1 to {MAX_INT32}.", "max-items-must-be-greater-than-zero"
            )
        # Written so that "not a number" is refused too.
        if usd is not None and not 0 < usd <= MOST_USD:
            raise invalid(
                f"maxTotalChargeUsd must be more than 0 and at most {MOST_USD}.",
                "max-total-charge-usd-must-be-greater-than-zero",
            )
