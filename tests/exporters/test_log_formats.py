"""Lines of every known format are read, and whatever else a log may hold is refused without harm."""

from __future__ import annotations

import json
import time

import pytest

from exporters.log_formats import Format, LoggedRequest, parse

COMBINED = '192.0.2.7 - ada [23/Nov/2026:15:04:05 +0000] "GET /a?b=c HTTP/1.1" 200 512 "https://x/" "curl/8"'
GUNICORN = '127.0.0.1 - - [23/Nov/2026:15:04:05 +0000] "POST /pay HTTP/1.1" 502 0 "-" "requests/2" "ada" 1500'
NGINX = {
    "status": "201",
    "request_method": "PUT",
    "request_time": "0.250",
    "remote_user": "-",
    "remote_addr": "192.0.2.7",
    "http_x_user": "ada",
}
UVICORN = 'INFO:     127.0.0.1:52170 - "GET / HTTP/1.1" 200 OK'

GET_200 = LoggedRequest("GET", "200")


@pytest.mark.parametrize(
    ("log_format", "line", "user_field", "expected"),
    [
        (Format.COMBINED, COMBINED, None, GET_200),
        (Format.COMBINED, COMBINED, "remote_user", LoggedRequest("GET", "200", user="ada")),
        (Format.COMBINED, COMBINED, "remote_addr", LoggedRequest("GET", "200", user="192.0.2.7")),
        (Format.COMBINED, COMBINED + ' "10.0.0.1, 10.0.0.2" 0.003', None, GET_200),
        (Format.COMBINED, COMBINED.partition(' "https')[0], None, GET_200),
        (Format.COMBINED, COMBINED.replace("ada", "a b c"), "remote_user", LoggedRequest("GET", "200", user="a b c")),
        (Format.COMBINED, COMBINED.replace("/a?b=c", r"/\"x\" \\"), None, GET_200),
        (Format.COMBINED, COMBINED.replace("GET /a?b=c HTTP/1.1", ""), None, LoggedRequest("OTHER", "200")),
        (Format.COMBINED, COMBINED.replace("GET /a", r"\x16\x03\x01"), None, LoggedRequest("OTHER", "200")),
        (Format.COMBINED, COMBINED.replace("GET", "get"), None, LoggedRequest("OTHER", "200")),
        (Format.COMBINED, COMBINED.replace(" 200 ", " 000 "), None, LoggedRequest("GET", "other")),
        (Format.COMBINED, COMBINED.replace(" 200 512", " 304 -"), None, LoggedRequest("GET", "304")),
        (Format.GUNICORN, GUNICORN, "user", LoggedRequest("POST", "502", 0.0015, "ada")),
        (Format.GUNICORN, GUNICORN.replace('"ada"', '"-"'), "user", LoggedRequest("POST", "502", 0.0015)),
        (Format.GUNICORN, GUNICORN.replace(' "ada" 1500', " 1500"), "user", LoggedRequest("POST", "502", 0.0015)),
        (Format.GUNICORN, GUNICORN.replace(" 1500", ""), "user", LoggedRequest("POST", "502", user="ada")),
        (Format.GUNICORN, COMBINED, "remote_user", LoggedRequest("GET", "200", user="ada")),
        (Format.UVICORN, UVICORN, None, GET_200),
        (Format.UVICORN, UVICORN, "remote_addr", LoggedRequest("GET", "200", user="127.0.0.1")),
        (Format.UVICORN, f"2026-11-23 15:04:05,123 {UVICORN}", None, GET_200),
        (Format.UVICORN, UVICORN.replace("127.0.0.1", "::1"), "remote_addr", LoggedRequest("GET", "200", user="::1")),
        (Format.UVICORN, '2026-11-23T15:04:05Z INFO 10.0.0.1:1 - "GET / HTTP/1.1" 200', None, GET_200),
        (Format.UVICORN, UVICORN.replace("127.0.0.1:52170", ""), None, GET_200),
        (Format.NGINX_JSON, json.dumps(NGINX), None, LoggedRequest("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX), "http_x_user", LoggedRequest("PUT", "201", 0.25, "ada")),
        (Format.NGINX_JSON, json.dumps(NGINX), "remote_user", LoggedRequest("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX), "none_such", LoggedRequest("PUT", "201", 0.25)),
        (Format.NGINX_JSON, '{"status": 200}', None, LoggedRequest("OTHER", "200")),
        (Format.NGINX_JSON, '{"status": 200, "request_time": "-"}', None, LoggedRequest("OTHER", "200")),
        (Format.NGINX_JSON, '{"status": 200, "request_time": -1}', None, LoggedRequest("OTHER", "200")),
        (Format.NGINX_JSON, '{"status": 200, "request_time": "nan"}', None, LoggedRequest("OTHER", "200")),
    ],
)  # fmt: skip
def test_line_is_read(log_format: Format, line: str, user_field: str | None, expected: LoggedRequest) -> None:
    """The method, status, response time and user of a line are those that the format puts there."""
    assert parse(log_format, line, user_field) == expected


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        (Format.COMBINED, "panic: runtime error"),
        (Format.COMBINED, COMBINED.replace(" 200 ", " 2000 ")),
        (Format.COMBINED, COMBINED.replace(" 200 ", " ٢٠٠ ")),
        (Format.COMBINED, COMBINED[:60]),
        (Format.GUNICORN, GUNICORN + " trailing"),
        (Format.GUNICORN, UVICORN),
        (Format.UVICORN, "INFO:     Started server process [123]"),
        (Format.UVICORN, COMBINED),
        (Format.NGINX_JSON, COMBINED),
        (Format.NGINX_JSON, "[200]"),
        (Format.NGINX_JSON, "{}"),
        (Format.NGINX_JSON, '{"status": true}'),
        (Format.NGINX_JSON, '{"status": 200.0}'),
        (Format.NGINX_JSON, '{"status": 200, "request_time": NaN}'),
        (Format.NGINX_JSON, '{"status": ' + "[" * 30_000),
        (Format.NGINX_JSON, '{"status": ' + "9" * 30_000 + "}"),
    ],
)
def test_other_line_is_refused(log_format: Format, line: str) -> None:
    """A line that is not of the format gives nothing, and never raises."""
    assert parse(log_format, line, None) is None


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        (Format.COMBINED, "a - " + " [" * 32_000),
        (Format.COMBINED, "a - " + ' [x] "' * 10_000),
        (Format.COMBINED, 'a - u [x] "' + "\\" * 65_000),
        (Format.GUNICORN, GUNICORN + ' "' * 30_000),
        (Format.UVICORN, "INFO: " + 'a:1 - "' * 9_000),
        (Format.UVICORN, 'INFO: a:1 - "GET ' + ' HTTP/1.1" 20x ' * 4_000),
        (Format.NGINX_JSON, '{"a":' * 13_000),
    ],
)
def test_hostile_line_costs_little_time(log_format: Format, line: str) -> None:
    """No line of 64 KiB takes longer than a fraction of a second, whatever a client managed to put into it."""
    begin = time.process_time()
    parse(log_format, line, None)
    assert time.process_time() - begin < 1.0
