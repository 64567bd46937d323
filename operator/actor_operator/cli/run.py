"""``actorctl run``: start a run, and if wanted wait for its end."""

import re
import sys
from typing import Any, BinaryIO

import click
import msgspec

from actor_operator.api.scalars import DNS_LABEL, NAME_LABEL
from actor_operator.cli.api_options import ApiChoice, api_option, token_file_option
from actor_operator.cli.api_run import MAX_API_INPUT_BYTES, RunWish, run_through_api
from actor_operator.cli.attempt import attempt_options
from actor_operator.cli.attending import attend, attend_options, require_one_output
from actor_operator.cli.completions import actor_names
from actor_operator.cli.inputs import InputError, generated_name, parse_input, run_manifest
from actor_operator.cli.objects import Run, decode_run, not_found
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import print_objects
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.constants import MAX_INPUT_BYTES
from actor_operator.kube.actors import ACTORS
from actor_operator.kube.errors import AlreadyExistsError, ForbiddenError
from actor_operator.kube.runs import ACTOR_RUNS

NAME_ATTEMPTS = 3
"""How often a new name is made up when the last one was taken."""


def _checked_actor(_context: click.Context, _parameter: click.Parameter, actor: str) -> str:
    if re.fullmatch(f"({DNS_LABEL}/)?{NAME_LABEL}", actor) is None:
        raise click.BadParameter("it is the name of an Actor, or NAMESPACE/NAME of a public one.")
    return actor


@click.command("run")
@click.argument("actor", shell_complete=actor_names, callback=_checked_actor)
@click.option("--name", help="Name of the run. Default: the actor's, with five random symbols.")
@attempt_options("the actor's")
@click.option("--input", "input_json", metavar="JSON", help="Input: a JSON object; - to read it.")
@click.option(
    "--input-file",
    type=click.File("rb"),
    help="File with the input; - for standard input.",
)
@attend_options
@output_option("json", "yaml", "name")
@api_option("Start it through this API, not in the cluster. Without URL: that of the login.")
@token_file_option
@cluster_options
def run(  # noqa: PLR0913 -- click passes each option by its name
    *,
    actor: str,
    name: str | None,
    build: str | None,
    memory: str | None,
    timeout: int | None,
    input_json: str | None,
    input_file: BinaryIO | None,
    wait: bool,
    logs: bool,
    output: str | None,
    api: str | None,
    token_file: str | None,
) -> None:
    """Run an actor.

    ACTOR is the name of an Actor, or NAMESPACE/NAME of a public one of another namespace.
    """
    require_one_output(logs=logs, output=output)
    most = MAX_INPUT_BYTES if api is None else MAX_API_INPUT_BYTES
    spec = {
        "actor": actor,
        "build": build,
        "memoryMbytes": int(memory) if memory else None,
        "timeoutSecs": timeout,
        "input": _input(input_json, input_file, most),
    }
    if api is not None:
        if name is not None:
            raise click.UsageError("Runs that the API starts have no --name: they have an id.")
        wish = RunWish(spec, wait=wait, logs=logs, output=output)
        raise click.exceptions.Exit(run_through_api(ApiChoice(api, token_file), wish))
    if token_file is not None:
        raise click.UsageError("--token-file is for --api: a cluster takes other credentials.")

    async def work(session: Session) -> int:
        started = await _start(session, name, spec)
        if logs or wait:
            said = f"{started.name} created."
            return await attend(session, started, said=said, logs=logs, output=output)
        _announce(session, started, output)
        return 0

    raise click.exceptions.Exit(with_cluster(work))


def _input(text: str | None, file: BinaryIO | None, most: int) -> dict[str, Any] | None:
    """The input, from wherever it was given."""
    if text is not None and file is not None:
        raise click.UsageError("--input and --input-file both give the input: choose one.")
    if file is None and text is None:
        return None
    if text == "-":
        file = sys.stdin.buffer
    try:
        data = file.read() if file else str(text).encode(errors="surrogateescape")
        return parse_input(data, most)
    except InputError as error:
        raise click.UsageError(f"The input cannot be used: {error}.") from None


async def _start(session: Session, name: str | None, spec: dict[str, Any]) -> Run:
    """Create the run; with a made-up name once more should that be taken."""
    await _require_actor(session, spec["actor"])
    for attempt in range(NAME_ATTEMPTS):
        chosen = name or generated_name(spec["actor"])
        body = msgspec.json.encode(run_manifest(chosen, session.namespace, spec))
        try:
            return decode_run(await session.client.create(ACTOR_RUNS, session.namespace, body))
        except AlreadyExistsError:
            if name or attempt + 1 == NAME_ATTEMPTS:
                raise CommandError(
                    f"There is a run {chosen!r} already in the namespace {session.namespace}.",
                    f"Choose another --name, or see it: {session.command('describe', chosen)}",
                ) from None
    raise AssertionError("the last attempt returns or raises")


async def _require_actor(session: Session, reference: str) -> None:
    """Refuse an Actor that does not exist; the operator judges what cannot be seen from here."""
    owner, _, name = reference.rpartition("/")
    namespace = owner or session.namespace
    try:
        found = await session.client.get(ACTORS, namespace, name)
        if found is None:
            raise await not_found(session, ACTORS, namespace, name)
    except ForbiddenError:
        return


def _announce(session: Session, run: Run, output: str | None) -> None:
    """Say that the run exists and what can be done with it."""
    if output:
        print_objects([run.as_dict()], output, alone=True)
        return
    click.echo(f"{run.name} created.")
    for text, command in (
        ("Follow its log:", ("logs", "-f", run.name)),
        ("See how it is:", ("describe", run.name)),
        ("Stop it:", ("abort", run.name)),
    ):
        session.tell(f"  {text:<16}{session.command(*command)}")
