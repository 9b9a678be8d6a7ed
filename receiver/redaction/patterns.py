"""Secrets that are recognised by their form: headers, addresses, private keys, tokens of well-known services.

Every pattern takes time in proportion to the text, whatever stands in it: what repeats is bounded, is not given back
(`++`), or cannot begin again within what it has read.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable

from receiver.redaction.names import REDACTED, names_a_secret

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----)[\s\S])*+(?:-----END [A-Z0-9 ]{0,40}-----)?"
    r"|\A(?:[A-Za-z0-9+/=]{1,76}\s{1,2})++-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"  # its beginning was cut off
)
_HEADER = re.compile(
    r"(?i)(?<![a-z])((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)"
    r"""(\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)[^"'\\\r\n]++"""
)
_SCHEME = re.compile(r"(?i)(?<![a-z])(bearer|basic)(\s{1,4})([A-Za-z0-9._~+/-]{6,}+={0,2})(?!\*)")
_USERINFO = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}://)[^\s/?#\"'<>]{1,2048}@")
_OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]{0,60})(\s{1,4})([^\s-]\S*+)")
_ASSIGNED = re.compile(
    r"(?i)((?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|api_?-?key|access_?-?key|private_?-?key"
    r"|session_?-?(?:id|key)|signature|(?<=[?&])(?:sig|auth)|(?<![a-z])key(?==))[\w-]{0,40})"
    r"""(\\?["']?\s{0,4}(?:=>|[:=])\s{0,4})"""
    r"""("(?:[^"\\\r\n]|\\.)*+"|'(?:[^'\\\r\n]|\\.)*+'|\\?["']?(?:(?:bearer|basic)\s{1,4})?[^\s"',;&)}\]\\]++)"""
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


def hide_patterns(text: str) -> str:
    """`text` without what has the form of a secret; the names and schemes beside it stay."""
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return text


def _scheme(found: re.Match[str]) -> str:
    scheme, gap, value = found.groups()
    if scheme.lower() == "basic":
        is_secret = _holds_a_colon(value)
    else:
        is_secret = len(value) >= _LIKELY_TOKEN or not value.rstrip(".").isalpha()
    return f"{scheme}{gap}{REDACTED}" if is_secret else found[0]


def _holds_a_colon(value: str) -> bool:
    """Whether base64 text is that of a user's name and password, and no word such as `authentication`."""
    try:
        return b":" in b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except ValueError:
        return False


def _option(found: re.Match[str]) -> str:
    name, gap, _ = found.groups()
    return f"{name}{gap}{REDACTED}" if names_a_secret(name) else found[0]


def _assigned(found: re.Match[str]) -> str:
    name, between, value = found.groups()
    if not names_a_secret(name) or value.strip("\\\"'") == REDACTED:
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{between}{quote}{REDACTED}{quote}"


_REPLACEMENTS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_PRIVATE_KEY, REDACTED),
    (_HEADER, rf"\1\2{REDACTED}"),
    (_USERINFO, rf"\1{REDACTED}@"),
    (_WELL_KNOWN, REDACTED),
    (_ASSIGNED, _assigned),  # before what would take `token=` for the beginning of a token, as in `bearer token=...`
    (_SCHEME, _scheme),
    (_OPTION, _option),
)
