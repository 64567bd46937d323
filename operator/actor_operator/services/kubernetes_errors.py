"""What clients are told when Kubernetes does not take a write."""

from actor_operator.kube.errors import ApiError as KubeError
from actor_operator.kube.errors import ForbiddenError, InvalidError, TooManyRequestsError
from actor_operator.services.errors import ApiError, invalid, unavailable


def of_kubernetes(error: KubeError) -> Exception:
    """The error for clients; what needs no other words than every outage is returned as it is."""
    if isinstance(error, InvalidError):
        return invalid(f"The run cannot be so: {error.message}")
    if isinstance(error, ForbiddenError):
        return ApiError(
            "insufficient-permissions", f"The cluster refuses it: {error.message}", status=403
        )
    if isinstance(error, TooManyRequestsError):
        return unavailable("Kubernetes asks to slow down.")
    return error
