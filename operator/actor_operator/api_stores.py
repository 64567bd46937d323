"""What the API server knows of the cluster beside runs and pods."""

from dataclasses import dataclass
from typing import Any

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.full_actor import FullActor
from actor_operator.api.views.namespace import NamespaceView
from actor_operator.api.views.token import TokenView
from actor_operator.api_parts import ignore
from actor_operator.clock import Clock
from actor_operator.engine.store import Store
from actor_operator.kube.accounts import ACTOR_ACCOUNTS, decode_account
from actor_operator.kube.actors import ACTORS, decode_full_actor
from actor_operator.kube.namespaces import NAMESPACES, decode_namespace
from actor_operator.kube.tokens import ACTOR_TOKENS, decode_token
from actor_operator.services.accounts import Accounts
from actor_operator.services.claims import served_namespaces
from actor_operator.services.times import millis_of
from actor_operator.services.tokens import TOKENS_BY_HASH, token_index
from actor_operator.settings import Settings
from actor_operator.storage.accounts import Accounts as AccountRows
from actor_operator.storage.database import Database
from actor_operator.watches import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStores:
    """What the informers of the API server know beside runs and pods."""

    actors: Store[FullActor]
    accounts: Store[AccountView]
    namespaces: Store[NamespaceView]
    tokens: Store[TokenView]


def new_stores() -> ApiStores:
    """Empty stores."""
    return ApiStores(
        actors=Store(),
        accounts=Store(),
        namespaces=Store(),
        tokens=Store({TOKENS_BY_HASH: token_index}),
    )


def watched_stores(stores: ApiStores) -> tuple[Watched[Any], ...]:
    """What fills them."""
    return (
        Watched(ACTORS, stores.actors, decode_full_actor, ignore),
        Watched(ACTOR_ACCOUNTS, stores.accounts, decode_account, ignore),
        Watched(ACTOR_TOKENS, stores.tokens, decode_token, ignore),
        Watched(NAMESPACES, stores.namespaces, decode_namespace, ignore),
    )


def build_accounts(
    stores: ApiStores, database: Database, clock: Clock, settings: Settings
) -> Accounts:
    """The accounts, whose rows are made when they are first asked for."""

    async def ensure(namespace: str, uid: str, adopts: str) -> int:
        now = millis_of(clock.now())
        return await database.write(
            lambda connection: AccountRows(connection).ensure(namespace, uid, now, adopts)
        )

    return Accounts(stores.namespaces, ensure, served_namespaces(settings))
