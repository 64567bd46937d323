"""Which namespaces the API server serves."""

import pytest

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.constants import LABEL_INSTALL
from actor_operator.services.claims import served_namespaces
from actor_operator.settings import Settings


@pytest.mark.parametrize(
    ("only", "install", "expected"),
    [
        ((), None, True),
        ((), "ops", False),
        ((), "others", False),
        (("team",), "ops", True),
        (("team",), None, False),
        (("team",), "others", False),
        (("another",), "ops", False),
    ],
)
def test_a_namespace_is_served_by_the_installation_that_works_in_it(
    *, only: tuple[str, ...], install: str | None, expected: bool
) -> None:
    labels = {} if install is None else {LABEL_INSTALL: install}
    namespace = NamespaceView(Metadata("team", uid="u", labels=labels))

    serves = served_namespaces(Settings(namespace="ops", namespaces=only))

    assert serves(namespace) is expected
