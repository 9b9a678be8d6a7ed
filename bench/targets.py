"""Serves a small page on many ports, as the targets of health probes: `python -m bench.targets COUNT`."""

from __future__ import annotations

import asyncio
import sys

PAGE = b"welcome to the lattice"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: bench\r\nContent-Length: %d\r\n\r\n%s" % (
    len(PAGE),
    PAGE,
)


class Target(asyncio.Protocol):
    """Answers each request with the page, and closes the connection where that is asked for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER)
        if b"connection: close" in data.lower():
            self._transport.close()


async def serve(count: int) -> None:
    """Listen on `count` free ports and print them in one line; returns never."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Target, "127.0.0.1", 0) for _ in range(count)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
