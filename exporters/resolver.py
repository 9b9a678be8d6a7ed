"""Looks host names up without waiting longer than a deadline."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from exporters.deadline import Deadline

FRESH = 1.0
"""Seconds for which an answer serves: the many checks of one host in a scrape ask once, the next scrape asks anew."""

Address = tuple[int, tuple[object, ...]]
"""Address family and socket address."""
Lookup = Callable[[str], list[Address]]


def system_lookup(host: str) -> list[Address]:
    """The addresses of `host`, with port 0, in the system's order of preference; raises OSError if there are none."""
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Resolver:
    """Runs each lookup in a thread of its own, because getaddrinfo can be neither limited nor cancelled.

    Whoever asks for a name that is being looked up waits for that same lookup,
    so a name server that hangs costs one thread a name, not one a scrape.
    """

    def __init__(self, lookup: Lookup = system_lookup, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[list[Address]]] = {}
        self._answers: dict[str, tuple[float, list[Address]]] = {}
        """The addresses of hosts, and until when they serve."""

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[Address]:
        """Addresses of `host`; raises OSError if it has none and TimeoutError at the deadline."""
        if (family := _family_if_numeric(host)) is not None:
            return [(family, (host, port))]
        found = self._known(host) or self._start_or_join(host).result(timeout=deadline.remaining())
        return [(family, (address[0], port, *address[2:])) for family, address in found]

    def _known(self, host: str) -> list[Address] | None:
        with self._lock:
            until, addresses = self._answers.get(host, (0.0, []))
        return addresses if self._clock() < until else None

    def _start_or_join(self, host: str) -> Future[list[Address]]:
        with self._lock:
            running = self._running.get(host)
            if running is None:
                running = self._running[host] = Future()
                threading.Thread(target=self._run, args=(host, running), name=f"resolve {host}", daemon=True).start()
            return running

    def _run(self, host: str, answer: Future[list[Address]]) -> None:
        try:
            found = self._lookup(host)
        except Exception as error:  # handed to whoever waits
            self._ended(host, [])
            answer.set_exception(error)
        else:
            self._ended(host, found)
            answer.set_result(found)

    def _ended(self, host: str, found: list[Address]) -> None:
        now = self._clock()
        with self._lock:
            del self._running[host]
            # Where a target redirects to is its own choice, so what is old must not add up.
            self._answers = {name: answer for name, answer in self._answers.items() if now < answer[0]}
            if found:
                self._answers[host] = (now + FRESH, found)


def _family_if_numeric(host: str) -> int | None:
    """The family of an address, for which nobody needs to be asked; None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None
