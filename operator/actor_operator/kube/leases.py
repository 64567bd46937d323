"""One Lease, as an elector reads and writes it."""

from actor_operator.kube.client import KubeClient
from actor_operator.kube.errors import AlreadyExistsError, ConflictError, NotFoundError
from actor_operator.kube.resources import Resource

LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
"""The kind."""


class LeaseStore:
    """Reads and writes one Lease.

    Parameters
    ----------
    client
        A client of its own without guard or limiter: only who may write the lease can become
        leader, and a renewal must not queue behind other writes.
    namespace, name
        Of the Lease.
    """

    def __init__(self, client: KubeClient, *, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name

    @property
    def namespace(self) -> str:
        """Namespace of the Lease."""
        return self._namespace

    @property
    def name(self) -> str:
        """Name of the Lease."""
        return self._name

    async def read(self) -> bytes | None:
        """The Lease as JSON, ``None`` when there is none."""
        return await self._client.get(LEASES, self._namespace, self._name)

    async def create(self, body: bytes) -> bytes | None:
        """Create it; ``None`` when somebody else was first."""
        try:
            return await self._client.create(LEASES, self._namespace, body)
        except AlreadyExistsError:
            return None

    async def replace(self, body: bytes) -> bytes | None:
        """Replace the version that the body names; ``None`` when that is not the stored one."""
        try:
            return await self._client.put(LEASES, self._namespace, self._name, body)
        except (ConflictError, NotFoundError):
            return None
