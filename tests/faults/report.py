"""Tells of a campaign while it goes on, and keeps what has failed."""

import time
from pathlib import Path

import click
from tests.faults.trial import Result
from typing_extensions import override

TELL_SECONDS = 10.0
"""How often it is told how far it has come."""


class Report:
    """Counts results, prints a line now and then, and keeps failing plans.

    Parameters
    ----------
    total
        How many plans there are.
    folder
        Where a plan that fails is kept, with what was committed under it.
    """

    def __init__(self, total: int, folder: Path) -> None:
        self._total = total
        self._folder = folder
        self._begun = self._told = time.monotonic()
        self.plans = 0
        self.violations = 0
        self.missed = 0
        """Plans with a point that never came."""
        self.failed: list[Path] = []
        """Files of plans that failed."""

    def add(self, result: Result) -> None:
        """Take in what came of a plan."""
        self.plans += 1
        self.violations += len(result.violations)
        self.missed += bool(result.missed)
        if result.violations:
            self._keep(result)
        for fault in result.missed:
            click.echo(f"{result.plan.name}: its point never came: {fault}")
        now = time.monotonic()
        if now - self._told > TELL_SECONDS or self.plans == self._total:
            self._told = now
            click.echo(f"{self.plans} of {self._total} plans in {now - self._begun:.0f} s")

    def _keep(self, result: Result) -> None:
        file = keep(result, self._folder, f"{len(self.failed) + 1:03}")
        self.failed.append(file)
        click.echo(f"{file}: {result.plan.name}")
        for text in result.violations:
            click.echo(f"    {text}")

    @override
    def __str__(self) -> str:
        unmet = f" ({self.missed} with a point that never came)" if self.missed else ""
        return f"plans: {self.plans}, violations: {self.violations}{unmet}"


def keep(result: Result, folder: Path, number: str) -> Path:
    """Keep a plan, and beside it what was committed under it; returns the plan's file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{number}-{result.plan.workload}.yaml"
    result.plan.write(file)
    result.history.write(file.with_suffix(".jsonl"))
    return file
