"""The twenty questions of docs/on-call.md: each command, typed as it stands there at the moment when one would ask."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.stand import AGENT, BAD, GOOD, REPOSITORY, Stand, stand

PAGE = (REPOSITORY / "docs" / "on-call.md").read_text()
QUESTIONS = {
    int(number): (question, body)
    for number, question, body in re.findall(r"^### (\d+)\. (.+)\n((?:(?!^##).*\n)*)", PAGE, re.MULTILINE)
}


def blocks(body: str, language: str) -> list[str]:
    """The code blocks of a question in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", body, re.DOTALL | re.MULTILINE)


def test_there_are_twenty_questions() -> None:
    """They are numbered, each is a question with a sentence, one query and one command of one line."""
    assert list(QUESTIONS) == list(range(1, 21))
    for question, body in QUESTIONS.values():
        assert question.endswith("?")
        assert re.match(r"[A-Z0-9].+[.:]", body, re.DOTALL), question
        assert len(blocks(body, "promql")) == 1, question
        (command,) = blocks(body, "sh")
        assert re.fullmatch(r"rollback-agent .+\n", command), question


def test_the_index_leads_to_the_questions() -> None:
    """Each link within the page is the anchor of a heading, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


class Typing:
    """Types the commands of the page, with the words in capitals filled in, and remembers which."""

    def __init__(self, here: Stand) -> None:
        self.here = here
        self.typed: set[int] = set()
        self.words = {"DEPLOYMENT": "qrl", "RELEASE": GOOD}

    def look(self) -> None:
        """Take incident and plan from what the agent shows now."""
        incident = self.here.incidents()[0]
        self.words |= {"INCIDENT": incident["id"], "HASH": incident["runs"][-1]["plan"]["hash"][:8]}

    def command(self, number: int) -> list[str]:
        """The arguments of a question's command."""
        self.typed.add(number)
        (line,) = blocks(QUESTIONS[number][1], "sh")
        return [self.words.get(word, word) for word in shlex.split(line)[1:]]

    def type(self, number: int, says: str, code: int = 0) -> None:
        """Its command ends with `code` and prints what `says` finds."""
        printed = self.here.command(*self.command(number), code=code)
        assert re.search(says, printed), printed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A deployment that asks first, has hardly a cooldown, and gives a busy machine all the time that it needs."""
    guardrails = {"cooldown": {"period": "1s"}, "watchdog": {"max_age": "6h"}}
    with stand(tmp_path) as made:
        prometheus = {"url": f"http://127.0.0.1:{made.ports['prometheus']}", "max_age": "60s"}
        approval = {"expires_after": "6h"}
        made.write_config(autonomy="L3", guardrails=guardrails, prometheus=prometheus, approval=approval)
        yield made


def test_every_command_answers(here: Stand) -> None:
    """A bad release, a question, an approval, a rollback; then a denial, a latch, less autonomy, a stop: all twenty."""
    typing = Typing(here)
    here.start()
    here.ship(BAD)
    here.await_firing()
    typing.type(5, f"{GOOD}[\\s\\S]+nothing was changed")
    here.notify()
    here.await_run(state="waiting")
    typing.look()

    typing.type(1, "rollback-agent approve")
    typing.type(2, "deployment:availability:ratio|diagnosis|service_down")
    typing.type(3, "service_down decides")
    typing.type(4, typing.words["INCIDENT"])
    typing.type(9, "waiting for a person's approval")
    typing.type(10, "well +qrl: good release", code=1)  # a quicker tree than the shipped one is wrong, and it says so
    typing.type(11, r"budget[\s\S]+ 3 ")
    typing.type(14, "may be deployed")
    typing.type(17, "a hotfix of qrl is under way")
    log = here.directory / "follow.txt"
    with log.open("w") as output:
        following = subprocess.Popen((AGENT, *typing.command(7), "--config", here.config), stdout=output)
    here.stack.callback(following.kill)
    typing.type(8, "Approved as")
    assert following.wait(240) == 0
    assert "restored" in log.read_text()
    assert here.await_run()["result"] == "restored"
    typing.type(12, '"cooldown_left"')
    typing.type(18, "well")

    here.ship(BAD)
    here.await_firing()
    here.notify()
    here.eventually(lambda: here.incidents()[0]["runs"][-1]["state"] == "waiting", 60)
    here.command("deny", here.incidents()[0]["id"], "--as", "ada")
    here.eventually(lambda: 'rollback_latched{deployment="qrl"} 1.0' in here.metrics(), 60)
    typing.type(13, "was latched because")
    typing.type(16, "qrl at L1")
    here.eventually(lambda: {run["state"] for run in here.runs()} == {"finished"} and len(here.runs()) > 2, 60)
    typing.type(19, "rollback-agent show")
    typing.type(6, "qrl at L3")
    typing.type(15, "The kill switch is on")
    typing.type(20, "is not loaded", code=1)  # Prometheus runs a quicker tree here, and no alerts of the agent
    assert typing.typed == set(QUESTIONS)
