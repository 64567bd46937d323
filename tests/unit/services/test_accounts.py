"""Which namespace is which account."""

import pytest

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.constants import ANNOTATION_ADOPT
from actor_operator.engine.store import Store
from actor_operator.services.accounts import Accounts
from actor_operator.services.errors import ApiError


class World:
    """Namespaces, and what was asked of the database about them."""

    def __init__(self) -> None:
        self.namespaces: Store[NamespaceView] = Store()
        self.asked: list[tuple[str, str, str]] = []
        self.served = True
        self.accounts = Accounts(self.namespaces, self._ensure, lambda _: self.served)
        self.version = 0

    async def _ensure(self, *wanted: str) -> int:
        namespace, uid, adopts = wanted
        self.asked.append((namespace, uid, adopts))
        return len(self.asked)

    def put(self, uid: str, adopts: str = "") -> None:
        self.version += 1
        annotations = {ANNOTATION_ADOPT: adopts} if adopts else {}
        meta = Metadata(
            "team", uid=uid, resource_version=str(self.version), annotations=annotations
        )
        self.namespaces.apply(NamespaceView(meta))


async def test_a_namespace_is_asked_for_once_and_again_when_it_is_another_one() -> None:
    world = World()
    world.put("one")
    numbers = [await world.accounts.number("team") for _ in range(2)]
    world.put("two")
    numbers.append(await world.accounts.number("team"))

    assert numbers == [1, 1, 2]
    assert world.asked == [("team", "one", ""), ("team", "two", "")]


async def test_the_wish_to_adopt_an_account_is_told_as_soon_as_it_is_there() -> None:
    world = World()
    world.put("two")
    await world.accounts.number("team")
    world.put("two", adopts="one")

    assert await world.accounts.number("team") == 2
    assert world.asked[-1] == ("team", "two", "one")


async def test_a_namespace_of_another_installation_is_no_account() -> None:
    world = World()
    world.put("one")
    assert await world.accounts.number("team") == 1
    world.served = False

    assert await world.accounts.number("team") is None
    assert world.accounts.is_foreign("team")
    assert not world.accounts.is_foreign("unheard-of")
    with pytest.raises(ApiError) as caught:
        await world.accounts.expect("team")
    assert caught.value.status == 503
