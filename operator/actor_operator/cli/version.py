"""``actorctl version``: of the program, and of the cluster if there is one."""

import platform

import click

from actor_operator import __version__
from actor_operator.cli.options import cluster_options, current_options
from actor_operator.errors import ActorOperatorError


@click.command("version")
@click.option("--client", is_flag=True, help="Of this program only; asks no cluster.")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For programs.")
@cluster_options
def version(*, client: bool, output: str | None) -> None:
    """Show the versions of this program and of the cluster."""
    ours = {"actorctl": __version__, "python": platform.python_version()}
    if output is None:
        click.echo(f"actorctl {__version__} (Python {ours['python']})")
    theirs = {} if client else _cluster_version()
    if output is not None:
        from actor_operator.cli.output import print_data

        print_data({**ours, **theirs}, output)
    elif "kubernetes" in theirs:
        click.echo(f"Kubernetes {theirs['kubernetes']} at {theirs['server']}")
    elif theirs:
        click.echo(f"No cluster: {theirs['problem']}")


def _cluster_version() -> dict[str, str]:
    """The cluster's version and URL, or why there is none: that is no error here."""
    import msgspec

    from actor_operator.cli.problems import explain
    from actor_operator.cli.session import Session, with_cluster

    async def work(session: Session) -> bytes:
        return await session.client.server_version()

    try:
        answer = msgspec.json.decode(with_cluster(work), type=dict[str, str])
    except ActorOperatorError as error:
        return {"problem": explain(error, current_options().server).message}
    return {"kubernetes": answer["gitVersion"], "server": current_options().server}
