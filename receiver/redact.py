"""Takes secrets out of what is logged, recorded and reported, by the names of their keys."""

from __future__ import annotations

REDACTED = "***REDACTED***"
_SENSITIVE = ("password", "token", "key", "secret", "credential", "authorization", "cookie")


def redact(value: object, name: str = "") -> object:
    """`value` with everything below a sensitive key replaced; dictionaries, lists and tuples are walked."""
    if any(word in name.lower() for word in _SENSITIVE):
        return REDACTED
    if isinstance(value, dict):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    return value
