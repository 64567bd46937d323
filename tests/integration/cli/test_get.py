"""``actorctl get`` and ``actorctl actors``: tables and API objects."""

import asyncio
import json
from collections.abc import Callable

import pytest
import yaml
from tests.integration.cli.conftest import (
    RUNNING,
    Actorctl,
    a_run,
    an_actor,
    ended,
    eventually,
    in_time,
)
from tests.support.apiserver import ApiServer, on

SetStatus = Callable[..., None]


async def test_runs_are_listed_in_a_table_without_colours(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("one", memoryMbytes=512))
    server.create("actorruns", a_run("two-with-a-longer-name"))
    set_status("one", RUNNING | {"buildNumber": "1.0.1"}, ended("SUCCEEDED"))

    result = await actorctl("get")

    assert result.exit_code == 0
    assert [line.split()[:7] for line in result.stdout.splitlines()] == [
        ["NAME", "PHASE", "REASON", "ACTOR", "BUILD", "MEMORY", "ATTEMPT"],
        ["one", "SUCCEEDED", "Completed", "hello", "1.0.1", "-", "1"],
        ["two-with-a-longer-name", "READY", "-", "hello", "-", "-", "1"],
    ]
    starts = {
        line.index(word)
        for line, word in zip(
            result.stdout.splitlines(), ["PHASE", "SUCCEEDED", "READY"], strict=True
        )
    }
    assert len(starts) == 1
    assert "\x1b" not in result.stdout


async def test_a_very_wide_table_is_never_cut(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    url = "http://" + "x" * 300 + ".example/"
    server.create("actorruns", a_run("one"))
    set_status("one", RUNNING | {"containerUrl": url, "podName": "p", "nodeName": "n"})

    result = await actorctl("get", "-o", "wide")

    assert url in result.stdout
    assert result.stdout.splitlines()[0].split()[-5:] == ["POD", "NODE", "EXIT", "URL", "FINISHED"]


async def test_runs_of_all_namespaces_show_theirs(server: ApiServer, actorctl: Actorctl) -> None:
    server.create("actorruns", a_run("one"))
    server.create("actorruns", a_run("two"), "actor-operator-system")

    result = await actorctl("get", "-A")

    assert {tuple(line.split()[:2]) for line in result.stdout.splitlines()} == {
        ("NAMESPACE", "NAME"),
        ("default", "one"),
        ("actor-operator-system", "two"),
    }


async def test_the_namespace_can_stand_before_or_after_the_command(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("two"), "actor-operator-system")

    before = await actorctl("-n", "actor-operator-system", "get", "-o", "name")
    after = await actorctl("get", "-n", "actor-operator-system", "-o", "name")

    assert before.stdout == after.stdout == "actorrun.actor-operator.dev/two\n"


async def test_runs_are_selected_by_phase_and_actor(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    for name in ("one", "two"):
        server.create("actorruns", a_run(name))
    server.create("actorruns", a_run("three", actor="other"))
    set_status("two", RUNNING)
    set_status("three", RUNNING)

    by_phase = await actorctl("get", "--phase", "running", "-o", "name")
    by_both = await actorctl("get", "--phase", "RUNNING", "--actor", "hello", "-o", "name")

    assert by_phase.stdout.split() == [
        "actorrun.actor-operator.dev/three",
        "actorrun.actor-operator.dev/two",
    ]
    assert by_both.stdout.split() == ["actorrun.actor-operator.dev/two"]


async def test_one_run_as_yaml_is_the_object_itself(server: ApiServer, actorctl: Actorctl) -> None:
    created = server.create("actorruns", a_run("one", input={"a": [1, "ä"]}))

    result = await actorctl("get", "one", "-o", "yaml")

    assert yaml.safe_load(result.stdout) == created
    assert "ä" in result.stdout


async def test_several_runs_as_json_are_a_list(server: ApiServer, actorctl: Actorctl) -> None:
    created = [server.create("actorruns", a_run(name)) for name in ("one", "two")]

    result = await actorctl("get", "one", "two", "-o", "json")

    assert json.loads(result.stdout) == {"apiVersion": "v1", "kind": "List", "items": created}


async def test_no_runs_as_json_are_an_empty_list(actorctl: Actorctl) -> None:
    result = await actorctl("get", "-o", "json")

    assert json.loads(result.stdout)["items"] == []


async def test_no_runs_are_said_beside_the_result(actorctl: Actorctl) -> None:
    result = await actorctl("get")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == "There are no runs in the namespace default.\n"


async def test_a_missing_name_is_an_error_after_those_that_exist(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("one"))

    result = await actorctl("get", "onne", "one", "-o", "name")

    assert result.exit_code == 1
    assert result.stdout == "actorrun.actor-operator.dev/one\n"
    assert result.stderr.splitlines() == [
        "Error: There is no run 'onne' in the namespace default.",
        "Hint: Did you mean one? List them with: actorctl get",
    ]


async def test_a_list_of_many_pages_is_read_to_its_end(
    server: ApiServer, actorctl: Actorctl
) -> None:
    for number in range(1001):
        server.create("actorruns", a_run(f"run-{number}"))

    result = await actorctl("get", "-o", "name")

    assert len(result.stdout.split()) == 1001
    assert len(server.requests.of("list", "actorruns")) == 3


async def test_watching_adds_a_row_for_each_change(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("old"))
    server.faults.fail(403, on("watch", "actorruns", nth=2, times=None))
    command = actorctl.start("get", "-w")
    await eventually(lambda: server.watches.open("actorruns"))
    server.create("actorruns", a_run("new"))
    set_status("new", RUNNING)
    server.delete("actorruns", "default", "old")
    await asyncio.sleep(0.2)
    # Only an error ends a command that would go on for ever.
    server.watches.cut("actorruns", abort=True)

    result = await in_time(command)

    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["NAME", "PHASE"],
        ["old", "READY"],
        ["new", "READY"],
        ["new", "RUNNING"],
        ["old", "(deleted)"],
    ]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "words",
    [("one", "-A"), ("one", "--phase", "READY"), ("-w", "one", "two"), ("-w", "-o", "json")],
)
async def test_what_makes_no_sense_together_is_wrong_usage(
    actorctl: Actorctl, words: tuple[str, ...]
) -> None:
    assert (await actorctl("get", *words)).exit_code == 2


async def test_actors_are_listed_in_a_table(server: ApiServer, actorctl: Actorctl) -> None:
    server.create("actors", an_actor("shared", title="For all", isPublic=True))

    result = await actorctl("actors", "-A", "-o", "wide")

    rows = [line.split(maxsplit=6) for line in result.stdout.splitlines()]
    assert [row[:5] for row in rows] == [
        ["NAMESPACE", "NAME", "LATEST", "PUBLIC", "READY"],
        ["default", "hello", "1.0.1", "false", "-"],
        ["default", "shared", "1.0.1", "true", "-"],
    ]
    assert rows[2][6] == "For all"


async def test_actors_are_given_as_api_objects(server: ApiServer, actorctl: Actorctl) -> None:
    result = await actorctl("actors", "-o", "json")

    assert json.loads(result.stdout)["items"] == server.objects("actors")


async def test_without_actors_that_is_said(actorctl: Actorctl) -> None:
    result = await actorctl("actors", "-n", "actor-operator-system")

    assert result.stderr == "There are no Actors in the namespace actor-operator-system.\n"
