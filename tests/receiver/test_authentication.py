"""Who may do what over HTTP, by role, and what is told to who may not."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.web_config import WebConfig
from tests.receiver.serving import BEARER, OPERATOR, PIPELINE_TOKEN, VIEWER, Receiver, notification, serving
from tests.receiver.test_passwords import hashed

PIPELINE = f"Bearer {PIPELINE_TOKEN}"
ROLES = {"alice": "operator", "carol": "viewer", "alertmanager": "webhook"}
EVERYBODY = {"nobody": None, "webhook": BEARER, "pipeline": PIPELINE, "viewer": VIEWER, "operator": OPERATOR}


def basic(name: str, password: str) -> str:
    """The header of a user."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def with_users(tmp_path: Path) -> Iterator[Receiver]:
    """An interface with users, whose passwords are their names and `-right`."""
    web = WebConfig(basic_auth_users={name: hashed(f"{name}-right") for name in ROLES})
    with serving(tmp_path, web, web={"roles": ROLES, "external_url": "https://agent.example/x"}) as here:
        yield here


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/v1/alerts", {"webhook"}),
        ("GET", "/api/v1/incidents", {"viewer", "operator"}),
        ("GET", "/api/v1/incidents/x", {"viewer", "operator"}),
        ("POST", "/api/v1/incidents/x/decision", {"operator"}),
        ("POST", "/api/v1/deployments/qrl/hotfix", {"pipeline", "operator"}),
        ("POST", "/api/v1/deployments/qrl/releases", {"pipeline", "operator"}),
        ("POST", "/-/reload", {"operator"}),
        ("GET", "/metrics", set(EVERYBODY)),
        ("GET", "/-/healthy", set(EVERYBODY)),
        ("GET", "/-/ready", set(EVERYBODY)),
    ],
)
def test_a_role_opens_what_is_its_own(receiver: Receiver, method: str, path: str, allowed: set[str]) -> None:
    """Nobody is 401 and a role that is not meant is 403, which changes nothing; the others get past it."""
    receiver.reloads = [None]
    for who, authorization in EVERYBODY.items():
        if method == "GET":
            answer = receiver.get(path, **({"Authorization": authorization} if authorization else {}))
        else:
            answer = receiver.post({}, path, authorization)
        expected = 401 if authorization is None else 403
        assert (answer.status_code == expected) == (who not in allowed), (who, answer.text)
    assert receiver.stored() == []


@pytest.mark.parametrize("offered", [BEARER, PIPELINE, VIEWER, OPERATOR, "Bearer of-no-good"])
def test_a_token_is_compared_with_each_in_constant_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, offered: str
) -> None:
    """Whose token it is, or that it is nobody's, is not told by the time either: each is compared, and wholly."""
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def compare_and_tell(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_and_tell)
    receiver.get("/api/v1/incidents", Authorization=offered)

    tokens = [known.removeprefix("Bearer ").encode() for known in (BEARER, PIPELINE, VIEWER, OPERATOR)]
    assert sorted(compared) == sorted((token, offered.removeprefix("Bearer ").encode()) for token in tokens)


def test_a_403_says_what_is_needed(receiver: Receiver) -> None:
    """Who is known is told their role and the one that is needed."""
    answer = receiver.post(b"", "/-/reload", VIEWER)
    assert (answer.status_code, answer.json()) == (403, {"error": "viewer is viewer, and this needs operator"})


def test_beyond_loopback_metrics_are_for_viewers(tmp_path: Path) -> None:
    """Where other machines can ask, a scrape needs a viewer or an operator; the state of health does not."""
    with serving(tmp_path, listen="0.0.0.0:9195") as here:
        assert here.get("/metrics").status_code == 401
        assert here.get("/metrics", Authorization=BEARER).status_code == 403
        assert [here.get("/metrics", Authorization=one).status_code for one in (VIEWER, OPERATOR)] == [200, 200]
        assert here.get("/-/healthy").status_code == 200


def test_users_sign_in_with_their_password(with_users: Receiver) -> None:
    """A user may do what their role may, and Alertmanager may be one of them."""
    assert with_users.get("/api/v1/incidents", Authorization=basic("carol", "carol-right")).status_code == 200
    assert with_users.post(b"", "/-/reload", basic("carol", "carol-right")).status_code == 403
    assert with_users.post(notification(), authorization=basic("alertmanager", "alertmanager-right")).status_code == 202


@pytest.mark.parametrize(
    "authorization",
    [
        basic("carol", "wrong"),
        basic("mallory", "carol-right"),
        basic("Carol", "carol-right"),
        basic("", ""),
        "Basic",
        "Basic =",
        "Basic " + base64.b64encode(b"carol").decode(),
        "Basic " + base64.b64encode(b"carol:\xff").decode(),
        "Basic carol:carol-right",
        "Digest carol",
        basic("carol", "carol-right") + ", " + VIEWER,
    ],
)
def test_anything_else_is_one_and_the_same_answer(with_users: Receiver, authorization: str) -> None:
    """A wrong password, an unknown user and a header that is none are not told apart; both ways are offered."""
    answer = with_users.get("/api/v1/incidents", Authorization=authorization)

    assert answer.status_code == 401
    assert answer.json() == {"error": "credentials are needed, and they must be ones that are configured"}
    offered = answer.raw.headers.getlist("WWW-Authenticate")
    assert offered == ['Bearer realm="rollback-agent"', 'Basic realm="rollback-agent", charset="UTF-8"']


def test_guessing_is_429_with_when_to_come_again(with_users: Receiver) -> None:
    """After ten wrong passwords not even the right one is looked at, and a right token still is."""
    answers = [with_users.get("/api/v1/incidents", Authorization=basic("carol", "wrong")) for _ in range(11)]
    right = with_users.get("/api/v1/incidents", Authorization=basic("carol", "carol-right"))

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert (right.status_code, 0 < int(right.headers["Retry-After"]) <= 60) == (429, True)
    assert "too many attempts failed" in right.json()["error"]


def test_a_known_person_is_not_locked_out(with_users: Receiver) -> None:
    """Who signed in before still does after another's guesses at other names from the same address."""
    right = basic("alice", "alice-right")
    assert with_users.get("/api/v1/incidents", Authorization=right).status_code == 200
    for number in range(11):
        with_users.get("/api/v1/incidents", Authorization=basic(f"user{number}", "wrong"))
    assert with_users.get("/api/v1/incidents", Authorization=basic("carol", "carol-right")).status_code == 429
    assert with_users.get("/api/v1/incidents", Authorization=right).status_code == 200


def test_wrong_tokens_are_throttled_and_right_ones_never(receiver: Receiver) -> None:
    """A flood of wrong tokens is 429, and the right one is let in all the while."""
    wrong = [receiver.get("/api/v1/incidents", Authorization="Bearer wrong-and-long-enough") for _ in range(12)]
    assert [answer.status_code for answer in wrong] == [401] * 10 + [429] * 2
    assert receiver.get("/api/v1/incidents", Authorization=VIEWER).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer wrong-and-long-enough", basic("alertmanager", "wrong")])
def test_the_webhook_is_never_429(with_users: Receiver, authorization: str) -> None:
    """Alertmanager's endpoint says 401 however often, and takes the right token from the same address."""
    answers = [with_users.post(notification(), authorization=authorization) for _ in range(13)]
    assert {answer.status_code for answer in answers} == {401}
    assert with_users.post(notification()).status_code == 202


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://agent.example.evil", "http://", ""])
def test_another_sites_page_cannot_use_a_browsers_credentials(with_users: Receiver, origin: str) -> None:
    """What a browser sends by itself counts for no write that another site's page makes."""
    with_users.reloads = []
    headers = {"Authorization": basic("alice", "alice-right"), "Origin": origin}
    answer = with_users.request("POST", "/-/reload", headers)
    assert answer.status_code == 403
    assert "another site's page" in answer.json()["error"]


def test_the_agents_own_page_can(with_users: Receiver) -> None:
    """The address that was asked, and the one by which people reach it, are its own; a token is no browser's."""
    with_users.reloads = [None] * 4
    password = {"Authorization": basic("alice", "alice-right")}
    for headers in (
        password,
        password | {"Origin": with_users.url},
        password | {"Origin": "https://agent.example"},
        password | {"Origin": "https://agent.example", "Authorization": OPERATOR},
    ):
        assert with_users.request("POST", "/-/reload", headers).status_code == 200


def test_no_answer_repeats_what_was_offered(with_users: Receiver) -> None:
    """A password or token that was sent stands in no answer."""
    for authorization in ("Bearer hunter2hunter2", basic("hunter2", "hunter2"), "hunter2"):
        answer = with_users.get("/api/v1/incidents", Authorization=authorization)
        assert "hunter2" not in answer.text + str(answer.headers)


def test_refused_notifications_are_logged_but_do_not_fill_the_disk(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of the first ten in a minute is a line with its reason and address, and however many follow are none."""
    for _ in range(40):
        receiver.post(notification(), authorization="Bearer wrong-and-long-enough")
    said = "".join(capsys.readouterr())
    assert said.count("a notification was refused") == 10
    assert "127.0.0.1" in said
    assert "wrong-and-long-enough" not in said
