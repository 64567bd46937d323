"""Which namespaces are accounts of this API server: those in which its installation works.

Others may be those of further installations on the cluster (label ``actor-operator.dev/install``),
each with an API server of its own.
"""

from collections.abc import Callable

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.settings import Settings


def served_namespaces(settings: Settings) -> Callable[[NamespaceView], bool]:
    """Say of a namespace whether the installation works in it.

    An installation of some namespaces works in those of them that are labelled for it, the one for
    the whole cluster in all without such a label, as the operator does (``reconcile.claims``).

    Parameters
    ----------
    settings
        The settings of the installation.
    """
    own, only = settings.namespace, frozenset(settings.namespaces)

    def serves(namespace: NamespaceView) -> bool:
        if not only:
            return namespace.install is None
        return namespace.name in only and namespace.install == own

    return serves
