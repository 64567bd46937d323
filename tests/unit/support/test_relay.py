"""The relay passes bytes on, and cuts."""

import socket
import threading
from collections.abc import Iterator

import pytest
from tests.support.relay import Relay


@pytest.fixture
def echo() -> Iterator[str]:
    """URL of a server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(100):
                connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{server.getsockname()[1]}"
    thread.join(timeout=5)
    server.close()


def test_bytes_go_there_and_back_until_the_connection_is_cut(echo: str) -> None:
    with Relay(echo) as relay:
        port = int(relay.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"
            assert relay.connections == 1

            assert relay.cut() == 1

            assert client.recv(100) == b""
