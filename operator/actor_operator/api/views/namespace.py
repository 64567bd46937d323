"""What the operator reads of a Namespace: which installation has it."""

from actor_operator.api.views.metadata import ObjectView
from actor_operator.constants import LABEL_INSTALL


class NamespaceView(ObjectView, frozen=True):
    """A namespace."""

    @property
    def install(self) -> str | None:
        """The namespace of the installation that has it; None: nobody has claimed it."""
        return self.metadata.labels.get(LABEL_INSTALL)
