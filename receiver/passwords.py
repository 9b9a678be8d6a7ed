"""Checks a user's password against its bcrypt hash, as dearly for an unknown user, and not too often in vain."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

import bcrypt

from receiver.throttle import Throttle

_REMEMBERED = 100
_NOBODY = "." * 53
"""Salt and digest of a password that nobody has."""


class Passwords:
    """The users of one web configuration file; `clock` is monotonic seconds."""

    def __init__(self, hashes: Mapping[str, str], clock: Callable[[], float]) -> None:
        self._hashes = dict(hashes)
        cost = max((hash_[4:6] for hash_ in self._hashes.values()), default="04")
        self._unknown = f"$2b${cost}${_NOBODY}"
        self._throttle = Throttle(clock)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, None] = OrderedDict()

    def check(self, name: str, password: str, address: str) -> bool:
        """Whether it is the user's; raises Throttled after too many wrong ones from `address` or for `name`."""
        if not self._hashes:
            return False
        attempt = self._throttle.begin(address, name)
        is_right = self._is_right(name, password.encode(errors="surrogatepass"))
        if is_right:
            self._throttle.succeeded(attempt)
        return is_right

    def _is_right(self, name: str, password: bytes) -> bool:
        hash_ = self._hashes.get(name, self._unknown)
        seen = self._fingerprint(name, hash_, password)
        with self._lock:
            if seen in self._verified:
                return True
        # bcrypt knows 72 bytes, and one that is longer is cut, as htpasswd does, but never right by that.
        is_right = bcrypt.checkpw(password[:72], hash_.encode()) and len(password) <= 72 and name in self._hashes
        if is_right:
            self._remember(seen)
        return is_right

    def _remember(self, seen: bytes) -> None:
        # A scrape each 15 s would otherwise cost a tenth of a second of bcrypt each time.
        with self._lock:
            self._verified[seen] = None
            while len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)

    def _fingerprint(self, name: str, hash_: str, password: bytes) -> bytes:
        text = b"\0".join((name.encode(errors="surrogatepass"), hash_.encode(), password))
        return hmac.digest(self._key, text, hashlib.sha256)
