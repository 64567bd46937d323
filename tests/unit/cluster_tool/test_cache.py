"""Entries of the cache."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster_tool import interrupts
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run


def _write(path: Path) -> None:
    path.write_text("content")


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    entry = made_once(tmp_path / "sub/entry", _write)
    assert entry.read_text() == "content"
    assert made_once(entry, lambda _: pytest.fail("made again")) == entry


def test_an_entry_whose_making_failed_is_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.mkdir()
        (path / "half").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        made_once(tmp_path / "entry", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".entry.lock"]
    assert made_once(tmp_path / "entry", _write).is_file()


def test_whoever_comes_second_waits_and_takes_what_the_first_made(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    calls = []

    def slow(path: Path) -> None:
        calls.append(path)
        begun.set()
        assert go_on.wait(10)
        path.touch()

    threads = [threading.Thread(target=made_once, args=(tmp_path / "e", slow)) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(calls) == 1


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works, also where the tests run in the background and it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_signals_wait_for_the_end_of_a_block() -> None:
    done = []

    def block() -> None:
        with interrupts.deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the rest of the block"]


def test_a_program_that_must_finish_is_in_a_session_of_its_own() -> None:
    shown = run(["ps", "-o", "sid=", "-p", "1"], must_finish=True)
    assert shown.strip()
    script = "import os; print(os.getsid(0) == os.getpid())"
    assert run([sys.executable, "-c", script], must_finish=True) == "True\n"
    assert run([sys.executable, "-c", script]) == "False\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_becomes_the_exit_code_that_a_shell_gives(number: int, code: int) -> None:
    script = (
        "import signal; from tests.cluster_tool import interrupts\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with interrupts.as_exit_codes(): signal.raise_signal({number})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
