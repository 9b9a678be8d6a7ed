"""Takes secrets out of all that is logged, recorded, shown and reported: by name, by known value, by form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from receiver.redaction.known import known_secrets
from receiver.redaction.names import REDACTED, names_a_secret
from receiver.redaction.patterns import hide_patterns

_DEEPEST = 32
_TOO_DEEP = "(nested too deeply to be shown)"


def redact(value: object, name: str = "") -> object:
    """`value` without secrets, as what JSON knows; never raises, and leaves what was given as it is.

    Below a name that says so everything is replaced; mappings and sequences are walked; all else becomes text.
    """
    return _redact(value, name, ())


def redact_text(text: str) -> str:
    """`text` without the secrets that this process has read and without what has the form of one."""
    return hide_patterns(known_secrets.hide(text))


def _redact(value: object, name: str, above: tuple[int, ...]) -> object:
    if name and names_a_secret(name):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _inside(value, above)
    return redact_text(value if isinstance(value, str) else _text(value))


def _inside(value: Mapping[object, object] | Iterable[object], above: tuple[int, ...]) -> object:
    if id(value) in above or len(above) == _DEEPEST:
        return _TOO_DEEP
    above = (*above, id(value))
    if isinstance(value, Mapping):
        texts = {(key if isinstance(key, str) else _text(key)): inner for key, inner in value.items()}
        return {redact_text(key): _redact(inner, key, above) for key, inner in texts.items()}
    return list(_items(value, above))


def _items(values: Iterable[object], above: tuple[int, ...]) -> Iterator[object]:
    """The items; what follows an option such as `--password` is its value."""
    option = ""
    for value in values:
        yield _redact(value, option, above)
        is_option = isinstance(value, str) and value.startswith("-") and "=" not in value
        option = str(value) if is_option else ""


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    try:
        return str(value)
    except Exception as error:  # whatever a foreign __str__ does, the line that tells of it is written
        return f"(a {type(value).__name__} that cannot be shown: {type(error).__name__})"
