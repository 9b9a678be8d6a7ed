"""Looks host names up without waiting longer than a deadline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future

from exporters.deadline import Deadline

Address = tuple[int, tuple[object, ...]]
"""Address family and socket address."""
Lookup = Callable[[str, int], list[Address]]


def system_lookup(host: str, port: int) -> list[Address]:
    """The addresses of `host` in the system's order of preference; raises OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """Runs each lookup in a thread of its own, because getaddrinfo can be neither limited nor cancelled.

    Whoever asks for a name that is being looked up waits for that same lookup,
    so a name server that hangs costs one thread a name, not one a scrape.
    """

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], Future[list[Address]]] = {}

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """Addresses of `host`; raises OSError if it has none and TimeoutError at the deadline."""
        return self._start_or_join(host, port).result(timeout=deadline.remaining())

    def _start_or_join(self, host: str, port: int) -> Future[list[Address]]:
        with self._lock:
            running = self._running.get((host, port))
            if running is None:
                running = self._running[host, port] = Future()
                threading.Thread(
                    target=self._run, args=(host, port, running), name=f"resolve {host}", daemon=True
                ).start()
            return running

    def _run(self, host: str, port: int, answer: Future[list[Address]]) -> None:
        try:
            found = self._lookup(host, port)
        except Exception as error:  # handed to whoever waits
            self._forget(host, port)
            answer.set_exception(error)
        else:
            self._forget(host, port)
            answer.set_result(found)

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            del self._running[host, port]
