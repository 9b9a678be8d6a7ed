"""Name lookups that hang are waited for up to the deadline, and shared."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from exporters.deadline import Deadline
from exporters.resolver import FRESH, Address, Resolver


class HungNameServer:
    """Stands in for getaddrinfo, which cannot be made to hang without root: answers only when released."""

    def __init__(self) -> None:
        self.asked = 0
        self.release = threading.Event()

    def __call__(self, _host: str) -> list[Address]:
        self.asked += 1
        self.release.wait()
        return [(socket.AF_INET, ("192.0.2.1", 0)), (socket.AF_INET6, ("2001:db8::1", 0, 0, 0))]


def test_hung_lookup_ends_at_the_deadline() -> None:
    """A name server that does not answer costs the deadline and no more."""
    lookup = HungNameServer()
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        Resolver(lookup).resolve("qrl.example", 80, Deadline.after(0.2))
    assert 0.15 < time.monotonic() - begin < 30
    lookup.release.set()


def test_scrapes_share_a_hung_lookup() -> None:
    """Asking again while a lookup hangs starts no second one, and its late answer serves whoever waits."""
    lookup = HungNameServer()
    resolver = Resolver(lookup)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolver.resolve("qrl.example", 80, Deadline.after(0.05))
    assert lookup.asked == 1
    threading.Timer(0.05, lookup.release.set).start()
    assert resolver.resolve("qrl.example", 80, Deadline.after(5))[0] == (socket.AF_INET, ("192.0.2.1", 80))
    assert lookup.asked == 1


def test_answer_serves_the_checks_of_one_scrape() -> None:
    """All ports of a host share a lookup for a moment; after that the name is asked for anew."""
    now = 0.0
    lookup = HungNameServer()
    lookup.release.set()
    resolver = Resolver(lookup, clock=lambda: now)
    for port in (80, 443, 8000):
        assert resolver.resolve("qrl.example", port, Deadline.after(5)) == [
            (socket.AF_INET, ("192.0.2.1", port)),
            (socket.AF_INET6, ("2001:db8::1", port, 0, 0)),
        ]
    assert lookup.asked == 1
    now += FRESH
    resolver.resolve("qrl.example", 80, Deadline.after(5))
    assert lookup.asked == 2


def test_failed_lookup_is_not_remembered() -> None:
    """A name that could not be looked up is tried again by the next check."""
    answers = iter([OSError("try again"), [(socket.AF_INET, ("192.0.2.1", 0))]])

    def lookup(_host: str) -> list[Address]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    resolver = Resolver(lookup)
    with pytest.raises(OSError, match="try again"):
        resolver.resolve("qrl.example", 80, Deadline.after(5))
    assert resolver.resolve("qrl.example", 80, Deadline.after(5)) == [(socket.AF_INET, ("192.0.2.1", 80))]


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)], ids=["IPv4", "IPv6"]
)
def test_address_needs_no_lookup(host: str, family: int) -> None:
    """An address is its own answer, also while the name server hangs."""
    lookup = HungNameServer()
    assert Resolver(lookup).resolve(host, 80, Deadline.after(0.2)) == [(family, (host, 80))]
    assert lookup.asked == 0


def test_unknown_name_raises() -> None:
    """A name that the system's resolver does not know is an OSError, from the real one."""
    with pytest.raises(OSError, match=r"not known|resolution"):
        Resolver().resolve("does-not-exist.invalid", 80, Deadline.after(10))
