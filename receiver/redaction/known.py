"""Secrets that this process has read, so that they are found again wherever they turn up, and however encoded."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from receiver.redaction.names import REDACTED

SHORTEST = 8
"""Characters from which on a value is unusual enough to be looked for in all texts."""
_REMEMBERED = 500
"""Secrets that are remembered; of a file that is rotated every hour those of three weeks."""


class KnownSecrets:
    """Values to hide; safe for several threads."""

    def __init__(self) -> None:
        self._secrets: dict[bytes, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._one_at_a_time = threading.Lock()

    def __repr__(self) -> str:
        return f"<{len(self._secrets)} secrets>"

    def remember(self, secret: bytes) -> None:
        """Hide this value from now on; one that is too short to be told from other text is left out."""
        if secret in self._secrets or len(secret) < SHORTEST:
            return
        with self._one_at_a_time:
            kept = list(self._secrets)[1 - _REMEMBERED :]
            self._secrets = dict.fromkeys([*kept, secret])
            forms = {form for one in self._secrets for form in _forms(one)}
            # The longest first: where a secret begins with another one, all of it is hidden.
            self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))

    def hide(self, text: str) -> str:
        """`text` without the known values."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)


def _forms(secret: bytes) -> Iterator[str]:
    """How a secret may stand in a text: as it is, in JSON, in an address, in base64 at any place of a longer one."""
    text = secret.decode(errors="backslashreplace")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            yield _inside(encode(b"\0" * before + secret).decode(), before, len(secret))


def _inside(encoded: str, before: int, length: int) -> str:
    """The characters of base64 text that depend on `length` bytes after `before` others, and on nothing else."""
    return encoded[-(-before * 8 // 6) : (before + length) * 8 // 6]


known_secrets = KnownSecrets()
"""Those of this process: whoever reads a secret says so here, and everything that is told passes by here."""
