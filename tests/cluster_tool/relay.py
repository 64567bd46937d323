"""Relay from ports of 127.0.0.1 into a host's network, which nothing else can reach.

Started as a script, with the standard library only. The sockets are opened in the machine's
network before the process moves into the host's: from then on it accepts in one and connects in
the other.

Arguments: process id of the host, then `port=address:port` for each port to relay.
Prints `ready` when all ports listen.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
import sys

_CLONE_NEWNET = 0x40000000
_CHUNK = 1 << 16
_BACKLOG = 512


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(_BACKLOG)
    return server


def enter_network(pid: int) -> None:
    """Move this process into the network namespace of another one."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"setns into the network of {pid}: {os.strerror(code)}")
    finally:
        os.close(descriptor)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end, then close that direction only."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int
) -> None:
    """One connection; it is closed when the target refuses or both directions have ended."""
    try:
        target_reader, target_writer = await asyncio.open_connection(address, port)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(copy(reader, target_writer), copy(target_reader, writer))
    finally:
        target_writer.close()
        writer.close()


async def serve(servers: list[tuple[socket.socket, str, int]]) -> None:
    """Relay until the process is ended."""
    for server, address, port in servers:

        async def handle(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            address: str = address,
            port: int = port,
        ) -> None:
            await relay(reader, writer, address, port)

        await asyncio.start_server(handle, sock=server, limit=_CHUNK)
    os.write(1, b"ready\n")
    os.dup2(2, 1)
    await asyncio.Event().wait()


def main(pid: int, mappings: list[str]) -> None:
    """Open all ports, move, relay."""
    servers = []
    for mapping in mappings:
        port, _, target = mapping.partition("=")
        address, _, target_port = target.rpartition(":")
        servers.append((listen(int(port)), address, int(target_port)))
    enter_network(pid)
    asyncio.run(serve(servers))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
