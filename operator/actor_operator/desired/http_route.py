"""The Gateway API HTTPRoute of a run's web server."""

from typing import Any

from actor_operator.api.views.run import RunView
from actor_operator.desired.children import child_metadata
from actor_operator.desired.names import child_name
from actor_operator.desired.service import SERVICE_PORT
from actor_operator.settings_web import GatewaySettings


def build_http_route(run: RunView, host: str, gateway: GatewaySettings) -> dict[str, Any]:
    """A route of one host from the Gateway to the run's Service, as it is on the wire.

    With the API server's defaults, because a stored route is compared with it.
    """
    backend = {
        "group": "",
        "kind": "Service",
        "name": child_name(run.name, run.uid),
        "port": SERVICE_PORT,
        "weight": 1,
    }
    match = {"path": {"type": "PathPrefix", "value": "/"}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": child_metadata(run),
        "spec": {
            "parentRefs": [_build_parent(gateway)],
            "hostnames": [host],
            "rules": [{"matches": [match], "backendRefs": [backend]}],
        },
    }


def _build_parent(gateway: GatewaySettings) -> dict[str, Any]:
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": gateway.namespace,
        "name": gateway.name,
    }
    section = gateway.section_name
    return {**parent, "sectionName": section} if section is not None else parent
