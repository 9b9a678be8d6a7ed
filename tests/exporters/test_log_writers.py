"""The logs that real web servers write are read in full."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import requests

from demo.processes import Process, free_port
from exporters.log_formats import Format
from tests.exporters.reading import Logged, read_line

APPLICATION = """
def wsgi(environ, start_response):
    start_response("200 OK" if environ["PATH_INFO"] == "/" else "503 Service Unavailable", [])
    return [b"answer"]

async def asgi(scope, receive, send):
    status = 200 if scope["path"] == "/" else 503
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"answer"})
"""
# The convention of docs/exporter.md.
GUNICORN_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({x-user}i)s" %(D)s'

Command = Callable[[int, Path], "list[str | Path]"]


def written_by(command: Command, directory: Path, log: Path) -> list[str]:
    """The access log of a real server after a good request, a failed one, and one that tries to confuse."""
    (directory / "application.py").write_text(APPLICATION)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Process(command(port, log), directory / "server.log", cwd=directory) as server:
        server.await_ready(f"{url}/?ready")
        requests.get(f"{url}/", headers={"X-User": "ada"}, timeout=30)
        requests.post(f"{url}/pay", timeout=30)
        requests.get(f'{url}/"%22 HTTP/1.1" 200', headers={"X-User": 'a" 1', "User-Agent": 'x" "y'}, timeout=30)
    return [line for line in log.read_text().splitlines() if "HTTP/1.1" in line and "?ready" not in line]


def test_gunicorn(tmp_path: Path) -> None:
    """Gunicorn's log in our convention tells method, status, response time and user."""

    def command(port: int, log: Path) -> list[str | Path]:
        options = ["--bind", f"127.0.0.1:{port}", "--access-logfile", str(log), "--no-control-socket"]
        return [sys.executable, "-m", "gunicorn", *options, "--access-logformat", GUNICORN_FORMAT, "application:wsgi"]

    lines = written_by(command, tmp_path, tmp_path / "access.log")
    found = [read_line(Format.GUNICORN, line, "user") for line in lines]
    assert [(r.method, r.code, r.user) for r in found if r] == [
        ("GET", "200", "ada"),
        ("POST", "503", None),
        ("GET", "503", r"a\" 1"),
    ]
    assert all(r and r.seconds is not None and 0 < r.seconds < 5 for r in found)


def test_gunicorn_as_it_comes(tmp_path: Path) -> None:
    """Gunicorn's own default format is read as well, without response time and user."""

    def command(port: int, log: Path) -> list[str | Path]:
        options = ["--bind", f"127.0.0.1:{port}", "--access-logfile", str(log), "--no-control-socket"]
        return [sys.executable, "-m", "gunicorn", *options, "application:wsgi"]

    lines = written_by(command, tmp_path, tmp_path / "access.log")
    expected = [Logged("GET", "200"), Logged("POST", "503"), Logged("GET", "503")]
    assert [read_line(Format.GUNICORN, line, "user") for line in lines] == expected
    assert [read_line(Format.COMBINED, line, "remote_user") for line in lines] == expected


def test_uvicorn(tmp_path: Path) -> None:
    """Uvicorn's log tells method and status, and the address as the user."""

    def command(port: int, _log: Path) -> list[str | Path]:
        return [sys.executable, "-m", "uvicorn", "--port", str(port), "application:asgi"]

    lines = written_by(command, tmp_path, tmp_path / "server.log")
    assert [read_line(Format.UVICORN, line, "remote_addr") for line in lines] == [
        Logged("GET", "200", user="127.0.0.1"),
        Logged("POST", "503", user="127.0.0.1", affected=True),
        Logged("GET", "503", user="127.0.0.1", affected=True),
    ]
