"""What is told: no secret that was planted in it survives, and what comes out is what JSON knows."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

from receiver.redact import redact, redact_text
from receiver.redaction.known import known_secrets
from tests.fuzz.structure import Source, as_text

WORDS = (
    "password", "DB_PASSWORD", "token_file", "api_key", "Authorization", "--token", "-p", "key", "cookie", "keyword",
    "password=", "secret: ", "Bearer ", "Basic ", "://", "@", '"', "'", "\\", "-----BEGIN PRIVATE KEY-----", "eyJ",
    "AKIAABCDEFGHIJKLMNOP", "***REDACTED***", "\n", "=>", "?sig=",
)  # fmt: skip

KNOWN = 'It is "known" /&+ \u2713 to this process'
UNKNOWN = "Zx9-known-by-its-place-alone"
known_secrets.remember(KNOWN.encode())
FORMS = (KNOWN, json.dumps(KNOWN)[1:-1], quote(KNOWN, safe=""), b64encode(KNOWN.encode()).decode())
"""How a secret that was read may stand in a text; see receiver/redaction/known.py."""


def check(data: bytes, _: Path) -> None:
    """The first byte says where in the text and in which form the known secret stands."""
    source = Source(data, WORDS)
    where, value, text = source.byte(), source.value(), as_text(source.rest())
    if UNKNOWN in text or UNKNOWN in str(value):
        return
    _check_text(text, where)
    told = {"fuzzed": value, "DB_PASSWORD": UNKNOWN, "argv": ["/bin/x", text, "--token", UNKNOWN], text: KNOWN}
    shown = json.dumps(redact(told))
    for secret in (UNKNOWN, *FORMS):
        assert secret not in shown, (secret, shown)


def _check_text(text: str, where: int) -> None:
    form = FORMS[where % len(FORMS)]
    at = len(text) * where // 255
    shown = redact_text(f"{text[:at]}{form}{text[at:]}")
    assert not [form for form in FORMS if form in shown], shown
    for line in (f"{text[:at]} password={UNKNOWN} {text[at:]}", f"{text[:at]} https://u:{UNKNOWN}@host/{text[at:]}"):
        assert UNKNOWN not in redact_text(line), redact_text(line)
    json.dumps(shown)
