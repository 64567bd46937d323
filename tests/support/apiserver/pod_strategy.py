"""Pods: defaults, what of a spec may change, grace of a deletion."""

from tests.support.apiserver.fields import FieldError, Object, at
from tests.support.apiserver.strategy import Strategy
from typing_extensions import override

SPEC_DEFAULTS: Object = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
"""What the server fills into a pod's spec."""

CONTAINER_DEFAULTS: Object = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
"""What the server fills into each container."""

FIXED_SPEC = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)
"""What an update of anything else in a spec is told."""


class PodStrategy(Strategy):
    """Rules of pods that an operator can meet."""

    @override
    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        for name, value in SPEC_DEFAULTS.items():
            spec.setdefault(name, value)
        for container in spec.get("containers") or []:
            image = container.get("image", "")
            tag = image.rpartition("/")[2].partition(":")[2]
            always = tag in {"", "latest"} and "@" not in image
            container.setdefault("imagePullPolicy", "Always" if always else "IfNotPresent")
            for name, value in CONTAINER_DEFAULTS.items():
                container.setdefault(name, value)
            resources = container["resources"]
            if limits := resources.get("limits"):
                resources["requests"] = limits | resources.get("requests", {})

    @override
    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending", "qosClass": _qos_class(obj["spec"])}

    @override
    def validate(self, obj: Object) -> list[FieldError]:
        containers = obj["spec"].get("containers") or []
        if not containers:
            return [FieldError("spec.containers", "Required value")]
        errors = [
            FieldError(f"spec.containers[{index}].{name}", "Required value")
            for index, container in enumerate(containers)
            for name in ("name", "image")
            if not container.get(name)
        ]
        deadline = obj["spec"].get("activeDeadlineSeconds")
        if deadline is not None and not 1 <= deadline <= 2**31 - 1:
            detail = f"{deadline}: must be between 1 and 2147483647, inclusive"
            errors.append(FieldError("spec.activeDeadlineSeconds", "Invalid value", detail))
        return errors

    @override
    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        errors = self.validate(new) + _deadline_errors(new, old)
        if not errors and _fixed_part(new) != _fixed_part(old):
            errors.append(FieldError("spec", "Forbidden", FIXED_SPEC))
        return errors

    @override
    def grace(self, obj: Object, asked: int | None) -> int:
        spec, phase = obj["spec"], at(obj, "status.phase")
        if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
            return 0
        own: int = spec["terminationGracePeriodSeconds"]
        return own if asked is None else asked


def _deadline_errors(new: Object, old: Object) -> list[FieldError]:
    """A deadline can be set and lowered, never raised or removed."""
    field = "spec.activeDeadlineSeconds"
    before, after = at(old, field), at(new, field)
    if before is None or before == after:
        return []
    if after is None:
        detail = "null: must not update from a positive integer to nil value"
        return [FieldError(field, "Invalid value", detail)]
    if after > before:
        detail = f"{after}: must be less than or equal to previous value"
        return [FieldError(field, "Invalid value", detail)]
    return []


def _fixed_part(pod: Object) -> Object:
    changeable = {"activeDeadlineSeconds", "tolerations", "containers"}
    fixed = {name: value for name, value in pod["spec"].items() if name not in changeable}
    containers = pod["spec"].get("containers") or []
    fixed["containers"] = [
        {name: value for name, value in container.items() if name != "image"}
        for container in containers
    ]
    return fixed


def _qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    resources = [container["resources"] for container in spec.get("containers") or []]
    named = [entry for entry in resources if entry.get("limits") or entry.get("requests")]
    if not named:
        return "BestEffort"
    guaranteed = all(
        entry.get("requests") == entry.get("limits") and {"cpu", "memory"} <= set(entry["limits"])
        for entry in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"
