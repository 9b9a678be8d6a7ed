"""Probes a service over HTTP and says whether the response is the expected one."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from exporters.config import HttpCheck, http_url
from exporters.deadline import Deadline
from exporters.http_exchange import Request, Response, exchange
from exporters.outcome import Outcome, Reason
from exporters.resolver import Resolver

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


def probe_http(check: HttpCheck, resolver: Resolver, deadline: Deadline) -> Outcome:
    """Ask once and judge the answer; raises only where the check itself is at fault (a file that is gone)."""
    request = _first_request(check)
    try:
        response = _fetch(request, check.follow_redirects, resolver, deadline)
    except TimeoutError:
        return Outcome(Reason.TIMEOUT, "no complete response before the deadline")
    except ssl.SSLError as error:
        return Outcome(Reason.TLS, str(error))
    except (OSError, http.client.HTTPException) as error:
        return Outcome(Reason.CONNECTION, f"{type(error).__name__}: {error}")
    return _judge(check, response)


def _judge(check: HttpCheck, response: Response) -> Outcome:
    if response.status not in check.expected_status:
        expected = ", ".join(map(str, check.expected_status))
        return Outcome(Reason.STATUS, f"status {response.status}, expected {expected}", response.status)
    if check.body_pattern and not check.body_pattern.search(response.body.decode(errors="replace")):
        return Outcome(Reason.BODY, "the body does not match the pattern", response.status)
    return Outcome(http_status=response.status)


def _fetch(request: Request, follow_redirects: bool, resolver: Resolver, deadline: Deadline) -> Response:
    for _ in range(1 + MAX_REDIRECTS):
        response = exchange(request, resolver, deadline)
        if not follow_redirects or response.status not in _REDIRECTS or response.location is None:
            return response
        request = _redirected(request, response.status, response.location)
    raise http.client.HTTPException(f"more than {MAX_REDIRECTS} redirects")


def _first_request(check: HttpCheck) -> Request:
    url = urlsplit(check.url)
    return Request(
        method=check.method,
        url=url,
        headers=_headers(check),
        body=check.body_file.read_bytes() if check.body_file else check.body.encode(),
        tls=check.tls.context() if url.scheme == "https" else None,
        server_name=check.tls.server_name,
    )


def _headers(check: HttpCheck) -> Mapping[str, str]:
    """The headers and those kept in files, read on each probe so that a new token counts at once."""
    from_files = {name: path.read_text().strip() for name, path in check.header_files.items()}
    for name, value in from_files.items():
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"the file for header {name!r} holds more than one line of plain text")
    return check.headers | from_files


def _redirected(request: Request, status: int, location: str) -> Request:
    """The next request; what may be a credential stays with the origin that the configuration names."""
    try:
        url = urlsplit(http_url(urljoin(request.url.geturl(), location)))
    except ValueError as error:
        raise http.client.HTTPException(f"redirected to what cannot be asked: {error}") from error
    method, body = request.method, request.body
    see_other = status == HTTPStatus.SEE_OTHER or (method == "POST" and status in (301, 302))
    if see_other and method != "HEAD":
        method, body = "GET", b""
    if _origin(url) == _origin(request.url):
        return replace(request, method=method, url=url, body=body)
    tls = ssl.create_default_context() if url.scheme == "https" else None
    return Request(method, url, headers={}, body=b"", tls=tls, server_name=None)


def _origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)
