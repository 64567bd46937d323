"""What is looked at before an object is created, beside its own rules."""

from tests.support.apiserver.builtin import NAMESPACES
from tests.support.apiserver.errors import forbidden, not_found
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.store import Store


class NamespaceLifecycle:
    """Objects are created only in namespaces that exist and stay."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, kind: Kind, obj: Object) -> None:
        """Look at a new object.

        Raises
        ------
        ApiError
            404, 403.
        """
        if not kind.namespaced:
            return
        namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        version = self._store.get(NAMESPACES, ("", namespace))
        if version is None:
            raise not_found(NAMESPACES, namespace)
        if at(version.object, "status.phase") == "Terminating":
            sentence = f"namespace {namespace} is being terminated"
            cause = {
                "reason": "NamespaceTerminating",
                "message": sentence,
                "field": "metadata.namespace",
            }
            raise forbidden(
                kind,
                name,
                f"unable to create new content in namespace {namespace} because it is being "
                "terminated",
                [cause],
            )
