"""Compares what a health probe costs with blackbox_exporter: processor time of the whole process, without its start."""

from __future__ import annotations

import gzip
import http.client
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from bench.measure import Column, compare, cpu_seconds, heading, rows
from demo.places import COMMAND
from demo.processes import Process, free_port

TARGETS = 200
SCRAPES = 10
"""Scrapes of all targets that are one measurement."""
REPETITIONS = 5
COLUMNS = (Column("µs of processor time a probe", ".0f", more_is_better=False),)
# As Prometheus 2.42 sends them.
HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "User-Agent": "Prometheus/2.42.0",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
BLACKBOX_CONFIG = "modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n"


def run() -> None:
    """Print a table; raises if a probe of either program fails."""
    print(heading("targets", "blackbox_exporter"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Process([sys.executable, "-m", "bench.targets", str(TARGETS)], directory / "ports") as targets:
            targets.await_ready(lambda: (directory / "ports").read_text().endswith("\n"))
            ports = (directory / "ports").read_text().split()
            for subject, host in (("by address", "127.0.0.1"), ("by name", "localhost")):
                urls = [f"http://{host}:{port}/" for port in ports]
                print(rows(subject, COLUMNS, *_compare(directory, urls)), flush=True)


def _compare(directory: Path, urls: Sequence[str]) -> tuple[list[float], list[float]]:
    our_port, their_port = free_port(), free_port()
    ours = Process([COMMAND, "exporter", "--config", _our_config(directory, our_port, urls)], directory / "ours")
    (directory / "blackbox.yml").write_text(BLACKBOX_CONFIG)
    options = [f"--config.file={directory / 'blackbox.yml'}", f"--web.listen-address=127.0.0.1:{their_port}"]
    with ours, Process(["prometheus-blackbox-exporter", *options], directory / "theirs") as theirs:
        for process, port in ((ours, our_port), (theirs, their_port)):
            process.await_ready(f"http://127.0.0.1:{port}/-/healthy")
        return compare(
            lambda: [_cost(ours, our_port, _probe_by_ours)],
            lambda: [_cost(theirs, their_port, lambda connection: _probe_by_blackbox(connection, urls))],
            REPETITIONS,
        )


def _our_config(directory: Path, port: int, urls: Sequence[str]) -> Path:
    one = "{{name: c{}, kind: availability, http: {{url: '{}'}}}}"
    checks = ", ".join(one.format(number, url) for number, url in enumerate(urls))
    path = directory / "exporter.yaml"
    path.write_text(f"listen: 127.0.0.1:{port}\ndeployments: {{q: {{services: {{s: {{checks: [{checks}]}}}}}}}}\n")
    return path


def _cost(process: Process, port: int, probe_all: Callable[[http.client.HTTPConnection], None]) -> float:
    """Microseconds of processor time that the process takes for a probe."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        probe_all(connection)  # what is done once is not counted
        before = cpu_seconds(process.pid)
        for _ in range(SCRAPES):
            probe_all(connection)
        return (cpu_seconds(process.pid) - before) / (SCRAPES * TARGETS) * 1e6
    finally:
        connection.close()


def _probe_by_ours(connection: http.client.HTTPConnection) -> None:
    """One scrape, which probes all targets."""
    text = _get(connection, "/metrics")
    successes = [line for line in text.splitlines() if line.startswith("healthcheck_success{")]
    if len(successes) != TARGETS or not all(line.endswith(" 1.0") for line in successes):
        raise RuntimeError(f"a probe failed:\n{text[:2000]}")


def _probe_by_blackbox(connection: http.client.HTTPConnection, urls: Sequence[str]) -> None:
    """A request for each target, over a connection that is kept, as Prometheus does it."""
    for url in urls:
        text = _get(connection, f"/probe?module=http_2xx&target={quote(url, safe='')}")
        if "\nprobe_success 1" not in text:
            raise RuntimeError(f"a probe failed:\n{text[:2000]}")


def _get(connection: http.client.HTTPConnection, path: str) -> str:
    connection.request("GET", path, headers=HEADERS)
    response = connection.getresponse()
    body = response.read()
    return (gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body).decode()
