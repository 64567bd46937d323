"""A Kubernetes API server in this process, for tests: `ApiServer`.

What it imitates: storage with revisions, list and watch, writes with optimistic locks, status
subresources, deletion, garbage collection, quotas, custom kinds with their schemas and rules.
What it does not: RBAC, managedFields, conversion, most validation of built-in kinds.
The contract tests compare it with a real kube-apiserver.
"""

from tests.support.apiserver.deletion import DeleteOptions
from tests.support.apiserver.errors import ApiError
from tests.support.apiserver.faults import Fault, Faults, on
from tests.support.apiserver.player import End, PodPlayer, Scenario
from tests.support.apiserver.pods import PodHandle
from tests.support.apiserver.requestlog import Request, RequestLog
from tests.support.apiserver.server import ApiServer

__all__ = [
    "ApiError",
    "ApiServer",
    "DeleteOptions",
    "End",
    "Fault",
    "Faults",
    "PodHandle",
    "PodPlayer",
    "Request",
    "RequestLog",
    "Scenario",
    "on",
]
