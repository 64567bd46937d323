"""``actorctl crds``: generate the CRDs and their reference pages; find what is out of date."""

from pathlib import Path

import click

from actor_operator.crdgen.write import PACKAGE_FOLDER, out_of_date, write_files


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
    """Fail if a generated file is out of date."""
    stale = out_of_date(repository)
    if stale:
        raise click.ClickException(
            f"out of date: {', '.join(stale)}; run `actorctl crds write` and commit"
        )
