"""What a burst costs: processor time of each program, and the operator's writes."""

from collections import Counter
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.operators import OperatorProcess, cpu_seconds

from actor_operator.metrics import PREFIX

CONTROL_PLANE_PROGRAMS = ("kube-apiserver", "kube-controller-manager")
"""Programs whose processor time is measured, beside the operator's."""

READS = frozenset({"get", "list", "watch"})
"""Verbs that change nothing."""


@dataclass(frozen=True)
class Costs:
    """Counters at one moment, or what came to them between two."""

    cpu: dict[str, float]
    """Processor time in seconds, by program."""
    writes: Counter[str]
    """The operator's writes but those of its Lease, by verb and kind."""

    def since(self, before: "Costs") -> "Costs":
        """What was added since an earlier moment."""
        cpu = {program: seconds - before.cpu[program] for program, seconds in self.cpu.items()}
        return Costs(cpu, self.writes - before.writes)


def costs_so_far(control_plane: ControlPlane, operator: OperatorProcess) -> Costs:
    """The counters now."""
    pids = {program: control_plane.pid(program) for program in CONTROL_PLANE_PROGRAMS}
    pids["operator"] = operator.pid
    cpu = {program: cpu_seconds(pid) for program, pid in pids.items()}
    return Costs(cpu, _writes(operator.metrics))


def _writes(metrics: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            label = sample.labels
            if sample.name != f"{PREFIX}_api_calls_total" or label["kind"] == "Lease":
                continue
            if label["verb"] not in READS:
                refused = "" if label["code"].startswith("2") else f", HTTP {label['code']}"
                found[f"{label['verb']} {label['kind']}{refused}"] += int(sample.value)
    return found
