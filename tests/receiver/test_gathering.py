"""What must be there of a request before a thread is given to it."""

from __future__ import annotations

import pytest

from receiver.gathering import MOST_BODY, MOST_HEAD, Gathered, gathered

POST = b"POST /login HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1)

WHOLE = {
    "without a body": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "after an empty line": b"\r\nGET / HTTP/1.1\r\n\r\n",
    "with a body": POST + b"content-length: 5\r\n\r\nname=",
    "chunked": CHUNKED + b"5;x=y\r\nname=\r\n1\r\na\r\n0\r\n\r\n",
    "chunked, with a trailer": CHUNKED + b"5\r\nname=\r\n0\r\nX: y\r\n\r\n",
}


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_a_whole_request_is_enough_and_no_beginning_of_it(request_: bytes) -> None:
    """A thread is given to a request with its last byte, and with none before."""
    assert gathered(request_) is Gathered.ENOUGH
    assert {gathered(request_[:length]) for length in range(len(request_))} == {Gathered.PART}


ENOUGH = {
    "the head of a long body": POST + LONG,
    "more of a chunked body than is gathered": CHUNKED + b"ffffff\r\n" + b"x" * MOST_BODY,
    "a head that never ends": b"GET / HTTP/1.1\r\nX: " + b"y" * MOST_HEAD,
    "a chunk without a size": CHUNKED + b"name\r\n",
    "lines that end without a carriage return": b"GET / HTTP/1.1\nHost: a\n\n",
    "a length that is none": POST + b"Content-Length: many\r\n\r\n",
}


@pytest.mark.parametrize("request_", ENOUGH.values(), ids=ENOUGH)
def test_what_can_be_answered_or_refused_is_not_waited_for(request_: bytes) -> None:
    """A long body is read by a thread, where the application wants it; what is wrong is refused at once."""
    assert gathered(request_) is Gathered.ENOUGH


def test_a_size_within_a_chunk_ends_no_body() -> None:
    """What looks like the last chunk inside of another one is a part of that."""
    assert gathered(CHUNKED + b"20\r\nabc\r\n0\r\n\r\n") is Gathered.PART
