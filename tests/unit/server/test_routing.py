import pytest

from actor_operator.errors import ConfigurationError
from actor_operator.server.routing import Routes


async def nothing() -> None:
    """Answer nothing."""


def test_a_route_that_does_not_say_what_it_needs_cannot_be_made() -> None:
    routes = Routes("/v2/things", "Things")
    with pytest.raises(ConfigurationError, match="does not say what it needs"):
        routes.router.get("/{id}")(nothing)
