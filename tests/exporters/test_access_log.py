"""Followed logs become metrics: few series whatever the lines hold, and no log in the way of another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from configfile import load
from exporters.access_log import AccessLogCollector, AccessLogs
from exporters.config import Config
from exporters.log_tail import MAX_POLL

NOBODY = 65534
LINE = '192.0.2.7 - {user} [23/Nov/2026:15:04:05 +0000] "{method} {path} HTTP/1.1" {code} 512 "-" "curl/8"\n'
GOOD = {"user": "ada", "method": "GET", "path": "/", "code": "200"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def follow(*paths: Path, log_format: str = "combined", user_field: str = "remote_user") -> AccessLogs:
    """The logs as the services `s0`, `s1`, ... of one deployment."""
    one = "s{}: {{access_logs: [{{path: {}, format: {}, user_field: {}}}]}}"
    services = ", ".join(one.format(number, path, log_format, user_field) for number, path in enumerate(paths))
    config = paths[0].with_name("exporter.yaml")
    config.write_text(f"deployments: {{q: {{services: {{{services}}}}}}}\n")
    logs = AccessLogs()
    logs.follow(load(config, Config))
    return logs


def scrape(logs: AccessLogs) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(AccessLogCollector(logs))
    lines = generate_latest(registry).decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {series: float(value) for series, _, value in samples}


def total(samples: dict[str, float], name: str) -> float:
    return sum(value for series, value in samples.items() if series.startswith(name + "{"))


def distinct(varied: str, number: int) -> str:
    """A value of one part of a line, another for each number; a code of more than three digits is none."""
    if varied == "method":
        return f"{number:05}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
    return f"{number:03}" if varied == "code" else f"/{number}"


@pytest.mark.parametrize("varied", ["user", "method", "path", "code"])
def test_series_do_not_grow_with_what_the_log_holds(path: Path, varied: str) -> None:
    """A hundred thousand distinct users, methods, paths or codes make no more series than a thousand."""
    series = []
    for count in (1_000, 100_000):
        path.touch()
        logs = follow(path)
        with path.open("a") as log:
            log.writelines(LINE.format(**GOOD | {varied: distinct(varied, number)}) for number in range(count))
        while logs.poll():
            pass
        samples = scrape(logs)
        assert sum(total(samples, f"access_log_{kind}_total") for kind in ("requests", "unparsable_lines")) == count
        series.append(set(samples))
        path.unlink()
    assert series[0] == series[1]
    assert len(series[0]) < 150


def test_json_log_makes_as_few_series(path: Path) -> None:
    """What a JSON log holds as method or code is bounded in the same way."""
    path.touch()
    logs = follow(path, log_format="nginx_json", user_field="u")
    with path.open("a") as log:
        log.writelines(f'{{"status":{n % 1000},"request_method":"M{n}","u":"{n}"}}\n' for n in range(20_000))
    samples = scrape(logs)
    requests = [name for name in samples if name.startswith("access_log_requests_total")]
    assert total(samples, "access_log_requests_total") == 20_000 * 0.9  # a number below 100 has no three digits
    assert len(requests) < 100 + 10
    assert samples['access_log_users{deployment="q"}'] == 20_000 * 0.9


def test_lines_that_do_not_parse_are_counted(path: Path) -> None:
    """Anything may stand in a log: it is counted, and the lines around it too."""
    path.touch()
    logs = follow(path)
    good = LINE.format(**GOOD).encode()
    with path.open("ab") as log:
        log.write(good + b"panic: \xff\x00\n" + good + b"x" * 200_000 + b"\n\n" + b"[" * 50_000 + b"\n" + good)
    samples = scrape(logs)
    assert total(samples, "access_log_requests_total") == 3
    assert total(samples, "access_log_unparsable_lines_total") == 3


def test_missing_log_is_picked_up_when_it_appears(path: Path) -> None:
    """A log that is not there is told as not open, keeps no other from being counted, and is read once it is there."""
    other = path.with_name("other.log")
    other.touch()
    logs = follow(path, other)
    with other.open("a") as log:
        log.write(LINE.format(**GOOD))
    samples = scrape(logs)
    assert samples['access_log_files{deployment="q",service="s0"}'] == 0
    assert total(samples, "access_log_requests_total") == 1
    path.write_text(LINE.format(**GOOD))
    samples = scrape(logs)
    assert samples['access_log_files{deployment="q",service="s0"}'] == 1
    assert total(samples, "access_log_requests_total") == 2


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Nobody's rights on a file of which nobody has any; root may read whatever it likes."""
    path.chmod(0)
    if os.geteuid() != 0:
        yield
    else:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    path.chmod(0o644)


def test_log_that_may_not_be_read_is_picked_up_when_it_may(path: Path) -> None:
    """A log without permission is told as not open, and followed from its end once it can be read."""
    path.write_text(LINE.format(**GOOD))
    follow(path)  # writes the configuration
    config = load(path.with_name("exporter.yaml"), Config)
    logs = AccessLogs()
    is_open = 'access_log_files{deployment="q",service="s0"}'
    with unreadable(path):
        logs.follow(config)
        assert scrape(logs)[is_open] == 0
    assert scrape(logs)[is_open] == 1
    with path.open("a") as log:
        log.write(LINE.format(**GOOD))
    assert total(scrape(logs), "access_log_requests_total") == 1


def test_long_backlog_is_read_in_portions(path: Path) -> None:
    """More than one look takes is counted by the next ones, and each says whether there is more."""
    path.touch()
    logs = follow(path)
    line = LINE.format(**GOOD | {"path": "/" + "x" * 60_000})
    count = MAX_POLL // len(line) + 10
    with path.open("a") as log:
        log.writelines([line] * count)
    assert logs.poll()
    assert not logs.poll()
    assert total(scrape(logs), "access_log_requests_total") == count
