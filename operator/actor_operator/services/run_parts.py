"""What the use cases of runs work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from actor_operator.desired.keyring import Keyring
from actor_operator.kube.run_requests import RunRequests
from actor_operator.kube.runs import Runs
from actor_operator.services.accounts import Accounts
from actor_operator.services.actor_directory import ActorDirectory
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_watch import RunHub
from actor_operator.services.times import millis_of
from actor_operator.settings import Settings
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """What the use cases of runs work with.

    Parameters
    ----------
    database, objects
        Where rows and large bodies are.
    directory, hub
        The runs as the informer knows them, and who waits for them.
    runs, requests
        Reads and deletes runs; makes them, and asks something of them.
    actors, accounts
        The Actors and accounts that there are.
    settings
        The settings of the installation.
    keyring
        Its keys.
    now
        The time.
    """

    database: Database
    objects: ObjectStore
    directory: RunDirectory
    hub: RunHub
    runs: Runs
    requests: RunRequests
    actors: ActorDirectory
    accounts: Accounts
    settings: Settings
    keyring: Keyring
    now: Callable[[], datetime]

    @property
    def millis(self) -> int:
        """The time in milliseconds since 1970."""
        return millis_of(self.now())
