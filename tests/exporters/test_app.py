"""The exporter as its users run it: a process, scraped over HTTP and by a real Prometheus."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from demo.monitoring import start_prometheus
from demo.processes import free_port, wait_until
from exporters import names
from tests.exporters.running import RunningExporter
from tests.exporters.servers import WebServer
from tests.prometheus_versions import Version

RunExporter = Callable[[str], RunningExporter]

LINE = '127.0.0.1 - - [23/Nov/2026:15:04:05 +0000] "GET / HTTP/1.1" {} 5 "-" "-" "{}" 20000\n'
RELOADED = "rollback_exporter_config_last_reload_successful"


def configuration(url: str, log: Path) -> str:
    return f"""\
listen: 127.0.0.1:0
deployments:
  qrl:
    services:
      flask:
        checks:
          - {{name: home, kind: availability, http: {{url: "{url}", timeout: 2s}}}}
          - {{name: db, kind: database, command: {{argv: [/bin/sh, -c, "exit 3"]}}}}
        access_logs:
          - {{path: {log}, format: gunicorn, user_field: user}}
"""


def series(metric: str, **labels: str) -> str:
    """A series as the exporter writes it: its labels in alphabetical order."""
    return metric + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"


def requests_total(code: str) -> str:
    return series("access_log_requests_total", deployment="qrl", service="flask", method="GET", code=code)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text(LINE.format(500, "before"))
    return path


def append(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.write("".join(lines))


@contextmanager
def hung_targets(count: int) -> Iterator[list[str]]:
    """Addresses that accept connections and never answer."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        yield [f"http://127.0.0.1:{listener.getsockname()[1]}/" for listener in listeners]


def test_scrape_tells_what_is(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """One scrape tells the state of each check and counts each line that was written before it."""
    exporter = run_exporter(configuration(web_server.url, log))
    append(log, LINE.format(200, "ada"), LINE.format(503, "ada"), LINE.format(200, "grace"), "nonsense\n", "\n")
    samples = exporter.scrape()
    service = {"deployment": "qrl", "service": "flask"}
    home, db = service | {"check": "home", "kind": "availability"}, service | {"check": "db", "kind": "database"}
    expected = {
        series("healthcheck_success", **home): 1,
        series("healthcheck_http_status_code", **home): 200,
        series("healthcheck_success", **db): 0,
        series("healthcheck_failures_total", **db, reason="exit_code"): 1,
        series("healthcheck_failures_total", **db, reason="timeout"): 0,
        requests_total("200"): 2,
        requests_total("503"): 1,
        requests_total("500"): 0,
        series("access_log_request_duration_seconds_bucket", **service, le="0.01"): 0,
        series("access_log_request_duration_seconds_bucket", **service, le="0.025"): 3,
        series("access_log_request_duration_seconds_count", **service): 3,
        series("access_log_unparsable_lines_total", **service): 1,
        series("access_log_files", **service): 1,
        series("access_log_users", deployment="qrl"): 2,
        series("access_log_users_affected", deployment="qrl"): 1,
        series("rollback_exporter_collector_success", collector="health"): 1,
        RELOADED: 1,
    }
    assert {name: samples.get(name) for name in expected} == expected
    assert samples[series("access_log_request_duration_seconds_sum", **service)] == pytest.approx(0.06)
    assert series("healthcheck_http_status_code", **db) not in samples
    assert exporter.scrape()[series("healthcheck_failures_total", **db, reason="exit_code")] == 2


def test_exposition_passes_promtool(
    version: Version, run_exporter: RunExporter, web_server: WebServer, log: Path
) -> None:
    """`promtool check metrics` has nothing to say, and every name of names.py is exposed and no other."""
    text = run_exporter(configuration(web_server.url, log)).get("/metrics").text
    check = version.run("promtool", "check", "metrics", text=text)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
    exposed = {name for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE) if not name.startswith("process_")}
    assert exposed == {metric.name for metric in names.ALL}


def test_content_type_is_the_one_asked_for(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """OpenMetrics goes to those who accept it, the text format to all others."""
    exporter = run_exporter(configuration(web_server.url, log))
    response = exporter.get("/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.3")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert response.text.endswith("# EOF\n")
    for accept in ("text/plain;version=0.0.4", ""):
        response = exporter.get("/metrics", Accept=accept)
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "# EOF" not in response.text


def test_hung_targets_cost_one_deadline(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """Twelve hung targets cost a scrape its timeout less half a second, and keep no check from its success."""
    with hung_targets(12) as urls:
        checks = "\n".join(
            f"          - {{name: hung{number}, kind: availability, http: {{url: '{url}', timeout: 1m}}}}"
            for number, url in enumerate(urls)
        )
        exporter = run_exporter(configuration(web_server.url, log).replace("checks:", f"checks:\n{checks}"))
        begin = time.monotonic()
        samples = exporter.scrape(**{"X-Prometheus-Scrape-Timeout-Seconds": "2"})
        took = time.monotonic() - begin
    hung = [value for name, value in samples.items() if name.startswith('healthcheck_success{check="hung')]
    home = {"deployment": "qrl", "service": "flask", "check": "home", "kind": "availability"}
    assert hung == [0.0] * 12
    assert samples[series("healthcheck_success", **home)] == 1
    assert 1.4 < took < 10


def test_own_timeout_of_a_check_counts_if_shorter(run_exporter: RunExporter, log: Path) -> None:
    """A check is cut off at its own timeout where the scrape would allow more."""
    with hung_targets(1) as [url]:
        exporter = run_exporter(configuration(url, log).replace("timeout: 2s", "timeout: 300ms"))
        begin = time.monotonic()
        exporter.scrape()
        assert 0.25 < time.monotonic() - begin < 8


def test_bad_scrape_timeout_is_a_bad_request(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """A scrape timeout that is no number of seconds is answered with 400 and probes nothing."""
    exporter = run_exporter(configuration(web_server.url, log))
    for timeout in ("soon", "-1", "0", "nan", "inf"):
        assert exporter.get("/metrics", **{"X-Prometheus-Scrape-Timeout-Seconds": timeout}).status_code == 400
    assert web_server.requests == []


def test_other_paths_and_methods(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """Health needs no probe, a reload needs POST, and nothing else is there."""
    exporter = run_exporter(configuration(web_server.url, log))
    assert exporter.get("/-/healthy").status_code == 200
    assert "/metrics" in exporter.get("/").text
    assert exporter.get("/-/reload").status_code == 405
    assert exporter.post("/metrics").status_code == 405
    assert exporter.get("/probe?target=http://127.0.0.1/").status_code == 404
    assert web_server.requests == []


@pytest.mark.parametrize("way", ["signal", "http"])
def test_bad_reload_keeps_the_old_configuration(
    run_exporter: RunExporter, web_server: WebServer, log: Path, way: str
) -> None:
    """A bad file changes nothing but the metric that tells of it; a good one afterwards counts at once."""
    exporter = run_exporter(configuration(web_server.url, log))
    append(log, LINE.format(200, "ada"))

    def reload(expected_status: int, logged: str) -> None:
        if way == "http":
            assert exporter.post("/-/reload").status_code == expected_status
        else:
            exporter.process.signal(signal.SIGHUP)
        exporter.wait_for_log(logged)

    good = exporter.config.read_text()
    before = exporter.scrape()
    exporter.config.write_text(good.replace("kind: database", "kind: data"))
    reload(500, "configuration refused")
    assert f"{exporter.config}:8: deployments.qrl.services.flask.checks.1.kind" in exporter.log.read_text()
    after = exporter.scrape()
    assert (after[RELOADED], after.keys()) == (0, before.keys())

    exporter.config.write_text(good.replace("name: home", "name: start"))
    reload(200, "configuration loaded")
    after = exporter.scrape()
    assert after[RELOADED] == 1
    labels = {"deployment": "qrl", "service": "flask", "check": "start", "kind": "availability"}
    assert after[series("healthcheck_success", **labels)] == 1
    assert not any('check="home"' in name for name in after)


def test_counters_outlive_a_reload(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """A reload neither resets a counter, nor misses a line, nor counts one twice."""
    exporter = run_exporter(configuration(web_server.url, log))
    append(log, LINE.format(200, "ada"))
    assert exporter.scrape()[requests_total("200")] == 1
    append(log, LINE.format(200, "ada"))
    assert exporter.post("/-/reload").status_code == 200
    append(log, LINE.format(200, "ada"))
    assert exporter.scrape()[requests_total("200")] == 3


def test_rotated_log_is_followed_without_scrapes(run_exporter: RunExporter, web_server: WebServer, log: Path) -> None:
    """A log that is rotated twice between two scrapes is counted whole."""
    exporter = run_exporter(configuration(web_server.url, log))
    for number in range(2):
        append(log, LINE.format(200, "ada"))
        log.rename(log.with_suffix(f".{number}"))
        log.touch()
        time.sleep(1.5)  # longer than the interval in which the exporter looks at its logs
    append(log, LINE.format(200, "ada"))
    assert exporter.scrape()[requests_total("200")] == 3


def test_ends_with_its_probes_and_leaves_nothing(run_exporter: RunExporter, log: Path) -> None:
    """SIGTERM while a scrape waits for a hung command ends the command at its deadline, then the program with 0."""
    config = configuration("http://127.0.0.1:1/", log).replace('[/bin/sh, -c, "exit 3"]', "[/usr/bin/sleep, '4321']")
    exporter = run_exporter(config)
    with requests.get(f"http://{exporter.address}/-/healthy", timeout=60) as response:
        assert response.status_code == 200
    waiting = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as r; r.urlopen('http://{exporter.address}/metrics').read()"]
    )
    try:
        assert wait_until(lambda: bool(children(exporter.process.pid)), timeout=60)
        [sleeping] = children(exporter.process.pid)
        exporter.process.signal(signal.SIGTERM)
        assert wait_until(lambda: not exporter.process.running, timeout=60)
    finally:
        waiting.wait(timeout=60)
    assert exporter.process.exit_code == 0
    assert not Path(f"/proc/{sleeping}").exists()


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_real_prometheus_scrapes_it(
    run_exporter: RunExporter, web_server: WebServer, log: Path, tmp_path: Path
) -> None:
    """A real Prometheus finds its target up, reads each signal, and sees a first 5xx as an increase."""
    exporter = run_exporter(configuration(web_server.url, log))
    job = {"job_name": "exporter", "static_configs": [{"targets": [exporter.address]}]}
    config = {"global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"}, "scrape_configs": [job]}
    with start_prometheus(tmp_path, config, free_port()) as prometheus:

        def query(expression: str) -> float | None:
            answer = requests.get(f"{prometheus.url}/api/v1/query", params={"query": expression}, timeout=60).json()
            found = answer["data"]["result"]
            return float(found[0]["value"][1]) if found else None

        assert wait_until(lambda: query("up") == 1, timeout=15)
        assert query('healthcheck_success{deployment="qrl",service="flask",check="home",kind="availability"}') == 1
        assert query('healthcheck_success{kind="database"}') == 0
        assert query(requests_total("500")) == 0
        append(log, LINE.format(500, "ada"))
        assert wait_until(lambda: (query(f"increase({requests_total('500')}[10s])") or 0) > 0, timeout=15)
        assert query("access_log_users_affected / access_log_users") == 1
        assert query("min_over_time(up[1m])") == 1
