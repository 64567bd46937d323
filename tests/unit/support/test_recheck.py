"""A saved recording can be judged and read again."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.recheck import recheck
from tests.unit.support.histories import Story, plain, running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a recording is."""
    return tmp_path / "history.jsonl"


def test_a_good_recording_ends_with_zero(file: Path) -> None:
    plain().history.write(file)

    result = CliRunner().invoke(recheck, [str(file)])

    assert result.exit_code == 0
    assert result.output == "8 revisions, 0 violations\n"


def test_a_bad_one_ends_with_one_and_names_what_is_broken(file: Path) -> None:
    running().end("SUCCEEDED", exitCode=0).history.write(file)

    result = CliRunner().invoke(recheck, [str(file)])

    assert result.exit_code == 1
    assert "team: I6 ActorRun hello at 6: SUCCEEDED, but no container ended with 0" in result.output


def test_another_namespace_is_left_out(file: Path) -> None:
    running().end("SUCCEEDED", exitCode=0).history.write(file)

    assert CliRunner().invoke(recheck, [str(file), "--namespace=other"]).exit_code == 0


def test_the_revisions_of_one_object_are_told_in_lines(file: Path) -> None:
    story: Story = plain()
    story.history.write(file)

    lines = CliRunner().invoke(recheck, [str(file), "--name=hello"]).output.splitlines()

    assert len(lines) == len(story.history) + 1
    assert "ActorRun hello" in lines[0]
    assert '"phase": "READY"' in lines[0]
