"""``actorctl accounts adopt``: a namespace that was made anew gets what the old one had."""

import re
from typing import Any

import click
import msgspec
from typing_extensions import override

from actor_operator.cli.options import cluster_options
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.constants import ANNOTATION_ADOPT
from actor_operator.kube.client import PatchKind
from actor_operator.kube.namespaces import NAMESPACES, Namespaces


class Uid(click.ParamType[str]):
    """The uid of a namespace, or what an account that was put aside is called."""

    name = "UID"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check it."""
        if re.fullmatch(r"[0-9a-z-]{1,36}", str(value)) is None:
            self.fail("a uid has small letters, digits and hyphens, 36 at most", param, ctx)
        return str(value)


@click.command()
@click.argument("account", metavar="NAMESPACE")
@click.option(
    "--from-uid",
    "uid",
    type=Uid(),
    required=True,
    help="Uid of the namespace that had the name before; the API server's log tells it.",
)
@cluster_options
def adopt(*, account: str, uid: str) -> None:
    """Give NAMESPACE the runs and storages of the one that had its name before it.

    Do it before the new namespace is used: what it has in the API itself is put aside. For
    administrators of the cluster, who may change namespaces.
    """

    async def work(session: Session) -> None:
        found = await Namespaces(session.client).read(account)
        if found is None:
            raise CommandError(
                f"There is no namespace {account}.",
                f"Make it first: kubectl create namespace {account}",
            )
        if found.uid == uid:
            raise CommandError(
                f"The namespace {account} itself has the uid {uid}: there is nothing to adopt."
            )
        metadata = {"uid": found.uid, "annotations": {ANNOTATION_ADOPT: uid}}
        body = msgspec.json.encode({"metadata": metadata})
        await session.client.patch(NAMESPACES, None, account, body, PatchKind.MERGE)
        session.tell(
            f"The namespace {account} adopts what the one with the uid {uid} had in the API, if"
            " that had the same name and is not removed yet."
        )

    with_cluster(work)
