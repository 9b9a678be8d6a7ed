"""HTTP checks against real servers: good ones, wrong ones, and ones that hang at every step."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from exporters.config import HttpCheck
from exporters.deadline import Deadline
from exporters.http_check import probe_http
from exporters.http_exchange import MAX_BODY
from exporters.outcome import Outcome, Reason
from exporters.resolver import Resolver
from tests.exporters.servers import Talk, WebServer, raw_server


def probe(url: str, seconds: float = 5.0, **options: Any) -> Outcome:
    return probe_http(HttpCheck(url=url, **options), Resolver(), Deadline.after(seconds))


def drip(connection: socket.socket, done: threading.Event, data: bytes) -> None:
    """Send a byte every 50 ms."""
    for byte in data:
        if done.wait(0.05):
            return
        connection.sendall(bytes([byte]))


def never_answers(_connection: socket.socket, done: threading.Event) -> None:
    done.wait()


def drips_headers(connection: socket.socket, done: threading.Event) -> None:
    connection.recv(4096)
    drip(connection, done, b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 100)


def drips_body(connection: socket.socket, done: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(connection, done, b"x" * 1000)


def drips_chunks(connection: socket.socket, done: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, done, b"1\r\nx\r\n" * 200)


def continues_for_ever(connection: socket.socket, done: threading.Event) -> None:
    connection.recv(4096)
    drip(connection, done, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@pytest.mark.parametrize(
    "talk",
    [never_answers, drips_headers, drips_body, drips_chunks, continues_for_ever],
    ids=lambda t: t.__name__,
)
def test_hung_server_is_cut_off_at_the_deadline(talk: Talk) -> None:
    """A server that hangs, or that keeps sending but never ends, costs the deadline and no more."""
    with raw_server(talk) as url:
        begin = time.monotonic()
        outcome = probe(url, seconds=0.5)
        took = time.monotonic() - begin
    assert outcome.failure is Reason.TIMEOUT
    assert 0.45 < took < 30


def test_connect_that_hangs_is_cut_off_at_the_deadline() -> None:
    """A connection that is never accepted (a full backlog) costs the deadline and no more."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            begin = time.monotonic()
            outcome = probe(f"http://127.0.0.1:{address[1]}/", seconds=0.5)
            took = time.monotonic() - begin
        finally:
            for filler in fillers:
                filler.close()
    assert outcome.failure is Reason.TIMEOUT
    assert 0.45 < took < 30


def test_expected_answer_succeeds(web_server: WebServer) -> None:
    """A 200 whose body matches is a success that carries its status."""
    assert probe(web_server.url, body_pattern="wel.ome") == Outcome(http_status=200)


def test_request_is_sent_as_configured(web_server: WebServer, tmp_path: Path) -> None:
    """Method, path, query, body and headers arrive as they are configured, those of files included."""
    (tmp_path / "token").write_text("Bearer geheim\n")
    outcome = probe(
        f"{web_server.url}/login?try=1",
        method="POST",
        headers={"Content-Type": "application/json", "user-agent": "me"},
        header_files={"Authorization": tmp_path / "token"},
        body='{"user": "selftest"}',
    )
    assert outcome.failure is None
    [(method, path, headers, body)] = web_server.requests
    assert (method, path, body) == ("POST", "/login?try=1", b'{"user": "selftest"}')
    assert headers == {
        "Host": f"127.0.0.1:{web_server.port}",
        "Accept": "*/*",
        "Connection": "close",
        "Content-Length": "20",
        "Content-Type": "application/json",
        "user-agent": "me",
        "Authorization": "Bearer geheim",
    }


def test_other_status_fails_by_status(web_server: WebServer) -> None:
    """A status that is not expected fails, is carried along, and a list of expected ones is honoured."""
    outcome = probe(f"{web_server.url}/status/500")
    assert (outcome.failure, outcome.http_status) == (Reason.STATUS, 500)
    assert probe(f"{web_server.url}/status/401", expected_status=[401, 403]).failure is None


def test_other_body_fails_by_body(web_server: WebServer) -> None:
    """A body without the pattern fails although the status is right."""
    outcome = probe(web_server.url, body_pattern="^goodbye")
    assert (outcome.failure, outcome.http_status) == (Reason.BODY, 200)


def test_body_is_read_up_to_the_cap(web_server: WebServer) -> None:
    """What stands behind the first MiB of a body is not looked at."""
    assert probe(f"{web_server.url}/big", body_pattern=f"^x{{{MAX_BODY}}}$").failure is None
    assert probe(f"{web_server.url}/big", body_pattern="the end").failure is Reason.BODY


def test_endless_response_is_broken_off() -> None:
    """A chunk of size -1, which http.client reads to the end of the stream, is broken off at the cap."""

    def floods(connection: socket.socket, done: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        while not done.is_set():
            connection.sendall(b"x" * 65536)

    with raw_server(floods) as url:
        outcome = probe(url, seconds=20)
    assert outcome.failure is Reason.CONNECTION
    assert "larger than" in outcome.detail


def test_body_that_breaks_off_fails() -> None:
    """A body shorter than its Content-Length is no success."""

    def breaks_off(connection: socket.socket, _done: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    with raw_server(breaks_off) as url:
        assert probe(url).failure is Reason.CONNECTION


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100])
def test_server_that_speaks_no_http_fails_by_connection(answer: bytes) -> None:
    """A server that closes at once, or that speaks something else, fails by connection."""

    def speaks(connection: socket.socket, _done: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with raw_server(speaks) as url:
        outcome = probe(url)
    assert (outcome.failure, outcome.http_status) == (Reason.CONNECTION, 0)


def test_closed_port_fails_by_connection() -> None:
    """Nobody listening fails by connection, with status 0."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = probe(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (outcome.failure, outcome.http_status) == (Reason.CONNECTION, 0)


def test_proxy_of_the_environment_is_not_used(web_server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy variable does not come between the probe and its target."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert probe(web_server.url).failure is None


def test_token_file_that_is_gone_is_the_fault_of_the_check(web_server: WebServer, tmp_path: Path) -> None:
    """A header file that vanished after the start raises, so that it is no fault of the connection."""
    token = tmp_path / "token"
    token.write_text("secret")
    check = HttpCheck(url=web_server.url, header_files={"Authorization": token})
    token.unlink()
    with pytest.raises(FileNotFoundError):
        probe_http(check, Resolver(), Deadline.after(5))


def test_redirect_is_an_answer_like_any_other(web_server: WebServer) -> None:
    """Redirects are not followed unless that is configured."""
    url = f"{web_server.url}/to/302?/status/500"
    assert probe(url).http_status == 302
    assert probe(url, expected_status=[302]).failure is None
    assert len(web_server.requests) == 2


def test_redirect_is_followed_if_configured(web_server: WebServer) -> None:
    """A followed POST becomes a GET without body after 302 and stays what it was after 307."""
    for status, method, body in ((302, "GET", b""), (307, "POST", b"data")):
        url = f"{web_server.url}/to/{status}?/there"
        assert probe(url, method="POST", body="data", follow_redirects=True).failure is None
        assert (web_server.requests[-1][0], web_server.requests[-1][3]) == (method, body)


def test_credentials_do_not_follow_to_another_origin(web_server: WebServer) -> None:
    """A redirect to another host or port carries neither the configured headers nor the body."""
    elsewhere = WebServer()
    try:
        url = f"{web_server.url}/to/307?{elsewhere.url}/trap"
        outcome = probe(
            url,
            method="POST",
            body="password",
            headers={"Authorization": "Bearer geheim"},
            follow_redirects=True,
        )
        [(_, path, headers, body)] = elsewhere.requests
    finally:
        elsewhere.stop()
    assert (outcome.failure, path, body) == (None, "/trap", b"")
    assert "Authorization" not in headers


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://me:x@127.0.0.1/", "http://h:99999/", "http://[/"])
def test_redirect_to_what_cannot_be_asked_fails(web_server: WebServer, location: str) -> None:
    """A redirect to a file, with a password or to no address fails by connection: it is the target's fault."""
    outcome = probe(f"{web_server.url}/to/302?{location}", follow_redirects=True)
    assert outcome.failure is Reason.CONNECTION
    assert len(web_server.requests) == 1


def test_redirect_loop_fails(web_server: WebServer) -> None:
    """A loop ends after five redirects."""
    loop = probe(f"{web_server.url}/loop", follow_redirects=True)
    assert (loop.failure, len(web_server.requests)) == (Reason.CONNECTION, 6)
    assert "5 redirects" in loop.detail
