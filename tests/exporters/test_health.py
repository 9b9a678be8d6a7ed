"""Checks share a few threads while they are fast, and none waits for one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from configfile import load
from exporters.config import Config
from exporters.deadline import Deadline
from exporters.health import SHARERS, Check, History, Prober, checks_of
from exporters.outcome import Outcome, Reason
from exporters.resolver import Resolver
from tests.exporters.servers import WebServer

LONG = 60.0
"""Seconds that no test takes."""


class Watching(WebServer):
    """Remembers how many threads ran checks while it was asked, and keeps those who ask for `/hang` waiting."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.let_go = threading.Event()
        super().__init__()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.threads.append(sum(thread.name.startswith("check") for thread in threading.enumerate()))
        if path == "/hang":
            self.let_go.wait(LONG)
        return super().answer(path)


@pytest.fixture
def server() -> Iterator[Watching]:
    watching = Watching()
    yield watching
    watching.let_go.set()
    watching.stop()


def checks(directory: Path, *urls: str) -> list[Check]:
    """A check of each URL, in this order."""
    one = "{{name: c{}, kind: availability, http: {{url: '{}', timeout: 60s}}}}"
    listed = ", ".join(one.format(number, url) for number, url in enumerate(urls))
    path = directory / "exporter.yaml"
    path.write_text(f"deployments: {{q: {{services: {{s: {{checks: [{listed}]}}}}}}}}\n")
    return checks_of(load(path, Config))


def test_fast_checks_share_few_threads(server: Watching, tmp_path: Path) -> None:
    """Many checks that are answered at once need no thread each, and each has its own outcome."""
    urls = [f"{server.url}/status/{200 if number % 3 else 500}" for number in range(60)]
    prober = Prober(Resolver(), History(), patience=LONG)
    found = prober.run(checks(tmp_path, *urls), Deadline.after(LONG))
    assert [check.labels[2] for check, _, _ in found] == [f"c{number}" for number in range(60)]
    assert [outcome.http_status for _, outcome, _ in found] == [200 if number % 3 else 500 for number in range(60)]
    assert len(server.threads) == 60
    assert max(server.threads) <= SHARERS


def test_checks_behind_hung_ones_are_run(server: Watching, tmp_path: Path) -> None:
    """However many targets hang, those behind them are asked before the hung ones end."""
    hung = [f"{server.url}/hang"] * (SHARERS * 3)
    good = [f"{server.url}/page{number}" for number in range(5)]
    prober = Prober(Resolver(), History())
    found = prober.run(checks(tmp_path, *hung, *good), Deadline.after(2))
    assert [outcome.failure for _, outcome, _ in found] == [Reason.TIMEOUT] * len(hung) + [None] * len(good)


def test_no_checks_are_no_outcomes() -> None:
    """A deployment may have logs only."""
    assert Prober(Resolver(), History()).run([], Deadline.after(LONG)) == []


def test_check_that_raises_is_a_failed_check(server: Watching, tmp_path: Path) -> None:
    """A lookup with a bug costs its own check, and no other."""

    def broken(_host: str) -> list[tuple[int, tuple[object, ...]]]:
        raise RuntimeError("a bug")

    two = checks(tmp_path, "http://name.invalid/", server.url)
    outcomes = [outcome for _, outcome, _ in Prober(Resolver(broken), History()).run(two, Deadline.after(LONG))]
    assert outcomes == [Outcome(Reason.ERROR, "RuntimeError: a bug"), Outcome(http_status=200)]
