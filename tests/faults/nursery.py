"""A program that has imported the operator and forks a process of it on request.

Importing it costs 1.5 s of processor time, a fork some milliseconds: a campaign starts thousands.
It reads one JSON object a line from its input and writes `{"born": pid}` for each; when a process
ends it writes `{"ended": pid, "code": code}`, a negative code for a signal.
"""

import ctypes
import gc
import os
import select
import signal
import sys
from pathlib import Path

# What the operator imports when it starts, so that its processes need not.
import kubernetes.config  # noqa: F401
import msgspec
from tests.faults import clocks, planted

from actor_operator.handlers.startup import run_operator
from actor_operator.settings import Settings, load_settings

PR_SET_PDEATHSIG = 1
"""Of prctl(2): a signal for the death of the parent."""


class Birth(msgspec.Struct, frozen=True):
    """The process that is wanted."""

    settings: str
    """Path of its settings file."""

    kubeconfig: str
    log: str
    """Path of the file to which it writes."""

    place: str = ""
    """Uid of the pod that it is in: a process in the same place takes its own lease back."""

    planted: str = ""
    """Name of a defect of `tests.faults.planted`."""

    clock: clocks.Drift | None = None
    """What its clock shows; the machine's time without it."""


class News(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the nursery tells."""

    born: int = 0
    ended: int = 0
    code: int = 0


def main() -> None:
    """Fork processes until the input ends."""
    gc.freeze()  # else each collection in a child would copy the memory that it shares
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write)
    rest = b""
    while True:
        ready, _, _ = select.select([0, read], [], [])
        if read in ready:
            os.read(read, 4096)
            _tell_of_ends()
        if 0 in ready:
            data = os.read(0, 65_536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                _tell(News(born=_fork(msgspec.json.decode(line, type=Birth))))


def _fork(birth: Birth) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become(birth)
        run_operator(_settings(birth))
        code = 0
    except BaseException as error:  # noqa: BLE001 -- nothing of the parent may run on in here
        sys.stderr.write(f"{error!r}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settings(birth: Birth) -> Settings:
    settings = load_settings(Path(birth.settings))
    probes = settings.probes.model_copy(update={"host": _own_address(os.getpid())})
    return settings.model_copy(update={"probes": probes})


def _own_address(pid: int) -> str:
    """An address of the loopback interface for each process, as pods have: no port is taken twice.

    Linux numbers no more than 2^22 processes.
    """
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"


def _become(birth: Birth) -> None:
    """Turn from a copy of the nursery into an operator."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(birth.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ |= {"KUBECONFIG": birth.kubeconfig, "POD_UID": birth.place}
    planted.plant(birth.planted)
    clocks.drift(birth.clock)


def _tell_of_ends() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell(News(ended=pid, code=os.waitstatus_to_exitcode(status)))


def _tell(news: News) -> None:
    os.write(1, msgspec.json.encode(news) + b"\n")


if __name__ == "__main__":
    main()
