"""The HTTP interface behind its real server: who is let in, what is where, and in which form."""

from __future__ import annotations

import base64
import json

import pytest
import requests

from receiver.journal import incidents
from tests.receiver.serving import BEARER, OPERATOR, TOKEN, VIEWER, Receiver, notification


def test_a_notification_is_stored_before_the_answer(receiver: Receiver) -> None:
    """202 means that it is in the journal and that the workers were told."""
    answer = receiver.post(notification())

    assert (answer.status_code, answer.json()["alerts"], answer.json()["invalid"]) == (202, 1, 0)
    kept = {"status": "firing", "alertname": "ServiceDown", "deployment": "qrl", "branch": "service_down"}
    assert receiver.stored() == [(kept,)]
    assert receiver.told == [1]
    assert receiver.counted() == {"accepted": 1}


def test_a_trailing_slash_is_no_redirect(receiver: Receiver) -> None:
    """With a slash at the end it is accepted at once: Alertmanager would repeat a redirected POST as a GET."""
    assert receiver.post(notification(), path="/api/v1/alerts/").status_code == 202
    assert len(receiver.stored()) == 1


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer \xfc{TOKEN}",
        f"Basic {TOKEN}",
        "Basic " + base64.b64encode(f"alertmanager:{TOKEN}".encode()).decode(),
        TOKEN,
    ],
)
def test_without_the_token_nothing_is_stored(receiver: Receiver, authorization: str | None) -> None:
    """No token, a wrong one, too much of it, or another scheme is 401, says what is needed, and is counted (T1)."""
    answer = receiver.post(notification(), authorization=authorization)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="rollback-agent"')
    assert answer.json() == {"error": "credentials are needed, and they must be ones that are configured"}
    assert (receiver.stored(), receiver.told) == ([], [])
    assert receiver.counted() == {"unauthorized": 1}


def test_the_scheme_may_be_written_small(receiver: Receiver) -> None:
    """HTTP's schemes have no case, its tokens have."""
    assert receiver.post(notification(), authorization=f"bearer {TOKEN}").status_code == 202


@pytest.mark.parametrize("first", [BEARER.encode(), b"Bearer wrong", b"Basic eDp5"])
def test_a_doubled_authorization_is_refused(receiver: Receiver, first: bytes) -> None:
    """Two Authorization headers are nobody's, also where one of them, or both, are right (T1)."""
    answer = receiver.raw(
        b"POST /api/v1/alerts HTTP/1.1", b"Authorization: " + first, b"Authorization: " + BEARER.encode(),
        body=json.dumps(notification()).encode(),
    )  # fmt: skip

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert (receiver.stored(), receiver.counted()) == ([], {"unauthorized": 1})


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/incidents/x"])
def test_incidents_need_the_token(receiver: Receiver, path: str) -> None:
    """What happened is shown to nobody without the token, and that is no rejected notification."""
    answer = receiver.get(path)

    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert receiver.counted() == {}


def test_incidents_are_shown(receiver: Receiver) -> None:
    """To a viewer all incidents are shown, or one by its id; an unknown id is 404."""
    with receiver.database.write() as tx:
        incidents.wake(tx, "qrl", 1.0, deciding=None)

    (found,) = receiver.get("/api/v1/incidents", Authorization=VIEWER).json()["incidents"]
    one = receiver.get(f"/api/v1/incidents/{found['id']}", Authorization=VIEWER)
    none = receiver.get("/api/v1/incidents/<b>x", Authorization=OPERATOR)

    assert (found["deployment"], one.json()) == ("qrl", found)
    assert (none.status_code, none.json()) == (404, {"error": "there is no incident <b>x"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_only_a_post_notifies(receiver: Receiver, method: str) -> None:
    """Any other method is 405, names the one that is possible, and stores nothing."""
    answer = requests.request(
        method, f"{receiver.url}/api/v1/alerts", headers={"Authorization": BEARER}, json=notification(), timeout=10
    )

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert method == "HEAD" or answer.json() == {"error": f"{method} is not possible at /api/v1/alerts"}
    assert receiver.stored() == []


@pytest.mark.parametrize("path", ["/api/v1", "/api//v1/alerts", "/api/v1/alerts//", "/api/v2/alerts", "/%ff"])
def test_there_is_nothing_at_another_path(receiver: Receiver, path: str) -> None:
    """Another path is 404 with a hint, never a redirect."""
    answer = receiver.post(notification(), path=path)

    assert answer.status_code == 404
    assert answer.json()["error"].endswith("notifications go to POST /api/v1/alerts")
    assert receiver.stored() == []


def test_a_path_that_begins_like_a_host_is_refused(receiver: Receiver) -> None:
    """`//api/v1/alerts` could mean the host `api`: it is refused, not redirected and not accepted."""
    answer = receiver.raw(b"POST //api/v1/alerts HTTP/1.1", b"Authorization: " + BEARER.encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert receiver.stored() == []


@pytest.mark.parametrize(
    ("accept", "content_type", "end"),
    [
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=1.0.0", "# EOF\n"),
        ("text/plain; version=0.0.4", "text/plain; version=0.0.4", "\n"),
        ("*/*", "text/plain; version=0.0.4", "\n"),
    ],
)
def test_metrics_are_in_the_format_that_was_asked_for(
    receiver: Receiver, accept: str, content_type: str, end: str
) -> None:
    """A scrape gets OpenMetrics where it accepts that, and the text format otherwise, under the right type."""
    answer = receiver.get("/metrics", Accept=accept)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.text.endswith(end)
    assert 'rollback_notifications_total{outcome="accepted"} 0.0\n' in answer.text


def test_health_needs_no_token_and_readiness_tells_the_truth(receiver: Receiver) -> None:
    """The process is healthy while it answers, and ready only while nothing speaks against it, which it says."""
    assert [receiver.get(f"/-/{name}").status_code for name in ("healthy", "ready")] == [200, 200]
    receiver.why_not_ready = "The journal cannot be written."
    assert receiver.get("/-/ready").text == "The journal cannot be written.\n"
    assert [receiver.get(f"/-/{name}").status_code for name in ("healthy", "ready")] == [200, 503]


def test_a_reload_needs_an_operator(receiver: Receiver) -> None:
    """Without one nothing is reloaded, and it counts as no notification."""
    receiver.reloads = [None]
    assert receiver.post(b"", "/-/reload", authorization="Bearer wrong-and-long-enough").status_code == 401
    assert [receiver.post(b"", "/-/reload", authorization=one).status_code for one in (BEARER, VIEWER)] == [403, 403]
    assert receiver.get("/-/reload", Authorization=OPERATOR).status_code == 405
    assert (receiver.reloads, receiver.counted()) == ([None], {})


def test_a_reload_says_how_it_went(receiver: Receiver) -> None:
    """200 once the new configuration is in force, 500 with the reason where the old one stays."""
    receiver.reloads = [None, "the old configuration stays in force: why"]

    good, bad = (receiver.post(b"", "/-/reload", authorization=OPERATOR) for _ in range(2))

    assert (good.status_code, good.json()) == (200, {"status": "reloaded"})
    assert (bad.status_code, bad.json()) == (500, {"error": "the old configuration stays in force: why"})
