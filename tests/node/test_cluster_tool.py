"""The local cluster itself: it works, and it leaves nothing behind however it ends.

Every test has a cluster of its own name beside others that may run on the machine, and what is
left of it is found by that name.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster_tool import cgroups, http_probe, members
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import CHECKOUT, state_dir

pytestmark = [
    pytest.mark.node,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0,
        reason="the local cluster needs Linux and root",
    ),
]

NAME = "tool-test"
DATA = CHECKOUT / "tests/data/cluster_tool"
BUSYBOX = "localhost/actor-operator/busybox:1"

MOMENTS = [
    ("Bringing up", 0.0),
    ("cluster's images", 0.0),
    ("cluster's images", 0.15),
    ("Making hosts", 0.0),
    ("Making hosts", 1.5),
    ("Starting controllers", 0.0),
    ("Installing CoreDNS", 0.0),
]
"""When a start is interrupted: so many seconds after the line that says this."""

SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
)


@dataclass(frozen=True)
class Machine:
    """What a cluster must not change."""

    sysctls: tuple[str, ...]
    interfaces: tuple[str, ...]
    rules: str


def _machine() -> Machine:
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    lines = [line for line in rules.splitlines() if not line.startswith("#")]
    return Machine(
        sysctls=tuple(Path("/proc/sys", name).read_text().strip() for name in SYSCTLS),
        interfaces=tuple(sorted(path.name for path in Path("/sys/class/net").iterdir())),
        rules="\n".join(lines),
    )


def _left_behind() -> list[str]:
    """Everything that still is there of the test's cluster."""
    state = state_dir(NAME)
    found = [f"process {member.pid} {member.role}" for member in members.find(state)]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            groups, command = (process / "cgroup").read_text(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        own = process.name == str(os.getpid())
        if not own and (cgroups.parent(NAME) in groups or f"{state}/".encode() in command):
            found.append(f"process {process.name} {command!r}")
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found += [f"mount {line}" for line in mounts if str(state) in line]
    found += [f"group {path}" for path in cgroups.ROOT.glob(f"**/{cgroups.parent(NAME)}")]
    found += [f"file {path}" for path in state.parent.glob(f"{NAME}*")]
    return found


def _wait(what: str, ready: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.1)


def _assert_nothing_left() -> None:
    """The kernel may take a moment to end the last processes of a namespace."""
    deadline = time.monotonic() + 10
    while (left := _left_behind()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def _start(*arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.cluster_tool", "--name", NAME, "--provider", "local"]
    return subprocess.Popen(
        [*argv, *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return
    pytest.fail(f"the start ended before it said {text!r}: {''.join(seen)}")


def _tool(*arguments: str) -> tuple[int, str, str]:
    """Code, stdout and stderr of one call of the tool."""
    with _start(*arguments) as process:
        out, err = process.communicate(timeout=200)
        return process.returncode, out.strip(), err


def _up(*arguments: str) -> tuple[int, str, str]:
    """`up`, on ports that are never the default ones."""
    return _tool("up", "--api-port", "17443", "--http-port", "17080", *arguments)


@pytest.fixture(scope="module", autouse=True)
def machine() -> Iterator[Machine]:
    """The machine before; afterwards nothing of the cluster is left, and nothing is changed."""
    _tool("down")
    before = _machine()
    yield before
    _tool("down")
    _assert_nothing_left()
    assert _machine() == before


@pytest.fixture(scope="class")
def kubectl() -> Iterator[Kubectl]:
    """A cluster with one node, for the tests of one class."""
    code, out, err = _up()
    assert code == 0, err
    yield Kubectl(Path(out.removeprefix("export KUBECONFIG=")))
    _tool("down")


def _pod(name: str, command: str, limits: dict[str, str] | None = None) -> dict[str, object]:
    container = {
        "name": "c",
        "image": BUSYBOX,
        "command": ["sh", "-c", command],
        "resources": {"limits": limits or {}},
    }
    metadata = {"name": name, "labels": {"app": name}}
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _phase(kubectl: Kubectl, pod: str) -> str:
    return kubectl.run("get", "pod", pod, "-o", "jsonpath={.status.phase}")


def _get(host: str) -> tuple[int, str]:
    # Not every resolver knows that *.localhost is this machine; curl and browsers do.
    return http_probe.get("http://127.0.0.1:17080/", host=host)


class TestARunningCluster:
    """What a cluster that is up can do."""

    def test_status_says_that_all_is_well(self, kubectl: Kubectl) -> None:
        code, _, err = _tool("status")
        assert code == 0, err
        assert "NOT" not in err

    def test_a_second_up_finds_it_and_changes_nothing(self, kubectl: Kubectl) -> None:
        before = {member.pid for member in members.find(state_dir(NAME))}
        code, out, err = _up()
        assert code == 0
        assert "runs already" in err
        assert out == f"export KUBECONFIG={state_dir(NAME)}/kubeconfig"
        assert {member.pid for member in members.find(state_dir(NAME))} == before

    def test_other_options_are_refused_while_it_runs(self, kubectl: Kubectl) -> None:
        code, _, err = _up("--nodes", "2")
        assert code == 1
        assert "Run `down` first" in err

    def test_a_pod_is_reached_through_its_ingress(self, kubectl: Kubectl) -> None:
        service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        path = {"path": "/", "pathType": "Prefix", "backend": backend}
        rule = {"host": "web.runs.localhost", "http": {"paths": [path]}}
        metadata = {"name": "web"}
        objects = [
            _pod("web", "httpd -f -p 8000 -h /www"),
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": metadata,
                "spec": {"ingressClassName": "traefik", "rules": [rule]},
            },
        ]
        kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        answer = (200, "hello from a pod\n")
        _wait("an answer of the pod", lambda: _get("web.runs.localhost") == answer)
        assert _get("nobody.runs.localhost")[0] == 404

    def test_names_of_services_are_known_in_pods_and_others_fail_at_once(
        self, kubectl: Kubectl
    ) -> None:
        command = "nslookup kubernetes.default.svc.cluster.local; nslookup example.com"
        kubectl.apply(json.dumps(_pod("names", command)))
        _wait("the end of the pod", lambda: _phase(kubectl, "names") in {"Failed", "Succeeded"}, 15)
        log = kubectl.run("logs", "names")
        assert "10.96.0.1\n" in log
        assert "can't find example.com" in log

    def test_too_much_memory_is_an_oom_kill(self, kubectl: Kubectl) -> None:
        kubectl.apply(json.dumps(_pod("oom", "tail /dev/zero", {"memory": "64Mi"})))
        _wait("the end of the pod", lambda: _phase(kubectl, "oom") == "Failed")
        ended = "jsonpath={.status.containerStatuses[0].state.terminated.reason}"
        assert kubectl.run("get", "pod", "oom", "-o", ended) == "OOMKilled"

    def test_too_much_disk_is_an_eviction(self, kubectl: Kubectl) -> None:
        command = "dd if=/dev/zero of=/tmp/x bs=1M count=200; sleep 300"
        kubectl.apply(json.dumps(_pod("disk", command, {"ephemeral-storage": "64Mi"})))
        _wait("the eviction", lambda: _phase(kubectl, "disk") == "Failed", 60)
        assert kubectl.run("get", "pod", "disk", "-o", "jsonpath={.status.reason}") == "Evicted"

    def test_an_image_is_built_from_a_dockerfile_and_run(self, kubectl: Kubectl) -> None:
        code, archive, err = _tool("build-image", "tool-test:1", "--context", str(DATA))
        assert code == 0, err
        started = time.monotonic()
        assert _tool("build-image", "tool-test:1", "--context", str(DATA))[1] == archive
        assert time.monotonic() - started < 5
        assert _tool("load-image", archive)[0] == 0
        pod = "--image=localhost/tool-test:1"
        kubectl.run("run", "built", pod, "--image-pull-policy=Never", "--restart=Never")
        _wait("the end of the pod", lambda: _phase(kubectl, "built") == "Succeeded")
        assert kubectl.run("logs", "built") == "click click\n"

    def test_a_dead_program_shows_in_the_status_and_up_makes_a_new_cluster(
        self, kubectl: Kubectl
    ) -> None:
        role = "control-plane/kube-scheduler"
        found = [m.pid for m in members.find(state_dir(NAME)) if m.role == role]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        _wait("its end", lambda: role not in members.roles(state_dir(NAME)))
        code, _, err = _tool("status")
        assert code == 1
        assert "NOT RUNNING" in err
        code, _, err = _up()
        assert code == 0, err
        assert "not well" in err
        assert _tool("status")[0] == 0


class TestItsEnd:
    """However a start or a cluster ends, nothing stays."""

    def test_down_leaves_nothing(self, machine: Machine) -> None:
        assert _up("--nodes", "2", "--simulated-nodes", "3")[0] == 0
        assert _left_behind()
        assert _machine() == machine
        assert _tool("down")[0] == 0
        _assert_nothing_left()
        assert _tool("status")[0] == 3

    def test_a_second_start_at_the_same_time_is_refused(self) -> None:
        with _start("up", "--api-port", "17443") as first:
            _wait("the first one's lock", state_dir(NAME).with_name(f"{NAME}.lock").exists)
            code, _, err = _up()
            assert code == 1
            assert f"Process {first.pid} is changing this cluster" in err
            assert f"kill {first.pid}" in err
            first.terminate()
            first.communicate(timeout=60)
        _assert_nothing_left()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
    @pytest.mark.parametrize(("after", "seconds"), MOMENTS)
    def test_an_interrupted_start_leaves_nothing(
        self, number: signal.Signals, after: str, seconds: float
    ) -> None:
        with _start("up", "--api-port", "17443", "--http-port", "17080") as process:
            _wait_for_line(process, after)
            time.sleep(seconds)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 128 + number, err
        _assert_nothing_left()

    @pytest.mark.parametrize(("after", "seconds"), MOMENTS)
    def test_down_removes_what_a_killed_start_left(self, after: str, seconds: float) -> None:
        with _start("up", "--api-port", "17443", "--http-port", "17080") as process:
            _wait_for_line(process, after)
            time.sleep(seconds)
            process.kill()
        code, _, err = _tool("down")
        assert code == 0, err
        _assert_nothing_left()

    def test_up_starts_anew_after_a_killed_start(self) -> None:
        with _start("up", "--api-port", "17443", "--http-port", "17080") as process:
            _wait_for_line(process, "Starting controllers")
            process.kill()
        assert _left_behind()
        code, _, err = _up()
        assert code == 0, err
        assert "17443 is taken" not in err
        assert _tool("status")[0] == 0
        assert _tool("down")[0] == 0
        _assert_nothing_left()
