"""The endpoints for announcements as they are served: who is let in, what is taken, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from receiver.journal import hotfixes, releases
from tests.receiver.journal.rows import at_once
from tests.receiver.serving import BEARER, OPERATOR, PIPELINE_TOKEN, VIEWER, Receiver

PIPELINE = f"Bearer {PIPELINE_TOKEN}"
HOTFIX, RELEASES = "/api/v1/deployments/qrl/hotfix", "/api/v1/deployments/qrl/releases"
START = {"action": "start", "eta": "10m", "by": "ada", "comment": "a missing index"}
DEPLOY = {"event": "start", "release": "r3", "commit": "abc1234", "author": "grace"}
FINISH = {"event": "finish", "release": "r3", "migration": "failed", "irreversible": True}


def post(receiver: Receiver, path: str, body: Any, authorization: str | None = PIPELINE) -> requests.Response:
    return receiver.post(body, path, authorization)


def kept(receiver: Receiver) -> tuple[object, ...]:
    """Everything that the journal and the audit trail hold of announcements."""
    with receiver.database.read() as tx:
        return hotfixes.unresolved(tx, "qrl"), *releases.known(tx, "qrl"), *receiver.audited()


def test_a_hotfix_is_announced_and_done(receiver: Receiver) -> None:
    """A start is 201 with the hotfix, its end 200; both are on the audit trail with who said it."""
    started = post(receiver, HOTFIX, START)
    done = post(receiver, HOTFIX, {"action": "done", "by": "grace"})

    assert (started.status_code, done.status_code) == (201, 200)
    hotfix = started.json()
    assert (hotfix["deployment"], hotfix["state"], hotfix["started_by"]) == ("qrl", "running", "ada")
    assert (hotfix["deadline"] - hotfix["started_at"], hotfix["comment"]) == (pytest.approx(600), "a missing index")
    assert (done.json()["id"], done.json()["state"], done.json()["ended_by"]) == (hotfix["id"], "done", "grace")
    assert [(one["decision"], one["actor"], one["deployment"]) for one in receiver.audited()] == [
        ("hotfix:start", "ada", "qrl"), ("hotfix:done", "grace", "qrl"),
    ]  # fmt: skip


def test_a_hotfix_that_failed_stays_until_another_one(receiver: Receiver) -> None:
    """After a failure another hotfix may be announced; a failure is said once."""
    post(receiver, HOTFIX, START)

    assert post(receiver, HOTFIX, {"action": "failed"}).json()["state"] == "failed"
    again = post(receiver, HOTFIX, {"action": "failed"})
    assert (again.status_code, again.json()) == (
        409, {"error": "the hotfix of qrl was reported failed by pipeline already"},
    )  # fmt: skip
    assert post(receiver, HOTFIX, START).status_code == 201


def test_of_two_hotfixes_at_once_one_is_taken(receiver: Receiver) -> None:
    """A second hotfix is 409 and told who is at work, also where both come in the same moment."""
    answers = at_once(2, lambda _: post(receiver, HOTFIX, START))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    error = max(answers, key=lambda answer: answer.status_code).json()["error"]
    assert error.startswith("a hotfix of qrl by ada is under way until ")
    assert len(receiver.audited()) == 1


@pytest.mark.parametrize("action", ["done", "failed"])
def test_without_a_hotfix_there_is_nothing_to_end(receiver: Receiver, action: str) -> None:
    """Done or failed without a hotfix is 409."""
    answer = post(receiver, HOTFIX, {"action": action})

    assert (answer.status_code, answer.json()) == (409, {"error": "no hotfix of qrl is under way"})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (START | {"eta": "15m"}, "0:15:00 is too long for a hotfix: it is live in less than 0:15:00, or the release"),
        (START | {"eta": "14m59s999ms"}, None),
        (START | {"eta": "0s"}, "the ETA of a hotfix must be longer than 0s"),
        (START | {"eta": "soon"}, "eta: 'soon' is not a duration; write a number with its unit"),
        (START | {"eta": 600}, "eta: 600 is not a duration"),
        ({"action": "start"}, "eta: Field required"),
        (START | {"action": "stop"}, "the body cannot be used: Input tag 'stop' found using 'action'"),
        ({"eta": "10m"}, "the body cannot be used: Unable to extract tag using discriminator 'action'"),
        ({"action": "done", "eta": "10m"}, "eta: unknown key"),
        (START | {"by": ""}, "by: must not be empty"),
        (START | {"by": "a\x00b"}, "by: holds a character that cannot be printed"),
        (START | {"comment": "\x1b[31m"}, "comment: holds a character that cannot be printed"),
        (START | {"comment": "x" * 301}, "comment: String should have at most 300 characters"),
        (START | {"by": "\ud800"}, "the body cannot be used: Invalid JSON"),
        (b"{", "the body cannot be used: Invalid JSON"),
        (b"", "the body cannot be used: Invalid JSON"),
        (b"\xff", "the body cannot be used: Invalid JSON"),
        ([START], "the body cannot be used: "),
        (b"[" * 10_000, "the body cannot be used: Invalid JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_hotfix_that_cannot_be_taken_says_why(receiver: Receiver, body: Any, sentence: str | None) -> None:
    """What is no hotfix is 400 with a sentence, and nothing of it is kept; the longest that is one is taken."""
    answer = post(receiver, HOTFIX, body)

    if sentence is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert kept(receiver) == (None,)


def test_a_deploy_is_reported(receiver: Receiver) -> None:
    """A start is 201 and its end 200, each with what is known of the deploy; both are on the audit trail."""
    begun = post(receiver, RELEASES, DEPLOY)
    ended = post(receiver, RELEASES, FINISH)

    assert (begun.status_code, ended.status_code) == (201, 200)
    assert (begun.json()["commit"], begun.json()["author"], begun.json()["finished_at"]) == ("abc1234", "grace", None)
    assert (ended.json()["started_at"], ended.json()["migration"]) == (begun.json()["started_at"], "failed")
    assert (begun.json()["irreversible"], ended.json()["irreversible"]) == (None, True)
    with receiver.database.read() as tx:
        assert releases.has_failed_migration(tx, "qrl", "r3")
    assert [(one["decision"], one["reasoning"]) for one in receiver.audited()] == [
        ("release:start", "r3"), ("release:finish", "r3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (DEPLOY | {"release": "../r3"}, "release: '../r3' is no name; use letters, digits, dot, underscore, hyphen"),
        (DEPLOY | {"release": ""}, "release: '' is no name"),
        (DEPLOY | {"release": "r" * 64}, f"release: '{'r' * 64}' is no name"),
        (DEPLOY | {"release": "r3\n"}, "release: 'r3\\n' is no name"),
        (DEPLOY | {"release": 3}, "release: Input should be a valid string"),
        (DEPLOY | {"migration": "ok"}, "migration: unknown key"),
        (FINISH | {"migration": "maybe"}, "migration: Input should be 'none', 'ok' or 'failed'"),
        (DEPLOY | {"irreversible": True}, "irreversible: unknown key"),
        (FINISH | {"irreversible": 1}, "irreversible: Input should be a valid boolean"),
        ({"event": "start"}, "release: Field required"),
        ({"release": "r3"}, "the body cannot be used: "),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_report_that_cannot_be_taken_says_why(receiver: Receiver, body: Any, sentence: str) -> None:
    """What is no report of a deploy is 400 with a sentence, and nothing of it is kept."""
    answer = post(receiver, RELEASES, body)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert kept(receiver) == (None,)


@pytest.mark.parametrize(("path", "body"), [(HOTFIX, START), (RELEASES, DEPLOY)])
def test_an_unknown_deployment_is_404(receiver: Receiver, path: str, body: Any) -> None:
    """A deployment that the configuration does not have is told with those that it has."""
    answer = post(receiver, path.replace("qrl", "<b>qrx"), body)

    assert (answer.status_code, answer.json()) == (
        404, {"error": "there is no deployment <b>qrx; the configuration has qrl, shop"},
    )  # fmt: skip


@pytest.mark.parametrize("authorization", [None, BEARER, VIEWER, f"{PIPELINE}x", f"Basic {PIPELINE_TOKEN}"])
@pytest.mark.parametrize(("path", "body"), [(HOTFIX, START), (RELEASES, DEPLOY)])
def test_others_are_not_let_in(receiver: Receiver, path: str, body: Any, authorization: str | None) -> None:
    """Without a token, or with one that is not for it, nothing is kept or told, and no notification was rejected."""
    answers = [
        post(receiver, path, body, authorization),
        post(receiver, path.replace("qrl", "qrx"), b"{", authorization),
    ]

    assert [answer.status_code for answer in answers] == [403 if authorization in (BEARER, VIEWER) else 401] * 2
    assert (kept(receiver), receiver.counted()) == ((None,), {})


def test_the_pipelines_token_notifies_nobody(receiver: Receiver) -> None:
    """Who may report a deploy may not post alerts, nor read incidents."""
    assert post(receiver, "/api/v1/alerts", {}).status_code == 403
    assert receiver.get("/api/v1/incidents", Authorization=PIPELINE).status_code == 403


def test_a_person_speaks_for_themselves(receiver: Receiver) -> None:
    """An operator reports under their own name, whatever name they give; a pipeline may speak for another."""
    assert post(receiver, HOTFIX, START | {"by": "ada"}, OPERATOR).json()["started_by"] == "operator"
    assert post(receiver, HOTFIX, {"action": "failed", "by": "ada"}).json()["ended_by"] == "ada"


def test_without_a_usable_token_file_nobody_is_let_in(receiver: Receiver) -> None:
    """A token file that others may read is 503."""
    receiver.pipeline_file.chmod(0o644)

    assert post(receiver, HOTFIX, START).status_code == 503
    assert kept(receiver) == (None,)


@pytest.mark.parametrize(("path", "body"), [(HOTFIX, START), (RELEASES, DEPLOY)])
def test_what_cannot_be_audited_is_not_taken(receiver: Receiver, path: str, body: Any) -> None:
    """Without a record on disk nothing is kept, and the pipeline is told to come again."""
    (receiver.directory / "audit-trail.jsonl").mkdir()

    answer = post(receiver, path, body)

    assert (answer.status_code, "audit trail" in answer.json()["error"]) == (503, True)
    with receiver.database.read() as tx:
        assert (hotfixes.unresolved(tx, "qrl"), releases.known(tx, "qrl")) == (None, {})


def ask_gate(receiver: Receiver, query: str, authorization: str | None = PIPELINE) -> requests.Response:
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(f"{receiver.url}/api/v1/deployments/qrl/gate{query}", headers=headers, timeout=30)


def test_the_gate_is_423_for_a_held_release(receiver: Receiver) -> None:
    """Open is 200, held is 423 with the reason, also by its commit; whoever may look may ask."""
    assert ask_gate(receiver, "?release=r3").json() == {
        "deployment": "qrl", "release": "r3", "open": True, "reasons": [],
    }  # fmt: skip
    post(receiver, RELEASES, DEPLOY)
    with receiver.database.write() as tx:
        releases.hold(tx, "qrl", "r3", 1_800_000_000.0, "ada")

    for query in ("?release=r3", "?release=r4&commit=abc1234"):
        for who in (PIPELINE, VIEWER, OPERATOR):
            refused = ask_gate(receiver, query, who)
            assert refused.status_code == 423
            assert "has been held since" in refused.json()["reasons"][0]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "release: Field required"),
        ("?release=a/b", "release: 'a/b' is no name"),
        ("?release=r3&release=r4", "release: Input should be a valid string"),
        ("?release=r3&comit=abc", "comit: unknown key"),
    ],
)
def test_a_question_that_cannot_be_understood_is_400(receiver: Receiver, query: str, error: str) -> None:
    """A misspelt parameter is told rather than left out: it would open the gate."""
    answer = ask_gate(receiver, query)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (400, error)


def test_the_gate_is_for_who_is_known(receiver: Receiver) -> None:
    """Without credentials it says nothing of what is held, and of an unknown deployment it is 404."""
    assert ask_gate(receiver, "?release=r3", None).status_code == 401
    assert ask_gate(receiver, "?release=r3", BEARER).status_code == 403
    url = f"{receiver.url}/api/v1/deployments/nothing/gate?release=r3"
    assert requests.get(url, headers={"Authorization": PIPELINE}, timeout=30).status_code == 404
