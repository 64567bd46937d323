"""The keys of the installation: made once by the leader, never in the chart's output.

Chart output ends in Git, in Argo CD and in ``install.yaml``; a key that is rendered is a key that
is published. The Secret survives upgrades and uninstall.
"""

import secrets as random
from collections.abc import Callable

from actor_operator.constants import KEYS_SECRET
from actor_operator.desired.keyring import ACTIVE, KEY_BYTES, Keyring, parse_keyring
from actor_operator.errors import NotLeaderError
from actor_operator.kube.errors import AlreadyExistsError
from actor_operator.kube.secret import Secrets


async def ensure_keyring(
    secrets: Secrets, namespace: str, make_key: Callable[[int], bytes] = random.token_bytes
) -> Keyring:
    """Read the keys, or make the first one.

    Raises
    ------
    TerminalError
        When the Secret is spoilt.
    ApiError
        When it cannot be read or made.
    """
    data = await secrets.read_own(namespace, KEYS_SECRET)
    if data is None:
        data = {ACTIVE: b"k1", "k1": make_key(KEY_BYTES)}
        try:
            await secrets.create_own(namespace, KEYS_SECRET, data)
        except AlreadyExistsError:
            data = await secrets.read_own(namespace, KEYS_SECRET) or {}
    return parse_keyring(data)


class KeyringHolder:
    """The keys as they were last read; the leader reads them when it begins.

    Parameters
    ----------
    secrets
        Where they are.
    namespace
        The operator's own.
    """

    def __init__(self, *, secrets: Secrets, namespace: str) -> None:
        self._secrets = secrets
        self._namespace = namespace
        self._keyring: Keyring | None = None

    async def load(self) -> None:
        """Read the keys, or make them.

        Raises
        ------
        TerminalError
            When the Secret is spoilt.
        ApiError
            When it cannot be read or made.
        """
        self._keyring = await ensure_keyring(self._secrets, self._namespace)

    def current(self) -> Keyring:
        """The keys.

        Raises
        ------
        NotLeaderError
            When they were never read: only a leader works.
        """
        if self._keyring is None:
            raise NotLeaderError("the keys of the installation are not read yet")
        return self._keyring
