"""Maps what a log says of method and status to label values, of which there are few whatever the log holds."""

from __future__ import annotations

from http import HTTPStatus

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
OTHER_METHOD = "OTHER"
OTHER_CODE = "other"

# What is no registered status, and yet sent or logged by servers that many have in front of their services.
_OF_NGINX = (444, 494, 495, 496, 497, 499)
_OF_AWS_LOAD_BALANCERS = (460, 463, 464, 561)
_OF_CLOUDFLARE = (*range(520, 528), 530)
CODES = frozenset({*map(int, HTTPStatus), *_OF_NGINX, *_OF_AWS_LOAD_BALANCERS, *_OF_CLOUDFLARE})
"""Status codes that are a label value of their own."""

_METHOD_LABELS = {name.encode(): name for name in METHODS}
_CODE_LABELS = {
    str(code).encode(): str(code) if code in CODES else f"{code // 100}xx"  # so that code=~"5.." finds all errors
    for code in range(100, 600)
}


def method_label(name: bytes) -> str:
    """The method, or OTHER for one that HTTP does not define."""
    return _METHOD_LABELS.get(name, OTHER_METHOD)


def code_label(code: bytes) -> str:
    """The status code, its class (`5xx`) if it is not one of CODES, `other` outside 100 to 599."""
    return _CODE_LABELS.get(code, OTHER_CODE)
