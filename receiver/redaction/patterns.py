"""Secrets that are recognised by their form: headers, addresses, private keys, tokens of well-known services.

Every pattern takes time in proportion to the text, whatever stands in it: what repeats is bounded, is not given back
(`++`), or cannot begin again within what it has read.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from functools import lru_cache, partial

from receiver.redaction.names import REDACTED, names_a_secret

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----)[\s\S])*+(?:-----END [A-Z0-9 ]{0,40}-----)?"
    r"|\A(?:[A-Za-z0-9+/=]{1,76}\s{1,2})++-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"  # its beginning was cut off
)
_HEADER = re.compile(
    r"(?i)(?<![a-z])((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)"
    r"""(\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)[^"'\\\r\n]++"""
)
_SCHEME = re.compile(r"(?i)(?<![a-z])(bearer|basic)\s{1,4}")
_CREDENTIALS = re.compile(r"[A-Za-z0-9._~+/-]{6,}+={0,2}(?!\*)")
_USERINFO = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}://)[^\s/?#\"'<>]{1,2048}@")
_OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]{0,60})\s{1,4}")
_OF_OPTION = re.compile(r"[^\s-]\S*+")
_ASSIGNED = re.compile(
    r"(?i)((?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|api_?-?key|access_?-?key|private_?-?key"
    r"|session_?-?(?:id|key)|signature|(?<=[?&])(?:sig|auth)|(?<![a-z])key(?==))[\w-]{0,40})"
    r"""\\?["']?\s{0,4}(?:=>|[:=])\s{0,4}"""
)
_VALUE = re.compile(
    r"""(?i)"(?:[^"\\\r\n]|\\.)*+"|'(?:[^'\\\r\n]|\\.)*+'|\\?["']?(?:(?:bearer|basic)\s{1,4})?[^\s"',;&)}\]\\]++"""
)
_WELL_KNOWN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"  # JSON web token
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # Amazon
    r"|gh[oprsu]_[A-Za-z0-9]{36,}+|github_pat_[A-Za-z0-9_]{22,}+"
    r"|gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_.-]{20,}+"  # GitLab
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}+|xapp-[A-Za-z0-9-]{10,}+"  # Slack
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}+"  # Stripe
    r"|AIza[A-Za-z0-9_-]{35}"  # Google
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}+|sk-[A-Za-z0-9_-]{20,}+|hv[bs]\.[A-Za-z0-9_-]{20,}+"
    r")|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"  # bcrypt
    r"|(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{10,}+"
)
_LIKELY_TOKEN = 20
"""Letters from which on a word behind `Bearer` is no English one."""


_SHORT = 100
"""Characters of a text that is remembered with what was found in it: names and labels come again and again."""


def hide_patterns(text: str) -> str:
    """`text` without what has the form of a secret; the names and schemes beside it stay."""
    return _hide_again(text) if len(text) <= _SHORT else _hide(text)


def _hide(text: str) -> str:
    for hide in _HIDING:
        text = hide(text)
    return text


_hide_again = lru_cache(maxsize=2048)(_hide)


def _hide_assigned(text: str) -> str:
    """Hide what is assigned to a secret's name, also within what is assigned to another: `token_file= password=x`.

    Of the latter nothing beyond its end is looked at: what follows `token_file: /etc/token:` is no secret.
    """
    shown: list[str] = []
    begin = at = 0
    end: int | None = None
    while at < len(text):
        found = _ASSIGNED.search(text, at, len(text) if end is None else end)
        if found is None:
            at, end = len(text) if end is None else end, None
            continue
        at = found.end()
        is_secret = names_a_secret(found[1])
        if not is_secret and end is not None:
            continue  # each value is read once, however many names there are in it
        value = _VALUE.match(text, at, len(text) if end is None else end)
        if value is None:
            continue
        if not is_secret:
            end = value.end()
            continue
        if value[0].strip("\\\"'") != REDACTED:
            quote = value[0][0] if value[0][0] in "\"'" else ""
            shown += text[begin:at], quote, REDACTED, quote
            begin = value.end()
        at = value.end()
    return "".join((*shown, text[begin:]))


def _hide_credentials(text: str) -> str:
    return _hide_behind(text, _SCHEME, _CREDENTIALS, _is_credential)


def _hide_options(text: str) -> str:
    return _hide_behind(text, _OPTION, _OF_OPTION, lambda option, _: names_a_secret(option))


def _hide_behind(
    text: str, name: re.Pattern[str], value: re.Pattern[str], is_secret: Callable[[str, str], bool]
) -> str:
    """Hide each value behind a name for which `is_secret`; one that is none is read on, as it may be a name itself."""
    shown: list[str] = []
    begin = at = 0
    while found := name.search(text, at):
        at = found.end()
        behind = value.match(text, at)
        if behind is not None and is_secret(found[1], behind[0]):
            shown += text[begin:at], REDACTED
            begin = at = behind.end()
    return "".join((*shown, text[begin:]))


def _is_credential(scheme: str, value: str) -> bool:
    if scheme.lower() == "basic":
        return _holds_a_colon(value)
    return len(value) >= _LIKELY_TOKEN or not value.rstrip(".").isalpha()


def _holds_a_colon(value: str) -> bool:
    """Whether base64 text is that of a user's name and password, and no word such as `authentication`."""
    try:
        return b":" in b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except ValueError:
        return False


_HIDING: tuple[Callable[[str], str], ...] = (
    partial(_PRIVATE_KEY.sub, REDACTED),
    partial(_HEADER.sub, rf"\1\2{REDACTED}"),
    partial(_USERINFO.sub, rf"\1{REDACTED}@"),
    partial(_WELL_KNOWN.sub, REDACTED),
    _hide_assigned,  # before what would take `token=` for the beginning of a token, as in `bearer token=...`
    _hide_credentials,
    _hide_options,
)
