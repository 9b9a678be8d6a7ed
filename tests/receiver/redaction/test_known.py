"""A secret that was read is found again in whatever form it turns up."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.redaction.known import KnownSecrets
from receiver.redaction.names import REDACTED

SECRET = 'pä55 w/ord+"quoted"&more'


@pytest.fixture
def known() -> KnownSecrets:
    made = KnownSecrets()
    made.remember(SECRET.encode())
    return made


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").replace("%C3%A4", "%c3%a4").replace("%2F", "%2f").replace("%2B", "%2b"),
        quote_plus(SECRET).replace("%C3%A4", "%c3%a4").replace("%2F", "%2f").replace("%2B", "%2b"),
    ],
)
def test_every_form_is_hidden(known: KnownSecrets, form: str) -> None:
    """As it is, in JSON, and in an address, whichever characters were encoded."""
    assert known.hide(f"before {form} after") == f"before {REDACTED} after"


@given(before=st.binary(max_size=20), after=st.binary(max_size=20), url_safe=st.booleans())
def test_base64_hides_at_any_place(before: bytes, after: bytes, url_safe: bool) -> None:
    """Encoded with anything before and after it, as a user's name before a password, what is left cannot be decoded."""
    known = KnownSecrets()
    known.remember(SECRET.encode())
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    encoded = encode(before + SECRET.encode() + after).decode()

    hidden = known.hide(encoded)

    kept = hidden.replace(REDACTED, "")
    assert REDACTED in hidden
    assert len(encoded) - len(kept) >= len(SECRET.encode()) * 8 // 6 - 1


def test_nothing_else_is_touched(known: KnownSecrets) -> None:
    """Other text stays; without any secret all of it does; a value too short to be unusual is no secret."""
    assert known.hide("a word") == "a word"
    assert KnownSecrets().hide("a word") == "a word"
    known.remember(b"word")
    assert known.hide("a word") == "a word"


def test_longest_is_hidden_first() -> None:
    """Where one secret begins with another, nothing of the longer one is left."""
    known = KnownSecrets()
    for secret in (b"0123456789", b"0123456789abcdef"):
        known.remember(secret)
    assert known.hide("0123456789abcdef") == REDACTED


def test_rotated_secrets_stay_known_and_do_not_pile_up() -> None:
    """The older value of a rotated file is still hidden; after hundreds of others it is forgotten."""
    known = KnownSecrets()
    for number in range(501):
        known.remember(b"secret number %03d" % number)
    assert known.hide("secret number 500") == REDACTED
    assert known.hide("secret number 001") == REDACTED
    assert known.hide("secret number 000") == "secret number 000"


def test_it_shows_nothing_itself(known: KnownSecrets) -> None:
    """What holds the secrets does not print them."""
    assert repr(known) == "<1 secrets>"
