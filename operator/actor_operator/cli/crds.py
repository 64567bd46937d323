"""``actorctl crds``: generate the CRDs and their reference pages; find what is out of date."""

import textwrap
from pathlib import Path

import click

from actor_operator.crdgen.cost import SHARE_OF_LIMIT, TOTAL_LIMIT, rule_costs
from actor_operator.crdgen.kinds import KINDS
from actor_operator.crdgen.manifest import root_schema
from actor_operator.crdgen.write import PACKAGE_FOLDER, out_of_date, write_files

RULE_WIDTH = 80
"""Width in characters at which rules are cut."""


def _repository(_context: click.Context, _parameter: click.Parameter, folder: Path) -> Path:
    if not (folder / PACKAGE_FOLDER / "actor_operator").is_dir():
        raise click.BadParameter(f"{folder} is not a checkout of Actor Operator")
    return folder


repository_option = click.option(
    "--repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    callback=_repository,
    help="Checkout of Actor Operator. Default: the current folder.",
)


@click.group()
def crds() -> None:
    """Generate the CRDs (for developers of Actor Operator)."""


@crds.command()
@repository_option
def write(repository: Path) -> None:
    """Write the CRDs, the chart's copies and the reference pages."""
    changed = write_files(repository)
    for path in changed:
        click.echo(f"wrote {path}")
    if not changed:
        click.echo("all generated files are up to date")


@crds.command()
@repository_option
def check(repository: Path) -> None:
    """Fail if a generated file is out of date or the rules are too dear; print their costs."""
    for kind in KINDS:
        costs = list(rule_costs(root_schema(kind)))
        total = sum(cost.units for cost in costs)
        click.echo(f"{kind.__name__}: rules cost at most {total:,} of {TOTAL_LIMIT:,} units")
        for cost in costs:
            click.echo(f"{cost.units:>12,}  {cost.path}  {_shortened(cost.rule)}")
        if total > TOTAL_LIMIT * SHARE_OF_LIMIT:
            raise click.ClickException(
                f"the rules of {kind.__name__} cost more than {SHARE_OF_LIMIT:.0%} of the limit:"
                " bound their texts and lists, or make them simpler"
            )
    stale = out_of_date(repository)
    if stale:
        raise click.ClickException(
            f"out of date: {', '.join(stale)}; run `actorctl crds write` and commit"
        )


def _shortened(rule: str) -> str:
    return textwrap.shorten(rule, RULE_WIDTH, placeholder=" …")
