"""Whatever a log holds, the labels made of it are few."""

from __future__ import annotations

import pytest

from exporters.labels import code_label, method_label


@pytest.mark.parametrize(
    ("code", "label"),
    [
        (b"200", "200"),
        (b"418", "418"),  # registered, although as a joke
        (b"499", "499"),  # nginx: the client went away
        (b"460", "460"),  # AWS: the same
        (b"520", "520"),  # Cloudflare
        (b"199", "1xx"),
        (b"299", "2xx"),
        (b"399", "3xx"),
        (b"489", "4xx"),
        (b"599", "5xx"),
        (b"000", "other"),
        (b"600", "other"),
        (b"", "other"),
        (b"20", "other"),
        (b"+20", "other"),
    ],
)
def test_code_is_itself_or_its_class(code: bytes, label: str) -> None:
    """A code that servers really send is told as it is, any other one by its class, so that errors stay errors."""
    assert code_label(code) == label


def test_codes_are_few() -> None:
    """All thousand codes of three digits give fewer than a hundred labels, errors only labels that begin with 5."""
    labels = {code: code_label(b"%03d" % code) for code in range(1000)}
    assert len(set(labels.values())) < 100
    assert {label[0] for code, label in labels.items() if 500 <= code < 600} == {"5"}
    assert not any(label.startswith("5") for code, label in labels.items() if not 500 <= code < 600)


def test_method_is_known_or_other() -> None:
    """A method is told as HTTP spells it; everything else is OTHER."""
    assert method_label(b"GET") == "GET"
    assert {method_label(name) for name in (b"get", b"PROPFIND", b"", b"\xff", b"OTHER")} == {"OTHER"}
