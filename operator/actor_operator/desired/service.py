"""The Service of a run's web server."""

from typing import Any

from actor_operator.api.views.run import RunView
from actor_operator.constants import LABEL_RUN_UID, WEB_PORT_NAME
from actor_operator.desired.children import child_metadata

SERVICE_PORT = 80
"""The Service's port; the container's has the same name."""

ALLOCATED = frozenset({"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"})
"""Fields that the API server fills in for each Service."""


def build_service(run: RunView) -> dict[str, Any]:
    """A Service that leads to the pod of the run that is ready, as it is on the wire.

    With the API server's defaults, because a stored one is compared with it.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(run),
        "spec": {
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "selector": {LABEL_RUN_UID: run.uid},
            "ports": [
                {
                    "name": WEB_PORT_NAME,
                    "port": SERVICE_PORT,
                    "protocol": "TCP",
                    # By its name: another attempt's Actor may listen on another port.
                    "targetPort": WEB_PORT_NAME,
                }
            ],
        },
    }
