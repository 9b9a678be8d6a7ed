"""The load generator counts what its users really met."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from demo.load import USERS, Load
from demo.processes import free_port, wait_until


class Shop(ThreadingHTTPServer):
    """Answers 503 to users whose number ends in 7, and remembers who came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[str] = []
        self.refused = 0


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        user = self.headers["X-User"]
        self.server.came.append(user)
        self.server.refused += user.endswith("7")
        self.send_response(503 if user.endswith("7") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A real HTTP server on a free port."""
    server = Shop()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_request_is_counted_as_what_the_user_met(shop: Shop) -> None:
    """The server's own tally of requests and refusals is the generator's."""
    with Load([("shop", lambda: f"http://127.0.0.1:{shop.server_port}/")], rate=200) as load:
        assert wait_until(lambda: shop.refused >= 10, 60)
    met = load.between(0, time.time() + 1)
    assert len(met) == len(shop.came)
    assert sum(request.failed for request in met) == shop.refused
    assert {request.status for request in met} == {200, 503}
    assert set(shop.came) <= set(USERS)


def test_users_come_in_turn(shop: Shop) -> None:
    """Nobody comes again before everybody has come, so a share of the users is a share of the requests."""
    with Load([("shop", lambda: f"http://127.0.0.1:{shop.server_port}/")], rate=400):
        assert wait_until(lambda: len(shop.came) >= len(USERS), 30)
    assert len(set(shop.came[: len(USERS)])) >= len(USERS) - 12, "no more than the workers can overtake each other"


def test_it_keeps_its_rate(shop: Shop) -> None:
    """In two seconds at 20 requests a second about 40 come."""
    with Load([("shop", lambda: f"http://127.0.0.1:{shop.server_port}/")], rate=20):
        time.sleep(2)
    assert 35 <= len(shop.came) <= 45


def test_nobody_listening_is_a_failure() -> None:
    """A refused connection counts as failed and has no status."""
    port = free_port()
    with Load([("shop", lambda: f"http://127.0.0.1:{port}/")], rate=50) as load:
        assert wait_until(lambda: bool(load.between(0, time.time() + 1)), 60)
        assert load.failed_share(60) == 1.0
    assert {request.status for request in load.between(0, time.time() + 1)} == {None}


def test_requests_are_found_by_when_they_ended(shop: Shop) -> None:
    """`between` takes its start and leaves out its end, so two periods that touch share no request."""
    with Load([("shop", lambda: f"http://127.0.0.1:{shop.server_port}/")], rate=100) as load:
        assert wait_until(lambda: len(load.between(0, time.time() + 1)) >= 20, 60)
    everything = load.between(0, time.time() + 1)
    middle = everything[len(everything) // 2].at
    assert len(load.between(0, middle)) + len(load.between(middle, time.time() + 1)) == len(everything)
    assert middle in {request.at for request in load.between(middle, middle + 0.001)}
