"""``actorctl logs``: what the container of a run has written."""

import click

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import RunView
from actor_operator.cli.api_log import follow_log, print_log
from actor_operator.cli.api_options import ApiChoice, api_option, token_file_option
from actor_operator.cli.api_session import with_api
from actor_operator.cli.completions import run_names
from actor_operator.cli.format import situation
from actor_operator.cli.logreader import LogReader
from actor_operator.cli.objects import Run, read_run
from actor_operator.cli.options import cluster_options
from actor_operator.cli.output import write_log
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.cli.waiting import wait_for_end, wait_with_log
from actor_operator.constants import ANNOTATION_ARCHIVED, CONTAINER_NAME
from actor_operator.kube.errors import InvalidError, NotFoundError
from actor_operator.kube.logs import LogOptions, read_log


@click.command("logs")
@click.argument("name", shell_complete=run_names)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is finished.")
@click.option(
    "--tail", type=click.IntRange(0), metavar="LINES", help="Only so many lines from the end."
)
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@api_option("Read it from this API, where NAME is the run's id. Without URL: that of the login.")
@token_file_option
@cluster_options
def logs(
    *,
    name: str,
    follow: bool,
    tail: int | None,
    timestamps: bool,
    api: str | None,
    token_file: str | None,
) -> None:
    """Show the log of a run.

    Where there is an API server, it keeps the log when the pod is gone, with the time of each line.
    """
    if api is not None:
        if tail is not None:
            raise click.UsageError("The API gives whole logs: --tail is for the pod's.")
        read = follow_log if follow else print_log
        with_api(ApiChoice(api, token_file), lambda session: read(session, name, write_log))
        return
    if token_file is not None:
        raise click.UsageError("--token-file is for --api: a cluster takes other credentials.")

    async def work(session: Session) -> None:
        run = await read_run(session, name)
        _require_log(session, run.view, follow=follow)
        if follow:
            reader = LogReader(session, run.namespace, write_log, timestamps=timestamps, tail=tail)
            await wait_with_log(session, lambda see: wait_for_end(session, run, see), reader)
        else:
            options = LogOptions(container=CONTAINER_NAME, tail_lines=tail, timestamps=timestamps)
            await _print(session, run, options)

    with_cluster(work)


def _require_log(session: Session, run: RunView, *, follow: bool) -> None:
    """Refuse a run that has no log, or none yet."""
    status = run.status
    if status.pod_name is not None:
        return
    if status.finished:
        why = f": {status.failure.message}" if status.failure else "."
        raise CommandError(f"{run.name} is {status.phase} and never had a container{why}")
    if not follow:
        raise _not_started(session, run)


def _not_started(session: Session, run: RunView) -> CommandError:
    why = situation(run)
    return CommandError(
        f"{run.name} has no log yet: it is {run.status.phase}" + (f", {why}" if why else "."),
        f"Wait for it with: {session.command('logs', '-f', run.name)}",
    )


async def _print(session: Session, run: Run, options: LogOptions) -> None:
    """Print what there is.

    Raises
    ------
    CommandError
        When there is no log, or none any more.
    """
    pod = str(run.view.status.pod_name)
    try:
        async with read_log(session.client, run.namespace, pod, options) as chunks:
            async for chunk in chunks:
                write_log(chunk)
    except NotFoundError:
        raise _gone(session, run.view) from None
    except InvalidError:
        # The kubelet has no log of a container that has not run.
        raise _not_started(session, run.view) from None


def _gone(session: Session, run: RunView) -> CommandError:
    status = run.status
    if status.phase is Phase.ABORTED:
        why = "an immediate abort takes the pod away, and the log with it"
    elif status.finished:
        why = "the pod of a finished run is kept for a while only, and the log goes with it"
    else:
        why = "its pod was lost, and the next one has not started yet"
    if ANNOTATION_ARCHIVED in run.metadata.annotations:
        return CommandError(
            f"The pod of {run.name} is gone; the API server keeps its log.",
            f"Read it there: actorctl logs --api URL {status.run_id}",
        )
    return CommandError(
        f"There is no log of {run.name} any more: {why}.",
        f"What is known of the run: {session.command('describe', run.name)}",
    )
