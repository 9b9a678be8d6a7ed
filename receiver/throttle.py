"""Counts failed sign-ins, so that nobody guesses a password by trying."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

LIMIT = 10
"""Failures within WINDOW after which nothing more is tried: from one address, or for one name."""
WINDOW = 60.0
_KEYS = 10_000
"""How many addresses and names are kept in mind; the one that failed longest ago is forgotten first."""

T = TypeVar("T")
Key = tuple[Literal["address", "name", "both"], str]


class Throttled(Exception):
    """Too many attempts failed; the next is looked at in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many attempts failed; try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, which counts as failed until it is said to have succeeded."""

    at: float
    keys: tuple[Key, ...]


class Throttle:
    """Failures of the last minute, in memory; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._known: OrderedDict[Key, None] = OrderedDict()

    def begin(self, address: str, name: str) -> Attempt:
        """Count an attempt to sign in as `name` from `address`; raises Throttled where none may be made now.

        Who has signed in from there before is held to the failures of that name from that address alone: a stranger's
        guesses must not lock the on-call out.
        """
        network = _network(address)
        both: Key = ("both", f"{network} {name}")
        keys: tuple[Key, ...] = (both, ("address", network), ("name", name))
        now = self._clock()
        with self._lock:
            held_to = keys[:1] if both in self._known else keys
            wait = max(self._wait(key, now) for key in held_to)
            if wait > 0:
                raise Throttled(math.ceil(wait))
            # It counts before it is known to have failed, or as many could be made at once as there are threads.
            for key in keys:
                self._failures.setdefault(key, deque(maxlen=LIMIT)).append(now)
                _keep_newest(self._failures, key)
        return Attempt(now, keys)

    def succeeded(self, attempt: Attempt) -> None:
        """Take the attempt back, and keep in mind that this name signs in from there."""
        with self._lock:
            for key in attempt.keys:
                failures = self._failures.get(key, deque())
                if attempt.at in failures:
                    failures.remove(attempt.at)
            self._known[attempt.keys[0]] = None
            _keep_newest(self._known, attempt.keys[0])

    def _wait(self, key: Key, now: float) -> float:
        recent = [at for at in self._failures.get(key, ()) if now - at < WINDOW]
        return recent[0] + WINDOW - now if len(recent) >= LIMIT else 0.0


def _keep_newest(kept: OrderedDict[Key, T], key: Key) -> None:
    kept.move_to_end(key)
    while len(kept) > _KEYS:
        kept.popitem(last=False)


def _network(address: str) -> str:
    """The address, or of IPv6 the network, whose every address belongs to one subscriber."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
