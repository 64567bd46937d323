"""What every child of a run has: labels, and its run as the owner."""

from typing import Any

from actor_operator.api.views.run import RunView
from actor_operator.constants import (
    API_VERSION,
    FIELD_MANAGER,
    LABEL_MANAGED_BY,
    LABEL_RUN,
    LABEL_RUN_UID,
)
from actor_operator.desired.names import child_name


def run_labels(run: RunView) -> dict[str, str]:
    """Labels of every child of a run."""
    return {
        LABEL_MANAGED_BY: FIELD_MANAGER,
        LABEL_RUN: run.name,
        LABEL_RUN_UID: run.uid,
    }


def owner_reference(run: RunView) -> dict[str, Any]:
    """The run as controller of a child; it never blocks the run's deletion."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ActorRun",
        "name": run.name,
        "uid": run.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def child_metadata(run: RunView, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """Metadata of the one child of its kind that a run has: its Service, its route."""
    return {
        "name": child_name(run.name, run.uid),
        "namespace": run.namespace,
        "labels": run_labels(run),
        "annotations": annotations or {},
        "ownerReferences": [owner_reference(run)],
    }
