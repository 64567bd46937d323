"""``actorctl accounts``: limits of accounts, what they use, who waits."""

from collections.abc import Iterator
from datetime import datetime

import click
from typing_extensions import override

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.run import RunView
from actor_operator.cli.adopt import adopt
from actor_operator.cli.completions import account_names
from actor_operator.cli.description import label_line, text_table
from actor_operator.cli.format import NONE, age
from actor_operator.cli.objects import UNFINISHED, Account, list_accounts, list_runs, read_account
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import Table, print_objects
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.cli.standing import Standing, memory_in_use, memory_of, standing
from actor_operator.clock import SystemClock
from actor_operator.kube.errors import ForbiddenError

COLUMNS = ("NAME", "LIMIT", "USED", "LIVE", "WAITING", "SUSPENDED", "AGE")
"""Columns of a table of accounts, those of the CRD."""

WIDE_COLUMNS = (*COLUMNS, "MAX-RUNS")
"""Columns of a wide table of accounts."""


class _Accounts(click.Group):
    """A group whose command ``show`` need not be named: ``accounts``, ``accounts team``."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Accounts)
def accounts() -> None:
    """List accounts: limits, memory in use, who waits."""


@accounts.command()
@click.argument("name", required=False, shell_complete=account_names)
@output_option("wide", "json", "yaml", "name")
@cluster_options
def show(*, name: str | None, output: str | None) -> None:
    """List accounts; this is also what ``accounts`` alone does.

    NAME is the namespace of one account, which is shown with its queue.
    """

    async def work(session: Session) -> None:
        if name is None:
            await _list(session, output)
        elif output in {"json", "yaml", "name"}:
            print_objects([(await _require_account(session, name)).as_dict()], output, alone=True)
        else:
            await _show(session, name)

    with_cluster(work)


accounts.add_command(adopt)


async def _list(session: Session, output: str | None) -> None:
    try:
        found = await list_accounts(session)
    except ForbiddenError:
        raise CommandError(
            "You may not list the accounts of the cluster.",
            f"See one namespace's: {session.command('accounts', session.namespace)}",
        ) from None
    if output in {"json", "yaml", "name"}:
        print_objects([account.as_dict() for account in found], str(output), alone=False)
        return
    if not found:
        session.tell("There are no ActorAccounts: the installation's limits hold everywhere.")
        return
    now = SystemClock().now()
    columns = WIDE_COLUMNS if output == "wide" else COLUMNS
    Table(columns).print([_cells(account.view, now) for account in found])


def _cells(account: AccountView, now: datetime) -> tuple[str, ...]:
    stands = standing(account.name, account, ())
    return (
        account.name,
        _number(stands.limit_mbytes),
        _number(account.status.memory_used_mbytes),
        _number(account.status.live_runs),
        _number(account.status.waiting_runs),
        str(stands.suspended).lower(),
        age(account.metadata.creation_timestamp, now),
        _number(stands.max_runs),
    )


def _number(value: int | None) -> str:
    return NONE if value is None else str(value)


async def _require_account(session: Session, name: str) -> Account:
    account = await read_account(session, name)
    if account is None:
        raise CommandError(
            f"The namespace {name} has no ActorAccount: the installation's limits hold.",
            f"What its runs use: {session.command('accounts', name)}",
        )
    return account


async def read_standing(session: Session, namespace: str) -> Standing:
    """How an account stands; of limits that may not be read nothing is known."""
    try:
        account = await read_account(session, namespace)
    except ForbiddenError:
        account = None
    runs = await list_runs(session, namespace, UNFINISHED)
    return standing(namespace, account.view if account else None, (run.view for run in runs))


async def _show(session: Session, name: str) -> None:
    for line in _lines(await read_standing(session, name), SystemClock().now()):
        click.echo(line)


def _lines(stands: Standing, now: datetime) -> Iterator[str]:
    yield from label_line("Account", stands.namespace)
    yield from label_line("Memory", memory_in_use(stands))
    limit = "" if stands.max_runs is None else f" (at most {stands.max_runs})"
    yield from label_line("Runs", f"{stands.live_runs} live{limit}, {len(stands.queue)} waiting")
    if stands.suspended:
        yield from label_line("Suspended", "no further run is started; live runs go on")
    live = [
        (*_about(run), run.status.phase, age(run.metadata.creation_timestamp, now))
        for run in stands.live
    ]
    yield from text_table("Live", ("NAME", "MEMORY", "ACTOR", "PHASE", "AGE"), live)
    queue = [
        (str(place), *_about(run), age(run.status.queued_at, now))
        for place, run in enumerate(stands.queue, start=1)
    ]
    yield from text_table("Waiting", ("PLACE", "NAME", "MEMORY", "ACTOR", "SINCE"), queue)


def _about(run: RunView) -> tuple[str, str, str]:
    return run.name, _number(memory_of(run)), run.spec.actor
