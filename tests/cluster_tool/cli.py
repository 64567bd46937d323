"""Command line of the cluster tool."""

import shutil
import sys
from pathlib import Path

import click
from rich.table import Table
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.images import build
from tests.cluster_tool.paths import DEFAULT_NAME, cache_dir
from tests.cluster_tool.progress import console, say, step
from tests.cluster_tool.providers import choose
from tests.cluster_tool.providers.base import Provider, Request

_EXISTING_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="Name of the cluster.")
@click.option(
    "--provider",
    type=click.Choice(choose.NAMES),
    envvar="CLUSTER",
    default="auto",
    show_default=True,
    help="Where the cluster comes from; also by the variable CLUSTER.",
)
@click.pass_context
def cli(context: click.Context, name: str, provider: str) -> None:
    """A Kubernetes cluster to try and test the operator on."""
    context.obj = (name, provider)


@cli.command()
@click.option("--nodes", default=1, show_default=True, type=click.IntRange(1, 9))
@click.option("--simulated-nodes", default=0, show_default=True, type=click.IntRange(0, 1000))
@click.option("--api-port", default=6443, show_default=True, help="Port of 127.0.0.1 for the API.")
@click.option("--http-port", default=8080, show_default=True, help="Port of 127.0.0.1 for Ingress.")
@click.pass_obj
def up(
    chosen: tuple[str, str], nodes: int, simulated_nodes: int, api_port: int, http_port: int
) -> None:
    """Bring the cluster up; nothing happens when it is up already."""
    name, _ = chosen
    provider = _provider(chosen)
    say(f"Bringing up cluster {name} (provider {provider.name})")
    provider.up(Request(name, nodes, simulated_nodes, api_port, http_port))
    click.echo(f"export KUBECONFIG={provider.kubeconfig()}")


@cli.command()
@click.pass_obj
def down(chosen: tuple[str, str]) -> None:
    """Remove the cluster and everything that came with it, except the cache."""
    provider = _provider(chosen)
    say(f"Taking down cluster {chosen[0]} (provider {provider.name})")
    provider.down()


@cli.command()
@click.pass_obj
def status(chosen: tuple[str, str]) -> None:
    """Show how the cluster is; ends with code 1 when it is not well, 3 when there is none."""
    report = _provider(chosen).status()
    if report is None:
        say(f"There is no cluster {chosen[0]}.")
        sys.exit(3)
    table = Table("part", "state", box=None)
    for part, state in report.lines:
        table.add_row(part, state)
    console.print(table)
    sys.exit(0 if report.healthy else 1)


@cli.command("load-image")
@click.argument("archives", nargs=-1, required=True, type=_EXISTING_FILE)
@click.pass_obj
def load_image(chosen: tuple[str, str], archives: tuple[Path, ...]) -> None:
    """Load OCI or Docker ARCHIVES into every node."""
    _provider(chosen).load_images(archives)


@cli.command("network-policies")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_obj
def network_policies(chosen: tuple[str, str], state: str) -> None:
    """Have every node enforce NetworkPolicies, or no longer."""
    _provider(chosen).enforce_network_policies(on=state == "on")


@cli.command("build-image")
@click.argument("reference")
@click.option("--file", "dockerfile", type=_EXISTING_FILE, help="Default: Dockerfile in --context.")
@click.option(
    "--context",
    default=".",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
)
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE")
def build_image(
    reference: str, dockerfile: Path | None, context: Path, arguments: tuple[str, ...]
) -> None:
    """Build the image REFERENCE from a Dockerfile and print the path of its OCI archive."""
    pairs = dict(argument.split("=", 1) for argument in arguments)
    wanted = build.Build(reference, dockerfile or context / "Dockerfile", context, pairs)
    click.echo(build.build(wanted))


@cli.command("clean-cache")
def clean_cache() -> None:
    """Remove everything that was compiled, downloaded or built for clusters."""
    with step(f"Removing {cache_dir()}"):
        shutil.rmtree(cache_dir())


@cli.command()
@click.pass_obj
def kubeconfig(chosen: tuple[str, str]) -> None:
    """Print the path of the cluster's kubeconfig."""
    path = _provider(chosen).kubeconfig()
    if not path.is_file():
        raise ClusterToolError(f"There is no cluster {chosen[0]}: run `up` first.")
    click.echo(path)


def _provider(chosen: tuple[str, str]) -> Provider:
    name, provider = chosen
    return choose.provider(provider, name)


def main() -> None:
    """Run the command line; expected errors are told without a traceback."""
    try:
        cli(prog_name="python -m tests.cluster_tool", standalone_mode=False)
    except ClusterToolError as error:
        console.print(f"Error: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        # click's own word for Ctrl-C
        raise KeyboardInterrupt from None
