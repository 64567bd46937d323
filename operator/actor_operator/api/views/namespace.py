"""What is read of a Namespace: which installation has it, and whose successor it is."""

from actor_operator.api.views.metadata import ObjectView
from actor_operator.constants import ANNOTATION_ADOPT, LABEL_INSTALL


class NamespaceView(ObjectView, frozen=True):
    """A namespace."""

    @property
    def install(self) -> str | None:
        """The namespace of the installation that has it; None: nobody has claimed it."""
        return self.metadata.labels.get(LABEL_INSTALL)

    @property
    def adopts(self) -> str:
        """The uid of the earlier namespace whose account it shall have; empty: none."""
        return self.metadata.annotations.get(ANNOTATION_ADOPT, "")
