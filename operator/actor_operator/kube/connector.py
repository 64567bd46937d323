"""The pool of connections to the API server."""

from typing import TYPE_CHECKING

import aiohttp
from typing_extensions import override

from actor_operator.kube.exchange import KEEPALIVE_SECONDS

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey


class Connector(aiohttp.TCPConnector):
    """Connections without a limit; one that is given up is cut.

    aiohttp says goodbye to TLS and waits up to 30 s for the server's, after which nobody asks: a
    watch that was given up because its server is stuck would keep its connection, and so would
    a client that is closed. Nothing is lost by cutting: what is given up has had its answer, or
    will not be waited for.
    """

    def __init__(self) -> None:
        # The transport's semaphore is the limit: a call that waited here for a free connection
        # would have passed the guard long before it is sent.
        super().__init__(limit=0, keepalive_timeout=KEEPALIVE_SECONDS)

    @override
    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        if should_close or protocol.should_close:
            protocol.abort()
            should_close = True
        super()._release(key, protocol, should_close=should_close)
