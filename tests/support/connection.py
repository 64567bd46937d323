"""How clients of ours reach the API server of the integration level."""

from tests.support.apiserver import ApiServer

from actor_operator.kube.credentials import Connection


def connection_to(server: ApiServer) -> Connection:
    """A connection without TLS; with the server's token, if it wants one."""
    header = f"Bearer {server.token}" if server.token else None
    return Connection(
        url=server.url,
        ssl=False,
        namespace="default",
        authorization=lambda: header,
        reload=lambda: connection_to(server),
    )
