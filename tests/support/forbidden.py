"""What no pod of a run may be, each with the layers that must refuse it by themselves.

The layers are the operator, which never writes it; the policy ``run-pod-contents``, which refuses
it of the operator; and the namespace's Pod Security level *restricted*, which refuses anybody.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

UNSEEN_BY_POD_SECURITY = "its rules are about the host and the kernel, not about this"
"""Why Pod Security says nothing of a row that has no sentence of it."""


@dataclass(frozen=True)
class Forbidden:
    """One thing that a pod may not have."""

    name: str
    spec: Json
    """Fields of the pod's specification."""
    policy: str
    """What the policy says."""
    pod_security: str | None = None
    """What the level *restricted* says; None: it cannot see this (UNSEEN_BY_POD_SECURITY)."""

    def added_to(self, pod: Json) -> Json:
        """The pod with it. A list of containers is merged into the first one's fields."""
        forbidden = deepcopy(pod)
        _merge(forbidden["spec"], self.spec)
        return forbidden


def _merge(into: Json, more: Json) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif key == "containers" and len(value) == 1:
            _merge(into[key][0], value[0])
        else:
            into[key] = deepcopy(value)


def _in_pod(sentence: str) -> Callable[..., Forbidden]:
    def row(name: str, spec: Json, pod_security: str | None = None) -> Forbidden:
        return Forbidden(name, spec, sentence, pod_security)

    return row


def _in_container(sentence: str) -> Callable[..., Forbidden]:
    def row(name: str, fields: Json, pod_security: str | None = None, **spec: Any) -> Forbidden:
        return Forbidden(name, {"containers": [fields], **spec}, sentence, pod_security)

    return row


_host = _in_pod("a run's pod shares nothing with its host")
_volume = _in_pod("the volumes of a run's pod are emptyDir")
_account = _in_pod("a run's pod has no service account's token")
_placed = _in_pod("the administrator's settings say where a run's pod is placed, and nothing else")
_runtime = _in_pod("the administrator's settings say which runtime a run's pod has")
_ends = _in_pod("a run's pod ends, and within 30 seconds")
_names = _in_pod("a run's pod resolves names as the cluster does, and is told of no Services")
_many = _in_pod("a run's pod has one container")
_pod_security = _in_pod("a run's pod has the runtime's seccomp profile, and loosens nothing")
_security = _in_container("the container of a run is not privileged, and cannot become so")
_capabilities = _in_container(
    "the container of a run drops all capabilities but those of the security profile"
)
_starts = _in_container("the container of a run starts as its image says")
_probed = _in_container("a run is probed at its own port")
_port = _in_container("a run has no port of its node")
_variables = _in_container("the variables of a run come from Secrets")
_limits = _in_container("a run has limits of processor, memory and disk")


def _volume_of(kind: str, source: Json, pod_security: str | None = None) -> Forbidden:
    return _volume(f"a volume {kind}", {"volumes": [{"name": "shm", kind: source}]}, pod_security)


RESTRICTED_VOLUMES = "restricted volume types"
NFS = {"server": "10.0.0.1", "path": "/"}
TOKEN = {"sources": [{"serviceAccountToken": {"path": "token"}}]}
LABELS = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
CLAIM = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}}
ANOTHER = {
    "name": "another",
    "image": "registry.example/another:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
AFFINITY = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}
        ]
    }
}
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}

FORBIDDEN = (
    _host("the host's network", {"hostNetwork": True}, "host namespaces"),
    _host("the host's processes", {"hostPID": True}, "host namespaces"),
    _host("the host's IPC", {"hostIPC": True}, "host namespaces"),
    _host("aliases of hosts", {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["api"]}]}),
    _host("shared processes", {"shareProcessNamespace": True}),
    _volume_of("hostPath", {"path": "/"}, RESTRICTED_VOLUMES),
    _volume_of("nfs", NFS, RESTRICTED_VOLUMES),
    _volume_of(
        "iscsi",
        {"targetPortal": "10.0.0.1", "iqn": "iqn.2026-01.a:b", "lun": 0},
        RESTRICTED_VOLUMES,
    ),
    _volume_of("gitRepo", {"repository": "https://git.example/a"}, RESTRICTED_VOLUMES),
    _volume_of("cephfs", {"monitors": ["10.0.0.1"]}, RESTRICTED_VOLUMES),
    _volume_of("csi", {"driver": "csi.example"}),
    _volume_of("persistentVolumeClaim", {"claimName": "another"}),
    _volume_of("ephemeral", {"volumeClaimTemplate": CLAIM}),
    _volume_of("secret", {"secretName": "another"}),
    _volume_of("configMap", {"name": "another"}),
    _volume_of("downwardAPI", {"items": [LABELS]}),
    _volume_of("projected", TOKEN),
    _account("a mounted token", {"automountServiceAccountToken": True}),
    _account("a service account", {"serviceAccountName": "another"}),
    _placed("a node by name", {"nodeName": "simulated-1"}),
    _placed("affinity", {"affinity": AFFINITY}),
    _placed("spreading", {"topologySpreadConstraints": [SPREAD]}),
    _placed("a scheduler", {"schedulerName": "another"}),
    _placed("a class of the system", {"priorityClassName": "system-node-critical"}),
    _placed("a gate of scheduling", {"schedulingGates": [{"name": "example.com/wait"}]}),
    _placed("a gate of readiness", {"readinessGates": [{"conditionType": "example.com/a"}]}),
    _runtime("a runtime", {"runtimeClassName": "another"}),
    _ends("restarts by the kubelet", {"restartPolicy": "Always"}),
    _ends("a long farewell", {"terminationGracePeriodSeconds": 31}),
    _names("variables of Services", {"enableServiceLinks": True}),
    _names("the node's resolver", {"dnsPolicy": "Default"}),
    _names("a resolver", {"dnsConfig": {"nameservers": ["10.0.0.1"]}}),
    _many("an initial container", {"initContainers": [ANOTHER]}),
    _many("a sidecar", {"initContainers": [{**ANOTHER, "restartPolicy": "Always"}]}),
    _pod_security(
        "no seccomp",
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "seccompProfile",
    ),
    _pod_security(
        "a kernel parameter",
        {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        "forbidden sysctls",
    ),
    _pod_security(
        "a type of SELinux",
        {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}},
        "seLinuxOptions",
    ),
    _pod_security(
        "no AppArmor",
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
        "forbidden AppArmor profile",
    ),
    _pod_security("root in the pod", {"securityContext": {"runAsUser": 0}}, "runAsUser=0"),
    _pod_security("a group", {"securityContext": {"runAsGroup": 0}}),
    _pod_security("the group of files", {"securityContext": {"fsGroup": 0}}),
    _pod_security("further groups", {"securityContext": {"supplementalGroups": [0]}}),
    _pod_security("perhaps root", {"securityContext": {"runAsNonRoot": None}}, "runAsNonRoot"),
    _security(
        "privileges",
        {"securityContext": {"privileged": True, "allowPrivilegeEscalation": True}},
        "privileged",
    ),
    _security(
        "escalation",
        {"securityContext": {"allowPrivilegeEscalation": True}},
        "allowPrivilegeEscalation",
    ),
    _security(
        "all of /proc", {"securityContext": {"procMount": "Unmasked"}}, "procMount", hostUsers=False
    ),
    _security("root", {"securityContext": {"runAsUser": 0}}, "runAsUser=0"),
    _security("root by its image", {"securityContext": {"runAsNonRoot": False}}, "runAsNonRoot"),
    _security(
        "no seccomp in the container",
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "seccompProfile",
    ),
    _security(
        "no AppArmor in the container",
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
        "forbidden AppArmor profile",
    ),
    _security(
        "a user of SELinux",
        {"securityContext": {"seLinuxOptions": {"user": "root"}}},
        "seLinuxOptions",
    ),
    _capabilities(
        "SYS_ADMIN", {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "capabilities"
    ),
    _capabilities(
        "NET_RAW", {"securityContext": {"capabilities": {"add": ["NET_RAW"]}}}, "capabilities"
    ),
    _capabilities(
        "kept capabilities",
        {"securityContext": {"capabilities": {"drop": ["CHOWN"]}}},
        "capabilities",
    ),
    _starts("a command", {"command": ["sh"]}),
    _starts("arguments", {"args": ["-c"]}),
    _starts("a folder to work in", {"workingDir": "/"}),
    _starts("a terminal", {"stdin": True, "tty": True}),
    _starts("a hook", {"lifecycle": {"preStop": {"exec": {"command": ["sh"]}}}}),
    _starts(
        "a hook that asks another host",
        {"lifecycle": {"preStop": {"httpGet": {"port": 80, "host": "169.254.169.254"}}}},
        "probe or lifecycle host",
    ),
    _starts("a liveness probe", {"livenessProbe": {"tcpSocket": {"port": 80}}}),
    _probed(
        "a probe of another host",
        {"readinessProbe": {"tcpSocket": {"port": 80, "host": "169.254.169.254"}}},
        "probe or lifecycle host",
    ),
    _probed("a probe that runs a command", {"readinessProbe": {"exec": {"command": ["sh"]}}}),
    _port("a port of the node", {"ports": [{"containerPort": 80, "hostPort": 80}]}, "hostPort"),
    _variables("a literal variable", {"env": [{"name": "A", "value": "b"}]}),
    _variables(
        "a variable of the pod",
        {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]},
    ),
    _variables("variables of a ConfigMap", {"envFrom": [{"configMapRef": {"name": "another"}}]}),
    _limits("no limits", {"resources": {"limits": None, "requests": None}}),
)
"""At least one for each field of a pod that could reach beyond it."""
