"""Accounts: who asks, what they may use."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from actor_operator.server.answers import data
from actor_operator.server.routing import Routes, Who
from actor_operator.services.errors import unsupported
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.users import Usage, Users

UserId = Annotated[str, Path(alias="userId", description="Id or name of the account.")]

MeasureUsage = Callable[[Caller], Awaitable[Usage]]


def user_routes(users: Users, measure: MeasureUsage) -> Routes:
    """Routes of users.

    Parameters
    ----------
    users
        Answers about accounts.
    measure
        What the caller's account uses now.
    """
    routes = Routes("/v2/users", "Users")

    @routes.get("/me", needs=Permission.READ)
    async def get_me(caller: Who) -> Response:
        """Get the account of the token."""
        return data(users.describe_me(caller))

    @routes.get("/me/limits", needs=Permission.READ)
    async def get_limits(caller: Who) -> Response:
        """Get what the account may use, and what it uses now."""
        return data(users.describe_limits(caller, await measure(caller)))

    @routes.put("/me/limits", needs=Permission.ADMIN, status=201)
    async def put_limits(_: Who) -> Response:
        """Refuse: limits are set by the cluster's administrators, in an ActorAccount."""
        raise unsupported("limits are set by the cluster's administrators, in an ActorAccount")

    @routes.get("/me/usage/monthly", needs=Permission.READ)
    async def get_month(caller: Who) -> Response:
        """Get what the account used in this month."""
        return data(users.describe_month(await measure(caller)))

    @routes.get("/{userId}", needs=Permission.READ)
    async def get_user(user: UserId) -> Response:
        """Get what other accounts may know of an account."""
        return data(users.describe_other(user))

    return routes
