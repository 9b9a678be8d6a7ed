"""`rollback-agent health` as a person and a program meet it: a process, its table or JSON, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.running import ROOT
from tests.exporters.servers import WebServer


def run_health(directory: Path, services: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a configuration of these services in two deployments, with an empty environment."""
    config = directory / "exporter.yml"
    other = "other: {services: {s: {checks: [{name: c, kind: ui, command: {argv: [/bin/true]}}]}}}"
    config.write_text(f"deployments:\n  qrl: {{services: {{{services}}}}}\n  {other}\n")
    program = "from exporters.health_command import health; health(prog_name='rollback-agent health')"
    return subprocess.run(
        [sys.executable, "-c", program, "--config", config, *arguments],
        capture_output=True, text=True, cwd=ROOT, env={}, timeout=30, check=False,
    )  # fmt: skip


def http(name: str, url: str, more: str = "") -> str:
    return f"{{name: {name}, kind: availability, http: {{url: '{url}'{more}}}}}"


def test_every_check_is_run_once_and_told(web_server: WebServer, tmp_path: Path) -> None:
    """With --json each check has its labels, whether and why it failed, and how long it took; one failure is exit 1."""
    services = (
        f"web: {{checks: [{http('home', web_server.url)}, {http('api', web_server.url + '/status/503')}]}}, "
        "db: {checks: [{name: rows, kind: database, command: {argv: [/bin/sh, -c, exit 3]}}]}"
    )

    done = run_health(tmp_path, services, "--json")

    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    assert (done.returncode, done.stderr) == (1, "")
    assert all(0 <= check.pop("seconds") < 5 for check in checks)
    labels = ("deployment", "service", "check", "kind", "success", "reason", "detail", "http_status")
    assert [tuple(check[label] for label in labels) for check in checks] == [
        ("qrl", "web", "home", "availability", True, None, "", 200),
        ("qrl", "web", "api", "availability", False, "status", "status 503, expected 200", 503),
        ("qrl", "db", "rows", "database", False, "exit_code", "exit code 3, expected 0", None),
        ("other", "s", "c", "ui", True, None, "", None),
    ]
    assert len(web_server.requests) == 2


def test_all_good_is_exit_code_0_and_a_table(web_server: WebServer, tmp_path: Path) -> None:
    """A person gets one line a check, and nothing on standard error."""
    done = run_health(tmp_path, f"web: {{checks: [{http('home', web_server.url)}]}}")

    assert (done.returncode, done.stderr) == (0, "")
    head, first, second = done.stdout.splitlines()
    assert head.split() == ["deployment", "service", "check", "kind", "result", "took"]
    assert first.split()[:5] == ["qrl", "web", "home", "availability", "good"]
    assert second.split()[:5] == ["other", "s", "c", "ui", "good"]


def test_one_deployment_may_be_asked_for(web_server: WebServer, tmp_path: Path) -> None:
    """With --deployment no check of another one is run."""
    done = run_health(tmp_path, f"web: {{checks: [{http('home', web_server.url)}]}}", "--deployment", "other", "--json")

    assert [check["deployment"] for check in json.loads(done.stdout)["checks"]] == ["other"]
    assert (done.returncode, web_server.requests) == (0, [])


def test_checks_run_side_by_side_with_their_own_timeouts(tmp_path: Path) -> None:
    """As many hung commands as there are take no longer together than the one with the longest timeout."""
    hung = [f"{{name: c{n}, kind: ui, command: {{argv: [/bin/sleep, '60'], timeout: {n}s}}}}" for n in (1, 2) * 6]
    for number, check in enumerate(hung):
        hung[number] = check.replace("name: c", f"name: n{number}-")
    begin = time.monotonic()

    done = run_health(tmp_path, f"s: {{checks: [{', '.join(hung)}]}}", "--deployment", "qrl", "--json")

    checks = json.loads(done.stdout)["checks"]
    assert (done.returncode, {check["reason"] for check in checks}) == (1, {"timeout"})
    # TERM comes a little before the limit.
    assert all(check["seconds"] > 0.7 * limit for check, limit in zip(checks, (1, 2) * 6, strict=True))
    assert time.monotonic() - begin < (1 + 2) * 6


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["table", "json"])
def test_deployment_without_checks_is_not_called_good(tmp_path: Path, as_json: tuple[str, ...]) -> None:
    """Where nothing is checked, nothing is known to be good: exit code 1."""
    logs = f"s: {{access_logs: [{{path: '{tmp_path / 'log'}', format: combined}}]}}"

    done = run_health(tmp_path, logs, "--deployment", "qrl", *as_json)

    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("services", "arguments", "said"),
    [
        ("s: {}", (), "nothing to watch"),
        ("s: {checks: [{name: c, kind: ui, command: {argv: [/bin/true]}}]}", ("--deployment", "x"), "no deployment x"),
    ],
    ids=["configuration", "deployment"],
)
def test_what_cannot_be_used_is_exit_code_2(
    tmp_path: Path, services: str, arguments: tuple[str, ...], said: str
) -> None:
    """A bad configuration, or a deployment that it does not have, is said on standard error."""
    done = run_health(tmp_path, services, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
