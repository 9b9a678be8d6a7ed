"""Lines of every known format are read, and whatever else a log may hold is refused without harm."""

from __future__ import annotations

import json
import time

import pytest

from exporters.batch import Batch
from exporters.log_formats import Format, reader_of
from exporters.log_tail import CHUNK
from tests.exporters.reading import Logged, only_request, read_line

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

GET_200 = Logged("GET", "200")
NAMELESS = Logged("", "200")


@pytest.mark.parametrize(
    ("log_format", "line", "user_field", "expected"),
    [
        (Format.COMBINED, COMBINED, None, GET_200),
        (Format.COMBINED, COMBINED, "remote_user", Logged("GET", "200", user="ada")),
        (Format.COMBINED, COMBINED, "remote_addr", Logged("GET", "200", user="192.0.2.7")),
        (Format.COMBINED, COMBINED + ' "10.0.0.1, 10.0.0.2" 0.003', None, GET_200),
        (Format.COMBINED, COMBINED.partition(' "https')[0], None, GET_200),
        (Format.COMBINED, COMBINED.replace("ada", "a b c"), "remote_user", Logged("GET", "200", user="a b c")),
        (Format.COMBINED, COMBINED.replace("/a?b=c", r"/\"x\" \\"), None, GET_200),
        (Format.COMBINED, COMBINED.replace("GET /a?b=c HTTP/1.1", ""), None, NAMELESS),
        (Format.COMBINED, COMBINED.replace("GET /a", r"\x16\x03\x01"), None, NAMELESS),
        (Format.COMBINED, COMBINED.replace("GET", "get"), None, NAMELESS),
        (Format.COMBINED, COMBINED.replace("GET /a", r"GET\x20/a"), None, NAMELESS),
        (Format.COMBINED, COMBINED.replace("GET /a?b=c HTTP/1.1", "GET"), None, GET_200),
        (Format.COMBINED, COMBINED.replace(" 200 ", " 000 "), None, Logged("GET", "000")),
        (Format.COMBINED, COMBINED.replace(" 200 512", " 304 -"), None, Logged("GET", "304")),
        (Format.GUNICORN, GUNICORN, "user", Logged("POST", "502", 0.0015, "ada", affected=True)),
        (Format.GUNICORN, GUNICORN.replace('"ada"', '"-"'), "user", Logged("POST", "502", 0.0015)),
        (Format.GUNICORN, GUNICORN.replace(' "ada" 1500', " 1500"), "user", Logged("POST", "502", 0.0015)),
        (Format.GUNICORN, GUNICORN.replace(" 1500", ""), "user", Logged("POST", "502", user="ada", affected=True)),
        (Format.GUNICORN, COMBINED, "remote_user", Logged("GET", "200", user="ada")),
        (Format.UVICORN, UVICORN, None, GET_200),
        (Format.UVICORN, UVICORN, "remote_addr", Logged("GET", "200", user="127.0.0.1")),
        (Format.UVICORN, f"2026-11-23 15:04:05,123 {UVICORN}", None, GET_200),
        (Format.UVICORN, UVICORN.replace("127.0.0.1", "::1"), "remote_addr", Logged("GET", "200", user="::1")),
        (Format.UVICORN, '2026-11-23T15:04:05Z INFO 10.0.0.1:1 - "GET / HTTP/1.1" 200', None, GET_200),
        (Format.UVICORN, UVICORN.replace("127.0.0.1:52170", ""), None, GET_200),
        (Format.NGINX_JSON, json.dumps(NGINX), None, Logged("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX), "http_x_user", Logged("PUT", "201", 0.25, "ada")),
        (Format.NGINX_JSON, json.dumps(NGINX), "remote_user", Logged("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX), "none_such", Logged("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX) + "\r", "remote_addr", Logged("PUT", "201", 0.25, "192.0.2.7")),
        (Format.NGINX_JSON, json.dumps(NGINX | {"remote_user": 7}), "remote_user", Logged("PUT", "201", 0.25, "7")),
        (Format.NGINX_JSON, json.dumps(NGINX | {"remote_user": True}), "remote_user", Logged("PUT", "201", 0.25)),
        (Format.NGINX_JSON, json.dumps(NGINX | {"user": 'a"\u00e9'}), "user", Logged("PUT", "201", 0.25, 'a"é')),
        (Format.NGINX_JSON, json.dumps(NGINX | {"x": {"y": []}}), None, Logged("PUT", "201", 0.25)),
        (Format.NGINX_JSON, '{"status": 502}', "status", Logged("", "502", user="502", affected=True)),
        (Format.NGINX_JSON, '{"status": 200, "request_time": 1e-1}', None, Logged("", "200", 0.1)),
        (Format.NGINX_JSON, '{"status": 404, "status": 200}', None, NAMELESS),
        (Format.NGINX_JSON, '{"status": 200}', None, NAMELESS),
        (Format.NGINX_JSON, '{"status": 200, "request_time": "-"}', None, NAMELESS),
        (Format.NGINX_JSON, '{"status": 200, "request_time": -1}', None, NAMELESS),
        (Format.NGINX_JSON, '{"status": 200, "request_time": "nan"}', None, NAMELESS),
    ],
)  # fmt: skip
def test_line_is_read(log_format: Format, line: str, user_field: str | None, expected: Logged) -> None:
    """The method, status, response time and user of a line are those that the format puts there."""
    assert read_line(log_format, line, user_field) == expected


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
    assert read_line(log_format, line, None) is None


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
    block = line.encode() + b"\n"
    begin = time.process_time()
    reader_of(log_format, None).read(block)
    assert time.process_time() - begin < 5


def test_hostile_lines_do_not_add_up() -> None:
    """A block full of lines that almost match costs little time too."""
    block = b'a - u [x] "GET / HTTP/1.1" 200 5 "' + b'\\"' * 50 + b"\n"
    begin = time.process_time()
    batch = reader_of(Format.GUNICORN, "user").read(block * (CHUNK // len(block)))
    assert time.process_time() - begin < 5
    assert batch.unparsable_lines == CHUNK // len(block)


@pytest.mark.parametrize("log_format", list(Format))
def test_lines_of_a_block_are_read_each_for_itself(log_format: Format) -> None:
    """Between good lines, what is no line of the format is counted, and empty lines are not."""
    good = {
        Format.COMBINED: COMBINED,
        Format.GUNICORN: GUNICORN,
        Format.UVICORN: UVICORN,
        Format.NGINX_JSON: json.dumps(NGINX),
    }[log_format]
    lines = [good, "", good[: len(good) // 2], good, "  ", good[-20:], "nonsense", good + "\r"]
    batch = reader_of(log_format, None).read("".join(f"{line}\n" for line in lines).encode())
    assert (batch.requests.total(), batch.unparsable_lines) == (3, 3)


ODD = [
    NGINX | {"status": 404},
    NGINX | {"request_time": 0.5},
    NGINX | {"request_time": "0.1, 0.2"},
    NGINX | {"request_time": "-"},
    NGINX | {"request_time": None},
    NGINX | {"remote_user": "ada"},
    NGINX | {"remote_user": '\\ " é \x00'},
    NGINX | {"remote_user": 12},
    NGINX | {"remote_user": None},
    NGINX | {"remote_user": 1.5},
    NGINX | {"request_method": None},
    NGINX | {"request_method": 12},
    NGINX | {"request_method": "M-SEARCH"},
    NGINX | {"other": [1, {"status": "500"}]},
    NGINX | {"other": -1.5e9},
    NGINX | {'a"b': False},
    {"remote_user": "ada", **NGINX},
    {"status": "503"},
    {"request_method": "GET", "remote_user": "ada", "status": 503},
]


@pytest.mark.parametrize("known", ODD, ids=lambda fields: f"after {json.dumps(fields)[:40]}")
def test_json_line_is_read_alike_whatever_came_before(known: dict[str, object]) -> None:
    """That a reader knows one layout changes nothing in what it reads of another, nor of a broken line."""
    for separators in ((",", ":"), (", ", ": "), (" , ", " : ")):
        lines = [json.dumps(fields, separators=separators) for fields in (*ODD, NGINX)]
        lines += [line[:-1] for line in lines] + [line.replace('"status"', "status") for line in lines]
        for line in (*lines, "{}", "[]", '{"status": "200"} x', '{"status": "2000"}'):
            experienced, fresh = (reader_of(Format.NGINX_JSON, "remote_user") for _ in range(2))
            experienced.read(json.dumps(known, separators=separators).encode() + b"\n")
            block = line.encode() + b"\n"
            assert only_request(experienced.read(block)) == only_request(fresh.read(block)), line


@pytest.mark.parametrize("user", [b"\xff", b"caf\xc3\xa9", b"\xed\xa0\x80", b"\xc3"])
def test_user_whose_name_is_no_utf_8_is_one_user(user: bytes) -> None:
    """A name is the bytes that the log has, whether or not its line is like the one before."""
    reader = reader_of(Format.NGINX_JSON, "remote_user")
    block = b'{"status": "503", "remote_user": "' + user + b'"}\n'
    first, second = reader.read(block), reader.read(block)
    assert first == second == Batch(requests=first.requests, users={user}, users_affected={user})


def test_key_that_stands_in_no_line_as_it_is_makes_no_pattern() -> None:
    """A key with half of a surrogate pair is read each time as JSON, and costs no line."""
    reader = reader_of(Format.NGINX_JSON, None)
    block = b'{"status": "200", "\\ud800": 1, "\\ud800*+": 2}\n'
    for _ in range(2):
        assert reader.read(block).requests.total() == 1


def test_layout_of_a_log_may_change() -> None:
    """When a server begins to write other keys, its lines go on being read, and at the speed of known ones."""
    reader = reader_of(Format.NGINX_JSON, "remote_user")
    old, new = ({"status": "200"}, {"status": "500", "remote_user": "ada"})
    for fields in (old, new):
        block = (json.dumps(fields) + "\n").encode() * 1000
        first, second = reader.read(block), reader.read(block)
        assert first == second
        assert first.requests.total() == 1000
    assert second == Batch(requests=second.requests, users={b"ada"}, users_affected={b"ada"})
