"""Gives the sample deployment its users: a steady stream of requests, each remembered with how it went."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import requests

from demo.places import Ports

USERS = tuple(f"user-{number:03d}" for number in range(1, 401))
_TIMEOUT = 3.0
_WORKERS = 12


@dataclass(frozen=True, slots=True)
class Request:
    """One request and how it went; `at` is when its answer or its failure was known, in Unix seconds."""

    at: float
    service: str
    failed: bool
    status: int | None


Page = tuple[str, Callable[[], str]]
"""A service, and what makes the URL of the next request to it."""


def pages(ports: Ports) -> Sequence[Page]:
    """What the users of the sample deployment ask for: half FastAPI, nearly half Flask, some Gradio."""
    fastapi: Page = ("fastapi", lambda: f"http://127.0.0.1:{ports.fastapi}/nodes/{random.randint(1, 64)}")
    flask: Page = ("flask", lambda: f"http://127.0.0.1:{ports.flask}/payments")
    gradio: Page = ("gradio", lambda: f"http://127.0.0.1:{ports.gradio}/")
    return (*[fastapi] * 10, *[flask] * 9, gradio)


class Load:
    """A stream of `rate` requests a second from start to stop; a context manager.

    The users of a service come in turn, so a fault that some of them meet is met as often as their share says.
    """

    def __init__(self, of: Sequence[Page], rate: float = 20.0) -> None:
        self._pages = of
        self._next_user: defaultdict[str, Iterator[str]] = defaultdict(lambda: itertools.cycle(USERS))
        self._interval = 1.0 / rate
        self._done: list[Request] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def between(self, start: float, end: float) -> list[Request]:
        """Requests that ended from `start` on and before `end`, in Unix seconds."""
        return [request for request in list(self._done) if start <= request.at < end]

    def failed_share(self, seconds: float) -> float | None:
        """Which share of the requests of the last `seconds` failed; None when there were none."""
        recent = self.between(time.time() - seconds, time.time() + 1.0)
        return sum(request.failed for request in recent) / len(recent) if recent else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        session = requests.Session()
        session.trust_env = False
        # A kept connection that the server closes at that very moment is a failure that no browser shows.
        session.headers["Connection"] = "close"
        # As many workers as a second of hanging requests needs; beyond that users wait their turn.
        free = threading.Semaphore(_WORKERS)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="user") as pool:
            due = time.monotonic()
            while not self._stopping.wait(max(0.0, due - time.monotonic())):
                due = max(due + self._interval, time.monotonic() - 1.0)
                free.acquire()
                service, url = random.choice(self._pages)
                user = next(self._next_user[service])
                asked = pool.submit(self._ask, session, service, url(), user)
                asked.add_done_callback(lambda _: free.release())

    def _ask(self, session: requests.Session, service: str, url: str, user: str) -> None:
        status = None
        # No answer at all: then that is what this user met.
        with suppress(requests.RequestException):
            status = session.get(url, headers={"X-User": user}, timeout=_TIMEOUT).status_code
        failed = status is None or status >= 400
        self._done.append(Request(time.time(), service, failed, status))
