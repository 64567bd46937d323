"""What commands say when the cluster is not as it should be."""

import json
from pathlib import Path

import pytest
import yaml
from tests.integration.cli.conftest import Actorctl, a_run, kubeconfig
from tests.support.apiserver import ApiServer, on

from actor_operator.cli.problems import INSTALL

COMMANDS = [
    ("get",),
    ("describe", "x"),
    ("explain", "x"),
    ("logs", "x"),
    ("abort", "x"),
    ("resurrect", "x"),
    ("reboot", "x"),
    ("accounts",),
    ("run", "hello"),
]
"""Commands that talk to the cluster."""


@pytest.mark.parametrize("words", COMMANDS)
async def test_without_our_kinds_the_operator_is_to_be_installed(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    async with ApiServer() as server:
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig(server)))

        result = await Actorctl(server, file)(*words)

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"Error: Actor Operator is not installed in the cluster {server.url}.",
        f"Hint: Install it: {INSTALL}",
    ]


async def test_a_cluster_that_does_not_answer_is_one_line(
    server: ApiServer, actorctl: Actorctl
) -> None:
    async with server.down():
        result = await actorctl("get")

    host, _, port = server.url.removeprefix("http://").partition(":")
    why = f"cannot connect to {host}:{port}: [Errno 111] Connect call failed ('{host}', {port})"
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"Error: The cluster {server.url} cannot be reached: {why}",
        "Hint: Is it up, and is it the right one? Others: --context NAME, --kubeconfig FILE.",
    ]


async def test_refused_credentials_are_one_line(server: ApiServer, actorctl: Actorctl) -> None:
    server.token = "another"

    result = await actorctl("get")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: The cluster {server.url} refuses your credentials: ")


async def test_an_error_of_the_server_is_one_line(server: ApiServer, actorctl: Actorctl) -> None:
    server.faults.fail(503, on("list", "actorruns"))

    result = await actorctl("get")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: The cluster {server.url} is in trouble: ")


async def test_with_vv_the_traceback_is_shown(server: ApiServer, actorctl: Actorctl) -> None:
    server.faults.fail(503, on("list", "actorruns"))

    result = await actorctl("get", "-vv")

    assert type(result.exception).__name__ == "ServerError"


async def test_with_v_the_requests_are_shown(server: ApiServer, actorctl: Actorctl) -> None:
    server.create("actorruns", a_run("x"))

    result = await actorctl("-v", "get", "x", "-o", "name")

    assert result.stdout == "actorrun.actor-operator.dev/x\n"
    assert result.stderr.startswith("get ActorRun: 200 (")


async def test_a_missing_kubeconfig_is_said(actorctl: Actorctl, tmp_path: Path) -> None:
    result = await actorctl("--kubeconfig", str(tmp_path / "nope"), "get")

    assert result.exit_code == 1
    assert f"Error: There is no kubeconfig at {tmp_path / 'nope'}.\n" in result.stderr
    assert "Hint: Say where your cluster is: --kubeconfig FILE, --context NAME." in result.stderr


async def test_an_unknown_context_is_said_with_those_that_exist(actorctl: Actorctl) -> None:
    result = await actorctl("--context", "nope", "get")

    assert result.exit_code == 1
    assert "there is no context 'nope'; there are: test" in result.stderr


async def test_hints_name_the_kubeconfig_that_was_given(
    server: ApiServer, actorctl: Actorctl
) -> None:
    file = str(actorctl.kubeconfig)

    result = await actorctl("describe", "x", "--kubeconfig", file)

    assert f"actorctl get --kubeconfig {file}" in result.stderr


async def test_the_version_names_the_cluster(server: ApiServer, actorctl: Actorctl) -> None:
    result = await actorctl("version")

    assert result.stdout.splitlines()[1] == f"Kubernetes v1.36.3 at {server.url}"


async def test_the_version_without_a_cluster_is_no_error(
    server: ApiServer, actorctl: Actorctl
) -> None:
    async with server.down():
        result = await actorctl("version", "-o", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["problem"].startswith(f"The cluster {server.url} cannot be")


@pytest.mark.parametrize(
    ("words", "found"), [("actorctl abort o", "one"), ("actorctl run h", "hello")]
)
async def test_a_shell_completes_names_of_the_cluster(
    server: ApiServer, actorctl: Actorctl, words: str, found: str
) -> None:
    server.create("actorruns", a_run("one"))
    server.create("actorruns", a_run("two"))

    assert await actorctl.complete(words) == f"plain,{found}\n"


async def test_a_shell_is_told_nothing_when_the_cluster_is_away(
    server: ApiServer, actorctl: Actorctl
) -> None:
    async with server.down():
        assert await actorctl.complete("actorctl abort o") == "\n"
