"""``actorctl actors``: what can be run."""

import click

from actor_operator.cli.format import ACTOR_COLUMNS, NONE, WIDE_ACTOR_COLUMNS, actor_cells
from actor_operator.cli.objects import list_actors
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import Table, print_objects
from actor_operator.cli.session import Session, with_cluster
from actor_operator.clock import SystemClock


@click.command("actors")
@click.option("-A", "--all-namespaces", is_flag=True, help="Actors of all namespaces.")
@output_option("wide", "json", "yaml", "name")
@cluster_options
def actors(*, all_namespaces: bool, output: str | None) -> None:
    """List Actors: what can be run."""

    async def work(session: Session) -> None:
        found = await list_actors(session, None if all_namespaces else session.namespace)
        if output in {"json", "yaml", "name"}:
            print_objects([actor.as_dict() for actor in found], str(output), alone=False)
            return
        if not found:
            where = "any namespace" if all_namespaces else f"the namespace {session.namespace}"
            session.tell(f"There are no Actors in {where}.")
            return
        columns = WIDE_ACTOR_COLUMNS if output == "wide" else ACTOR_COLUMNS
        now = SystemClock().now()
        prefix = ("NAMESPACE",) if all_namespaces else ()
        Table((*prefix, *columns)).print(
            [
                (
                    *((actor.namespace,) if all_namespaces else ()),
                    *actor_cells(actor.view, now),
                    actor.as_dict()["spec"].get("title", NONE),
                )
                for actor in found
            ]
        )

    with_cluster(work)
