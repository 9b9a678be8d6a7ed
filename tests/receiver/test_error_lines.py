"""The last failed requests are found at the end of a log, in every format that the exporter reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from receiver.error_lines import LONGEST_LINE, TAIL, last_error_lines

COMBINED = '192.0.2.1 - ada [24/Nov/2026:15:00:00 +0000] "GET /{} HTTP/1.1" {} 12 "-" "curl/8.1"'
COMMON = '192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] "GET /{} HTTP/1.1" {} -'
GUNICORN = COMBINED + ' "ada" 512'
UVICORN = 'INFO:     192.0.2.1:50000 - "GET /{} HTTP/1.1" {} Internal Server Error'
UVICORN_BARE = '192.0.2.1:50000 - "GET /{} HTTP/1.1" {}'
JSON = '{{"time": "2026-11-24", "request_uri": "/{}", "status": {}, "request_time": 0.512}}'
JSON_TEXT = '{{"status":"{1}","request_uri":"/{0}"}}'


@pytest.mark.parametrize("form", [COMBINED, COMMON, GUNICORN, UVICORN, UVICORN_BARE, JSON, JSON_TEXT])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_failed_requests_of_each_format(tmp_path: Path, form: str, end: str) -> None:
    """Only lines with a 5xx are told, the newest of them, oldest first."""
    codes = (500, 200, 503, 404, 502, 301, 599, 101)
    log = tmp_path / "access.log"
    log.write_text("".join(form.format(f"{number}", code) + end for number, code in enumerate(codes)), newline="")

    assert last_error_lines(log, 3) == tuple(form.format(number, codes[number]) for number in (2, 4, 6))


@pytest.mark.parametrize(
    "line",
    [
        '192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl" 512',
        '192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] "GET / HTTP/1.1" 200 500 "-" "curl"',
        '192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] "GET /\\" 500 HTTP/1.1" 200 5',
        '{"status": 200, "upstream_status": "500", "body_bytes_sent": 500}',
        '{"request": "GET /\\"status\\":500", "status": 200}',
        "500 Internal Server Error",
        "",
    ],
)
def test_other_numbers_are_no_status(tmp_path: Path, line: str) -> None:
    """A size, a duration, a part of the address or of another field is not taken for a failure."""
    log = tmp_path / "access.log"
    log.write_text(f"{line}\n")

    assert last_error_lines(log, 20) == ()


def test_only_the_end_of_a_big_log_is_read(tmp_path: Path) -> None:
    """However big a log is, a bounded part at its end is looked at, from the first whole line of it."""
    log = tmp_path / "access.log"
    with log.open("w") as file:
        file.write(UVICORN.format("early", 500) + "\n")
        file.truncate(TAIL * 50)
        file.seek(TAIL * 50)
        file.write("\n" + UVICORN.format("late", 500) + "\n")

    assert last_error_lines(log, 20) == (UVICORN.format("late", 500),)


def test_a_line_stays_one_short_printable_line(tmp_path: Path) -> None:
    """Bytes of any kind are shown as text, without control characters, and not at any length."""
    log = tmp_path / "access.log"
    log.write_bytes(b'1.2.3.4 - - [t] "GET /\x1b[31m\xff\x00%0a HTTP/1.1" 500 5 "' + b"x" * 10_000 + b'"\n')

    (line,) = last_error_lines(log, 20)

    assert line.startswith('1.2.3.4 - - [t] "GET / [31m\\xff %0a HTTP/1.1" 500')
    assert line.isprintable()
    assert len(line) == LONGEST_LINE + 1


def test_an_empty_log_holds_none(tmp_path: Path) -> None:
    """Nothing logged is nothing failed."""
    (tmp_path / "access.log").touch()
    assert last_error_lines(tmp_path / "access.log", 20) == ()


@pytest.mark.parametrize("kind", ["missing", "directory"])
def test_what_is_no_file_is_an_error(tmp_path: Path, kind: str) -> None:
    """A log that cannot be read raises, for the caller to tell."""
    log = tmp_path / "access.log"
    if kind == "directory":
        log.mkdir()
    with pytest.raises(OSError, match=r"No such file|Is a directory"):
        last_error_lines(log, 20)


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A pipe without a writer in the place of a log is an empty one."""
    os.mkfifo(tmp_path / "pipe")
    assert last_error_lines(tmp_path / "pipe", 20) == ()
