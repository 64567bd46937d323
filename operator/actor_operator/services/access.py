"""Who may touch which storage."""

from dataclasses import dataclass

from actor_operator.services.identity import Caller


@dataclass(frozen=True, slots=True)
class StorageRef:
    """A storage that the caller may use in the way that was asked for.

    Parameters
    ----------
    account
        The account that owns it, which need not be the caller's.
    id
        Its id.
    caller
        Who asks.
    """

    account: int
    id: str
    caller: Caller
