"""Files that are whole or not there, and progress that only a terminal sees."""

import io
import stat
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from actor_operator.cli import transfer as module
from actor_operator.cli.api_client import ApiClient
from actor_operator.cli.api_options import ApiChoice
from actor_operator.cli.api_session import ApiSession
from actor_operator.cli.login_file import Login
from actor_operator.cli.options import Options
from actor_operator.cli.problems import CommandError
from actor_operator.cli.transfer import file_written, transfer


def test_a_file_is_replaced_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    with file_written(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_what_fails_leaves_the_file_before_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with file_written(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_and_not_replaced() -> None:
    path = Path("/dev/null")

    with file_written(path) as file:
        file.write(b"x")

    assert path.is_char_device()


def test_a_folder_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"

    with pytest.raises(CommandError, match="cannot be written: No such file"), file_written(path):
        pass


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown", "seen"),
    [
        (True, False, True, True),
        (True, True, True, False),
        (True, False, False, False),
        (False, False, True, False),
    ],
)
def test_progress_is_for_a_terminal_that_nobody_else_writes_to(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool, shown: bool, seen: bool
) -> None:
    screen = io.StringIO()
    fake = Console(file=screen, force_terminal=terminal, width=100)
    monkeypatch.setattr(module, "console", lambda **_: fake)
    client = cast("ApiClient", Login("https://api.test", "x"))
    session = ApiSession(client, ApiChoice(), Options(quiet=quiet), "actorctl")

    with transfer(session, "Writing", 2_000_000, shown=shown) as moved:
        moved(1_000_000)

    assert ("Writing" in screen.getvalue()) is seen
