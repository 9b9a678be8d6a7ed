"""Posts one request over and over: as fast as so many clients can, or at a rate that waits for no answer."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

TIMEOUT = 30.0


class Client:
    """One connection that is kept, as Alertmanager keeps it; costs far less than what it measures."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port, self._request = port, request
        self._connect()

    def _connect(self) -> None:
        self._connection = socket.create_connection(("127.0.0.1", self._port), TIMEOUT)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self) -> int:
        """Post once; returns the status of the answer, which is read to its end."""
        self._connection.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        head = head.lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._receive()
        if b"\r\nconnection: close" in head:
            self.close()
            self._connect()
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def _receive(self) -> bytes:
        received = self._connection.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


def request_of(body: bytes, token: str) -> bytes:
    """A notification as Alertmanager posts it."""
    head = (
        "POST /api/v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Alertmanager/0.25.0\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def rate(port: int, request: bytes, clients: int, each: int) -> float:
    """Answers a second to `clients` that each post again as soon as they are answered; raises unless all are 202."""
    connections = [Client(port, request) for _ in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(_post, connections, itertools.repeat(1)))  # what is done once is not counted
        began = time.perf_counter()
        list(pool.map(_post, connections, itertools.repeat(each)))
        seconds = time.perf_counter() - began
    for client in connections:
        client.close()
    return clients * each / seconds


def latencies(port: int, request: bytes, a_second: float, seconds: float, connections: int = 32) -> list[float]:
    """Seconds from when each request was due to the end of its answer, sorted.

    Requests are due at a fixed rate, whether or not earlier ones are answered: a server that stalls has all of them.
    """
    numbers = itertools.count()
    began = time.perf_counter() + 0.2
    total = int(a_second * seconds)

    def work(client: Client) -> Sequence[float]:
        taken = []
        while (number := next(numbers)) < total:
            due = began + number / a_second
            time.sleep(max(due - time.perf_counter(), 0))
            _post(client, 1)
            taken.append(time.perf_counter() - due)
        client.close()
        return taken

    with ThreadPoolExecutor(connections) as pool:
        clients = [Client(port, request) for _ in range(connections)]
        return sorted(itertools.chain.from_iterable(pool.map(work, clients)))


def _post(client: Client, times: int) -> None:
    for _ in range(times):
        status = client.post()
        if status != 202:
            raise RuntimeError(f"a notification was answered {status}, and 202 is expected")
