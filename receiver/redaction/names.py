"""Which names say that a secret stands beside them: those of the operations guide and their kin."""

from __future__ import annotations

import re

REDACTED = "***REDACTED***"

_LONGEST = 200
"""A name is not longer; of a longer text only the beginning is looked at."""
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ANYWHERE = (
    "password", "passwd", "passphrase", "secret", "token", "credential", "authorization", "cookie", "apikey",
)  # fmt: skip
_WHOLE = frozenset({"key", "keys", "pwd", "pass", "auth", "bearer", "jwt", "otp", "sessionid", "sig", "signature"})
_COMPOUND_KEY = re.compile(r"(?:access|private|ssh|signing|encryption|master|session|auth|shared|licen[cs]e)keys?")
_ONLY_TELL_WHERE = frozenset({"file", "files", "path", "paths", "dir", "directory"})
"""`token_file` says where a secret is, which helps a person and opens nothing."""


def names_a_secret(name: str) -> bool:
    """Whether what stands beside `name` is to be hidden: `DB_PASSWORD`, `apiKey`, `key`; not `keyword`, `token_file`.

    Of a series (`deployment:database:ratio{service="token"}`) only the name counts, not its labels.
    """
    words = [word.lower() for word in _WORDS.findall(name[:_LONGEST].partition("{")[0])]
    if not words or words[-1] in _ONLY_TELL_WHERE or words[:2] == ["public", "key"]:
        return False
    if any(word in _WHOLE or _COMPOUND_KEY.fullmatch(word) for word in words):
        return True
    joined = "".join(words)
    return any(part in joined for part in _ANYWHERE)
