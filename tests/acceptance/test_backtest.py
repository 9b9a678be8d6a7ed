"""`rollback-agent backtest` on a real Prometheus that remembers drawn incidents."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from receiver.backtest.activity import Span, Window, active, windows
from receiver.backtest.replay import replay
from receiver.backtest.rule_set import read_rule_set
from receiver.durations import clock_time, unix_seconds
from receiver.journal import reviews, tables
from receiver.journal.database import open_database
from receiver.journal.schema import migrate
from receiver.model import Found
from receiver.prometheus_api import PrometheusApi
from receiver.rules.files import SHIPPED, TREE
from tests.corpus.history import BEGAN, LAST, STEP, Alerted, Drawn, draw, iso, remembered, write_reviewed
from tests.receiver.learning.reviewed import review
from tests.receiver.rules.ruled import AGENT, Ruled

SHAPES = ("crash", "errors_above_the_threshold", "login_broken", "flapping", "scrape_outage", "good_release", "blip")
SPAN = Span(BEGAN, LAST, STEP)


class Here:
    """A Prometheus that remembers one incident of some shapes, and an agent's configuration that names it."""

    def __init__(self, url: str, drawn: list[Drawn], directory: Path) -> None:
        self.api = PrometheusApi(url, 120.0)
        ruled = Ruled(directory)
        content = json.loads(ruled.config.read_text())
        ruled.config.write_text(json.dumps(content | {"prometheus": {"url": url}}))
        self.config = ruled.config
        self.root = directory / "rollback"
        self.drawn = drawn
        self.reviewed = write_reviewed(drawn, directory / "reviewed.json")

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """What `backtest` prints of all that is remembered."""
        period = ("--from", iso(BEGAN), "--to", iso(LAST))
        done = subprocess.run(
            (AGENT, "backtest", *period, *arguments, "--config", self.config),
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def journal(self, *but: str) -> Iterator[None]:
        """Meanwhile the journal has these incidents, each with what a person found; of shapes in `but` nothing."""
        self.root.mkdir()
        database = open_database(self.root)
        migrate(database)
        with database.write() as tx:
            for number, one in enumerate(self.drawn):
                span = {key: unix_seconds(one.reviewed()[key]) for key in ("since", "until")}
                found = {"necessary": Found.YES if one.shape.rollback else Found.NO, "cause": one.shape.name}
                told = {"began_at": span["since"], "deployment": one.deployment, "noticed_at": None, **found}
                if one.shape.name == "login_broken":  # as if the agent had missed it
                    reviews.put(tx, review(number, incident=None, ended_at=span["until"], **told))
                    continue
                row = {"id": f"incident-{number}", "deployment": one.deployment}
                tx.execute(
                    sa.insert(tables.incident).values(**row, opened_at=span["since"] + 20, closed_at=span["until"])
                )
                if one.shape.name not in but:
                    reviews.put(tx, review(number, **told))
        try:
            yield
        finally:
            database.engine.dispose()
            shutil.rmtree(self.root)

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """The same as JSON."""
        found: dict[str, Any] = json.loads(self.run("--reviewed", self.reviewed, "--json", *arguments))
        return found


def recorded(drawn: list[Drawn]) -> Iterator[Alerted]:
    """Live rules that rolled the crash back half a minute after its beginning, and a shadow that was in error twice."""
    rollback = {"action": "rollback", "level": "fast", "confidence": "0.99", "severity": "critical"}
    down = rollback | {"alertname": "ServiceDown", "rank": "1"}
    broken = rollback | {"alertname": "ShadowPaymentBroken", "rank": "4", "shadow": "strict"}
    for one in drawn:
        since, name = one.since, {"deployment": one.deployment}
        if one.shape.name == "crash":
            yield Alerted(down | name | {"branch": "service_down"}, since + 30, since + 300)
            yield Alerted(broken | name | {"shadow_branch": "payment_broken"}, since + 60, since + 300)
        if one.shape.name == "good_release":
            yield Alerted(broken | name | {"shadow_branch": "payment_broken"}, since, since + 300)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    directory = tmp_path_factory.mktemp("backtest")
    drawn = [one for one in draw(1) if one.shape.name in SHAPES]
    with remembered(drawn, directory / "prometheus", list(recorded(drawn))) as server:
        yield Here(server.url, drawn, directory)


def test_decisions_are_judged_by_the_reviewed_incidents(here: Here) -> None:
    """Bad releases are rolled back within a minute, gaps and good releases are left alone, and mistakes are named."""
    found = here.json()
    told = {one["cause"]: one for one in found["reviewed"]}
    for cause in ("crash", "errors_above_the_threshold", "login_broken", "flapping"):
        assert told[cause]["right"], cause
        assert told[cause]["delay"] <= 60, cause
    assert told["login_broken"]["rolled_back_by"] == "authentication_broken"
    assert told["scrape_outage"]["right"]
    assert told["good_release"]["right"]
    # A second of errors in a busy minute is above 10 % of it: the shipped rules do not wait.
    assert told["blip"]["rolled_back_by"] == "high_error_rate"
    assert not told["blip"]["right"]
    assert told["crash"]["failed_until_decision"] < told["crash"]["failed_after_decision"]
    matrix = found["matrix"]["all"]
    assert (matrix["true_positives"], matrix["false_negatives"], matrix["true_negatives"]) == (4, 0, 2)
    assert matrix["recall"] == 1.0
    rolled_back = [one for one in found["decisions"] if one["course"] == "rolled_back" and one["release"]]
    assert rolled_back
    assert all(one["release_age"] >= 0 for one in rolled_back)
    not_done = {(one["deployment"], one["since"]): one for one in found["stopped"]}
    assert not_done
    assert all(one["refusals"] or one["reason"] for one in not_done.values())
    for name in {one["deployment"] for one in rolled_back}:
        done = [
            one["since"] for one in rolled_back if one["deployment"] == name and (name, one["since"]) not in not_done
        ]
        assert 1 <= len(done) <= 3
        assert all(later - earlier >= 300 for earlier, later in pairwise(done))


def test_without_a_file_the_reviews_of_the_journal_judge(here: Here) -> None:
    """Reviewed and missed incidents give the figures that a file gives; what nobody has reviewed is in none of them."""
    only = [part for name in ("crash", "login-broken", "blip") for part in ("--deployment", f"{name}-00")]
    by_file = here.json(*only)
    with here.journal():
        by_journal = json.loads(here.run("--json", *only))
        assert (by_journal["matrix"], by_journal["unanswered"]) == (by_file["matrix"], [])
        assert [one["delay"] for one in by_journal["reviewed"]] == [one["delay"] for one in by_file["reviewed"]]
        assert here.json(*only) == by_file
    with here.journal("blip", "crash"):
        found = json.loads(here.run("--json", *only))
        text = here.run("--sweep", "high_error_rate.threshold=0.1,0.99", *only)
        text += here.run(*only)
    count = sum(
        one["course"] == "rolled_back" and one["deployment"] != "login-broken-00" for one in by_file["decisions"]
    )
    assert (len(found["reviewed"]), len(found["unanswered"]), found["rollbacks_unanswered"]) == (1, 2, count)
    assert (by_file["matrix"]["all"]["true_positives"], by_file["matrix"]["all"]["false_positives"]) == (2, 1)
    assert (found["matrix"]["all"]["true_positives"], found["matrix"]["all"]["false_positives"]) == (1, 0)
    assert "as it is" in text
    assert "1 reviewed incident, by the journal" in text
    assert f"{count} in incidents without an answer (in no figure), 0 where there was no incident" in text
    assert "2 incidents without an answer: nobody has reviewed it" in text


def test_what_was_recorded_stands_beside_it(here: Here) -> None:
    """What was live and what a shadow decided is told beside the replay, and judged by the same reviews."""
    only = ("--deployment", "crash-00", "--deployment", "good-release-00")
    live, strict = here.json(*only)["recorded"]
    assert (live["shadow"], strict["shadow"]) == (None, "strict")
    assert [(one["deployment"], one["branch"], one["course"]) for one in live["decisions"]] == [
        ("crash-00", "service_down", "rolled_back")
    ]
    assert [(one["deployment"], one["branch"]) for one in strict["decisions"]] == [
        ("crash-00", "payment_broken"),
        ("good-release-00", "payment_broken"),
    ]
    assert (live["matrix"]["true_positives"], live["matrix"]["false_positives"]) == (1, 0)
    assert (strict["matrix"]["true_positives"], strict["matrix"]["false_positives"]) == (1, 1)

    text = here.run("--reviewed", here.reviewed, *only)
    (crash,) = (one for one in here.drawn if one.shape.name == "crash")
    at = clock_time(crash.since + 30)[11:]
    (row,) = (line for line in text.splitlines() if "service_down" in line and at in line)
    assert row.split()[-1] == "-"
    assert "shadow strict" in text
    assert "no decision of this time, neither live nor in shadow" in here.run("--deployment", "flapping-00")


def test_other_threshold_decides_otherwise(here: Here) -> None:
    """With a threshold of half of all requests, an incident of 11 to 20 % is no longer rolled back by that branch."""
    only = ("--deployment", "errors-above-the-threshold-00")
    before, after = (
        {one["branch"] for one in here.json(*only, *more)["decisions"] if one["course"] == "rolled_back"}
        for more in ((), ("--set", "high_error_rate.threshold=0.5"))
    )
    assert "high_error_rate" in before
    assert "high_error_rate" not in after


def test_it_is_told_to_people(here: Here) -> None:
    """The table names each incident, its mistake, and precision and recall."""
    text = here.run("--reviewed", here.reviewed)
    assert "WRONG: rolled_back by high_error_rate" in text
    assert "recall                           100.0%" in text
    text = here.run("--deployment", "good-release-00")
    assert "Nobody has said which of them are right: there is no journal at " in text


def test_sweep_draws_the_curve_and_proposes(here: Here, tmp_path: Path) -> None:
    """Each value has its line; one that would have missed nothing and left the blip alone is proposed, with that."""
    svg = tmp_path / "curve.svg"
    text = here.run(
        *("--deployment", "login-broken-00", "--deployment", "blip-00", "--reviewed", here.reviewed),
        *("--sweep", "high_error_rate.threshold=0.1,0.99", "--svg", svg),
    )
    assert "high_error_rate.threshold=0.99: most often right (F1)" in text
    assert "blip-00 (blip): not rolled back, which is right" in text
    assert svg.read_text().count('class="point"') == 2


def test_written_numbers_are_in_the_files(here: Here, tmp_path: Path) -> None:
    """--write changes the named rule file and shows the difference; what is shipped stays."""
    rules = tmp_path / TREE
    rules.write_text((SHIPPED / TREE).read_text())
    text = here.run(
        *("--deployment", "good-release-00", "--rules", rules, "--set", "high_error_rate.threshold=0.08", "--write")
    )
    assert text.count("ratio_rate1m > 0.08 and") == 1
    assert "ratio_rate5m > 0.08 and" in rules.read_text()
    assert "> 0.08" not in (SHIPPED / TREE).read_text()


def test_wrong_usage_is_told(here: Here, tmp_path: Path) -> None:
    """An unknown branch, a program that is not there and a period that ends before it begins are sentences."""
    assert "nope is no branch" in here.run("--set", "nope.threshold=1", code=2)
    assert "cannot be started" in here.run("--promtool", str(tmp_path / "none"), code=1)
    sweep = ("--sweep", "high_error_rate.threshold=0.1,0.2")
    assert "--sweep needs reviews, since no value is better than another without: there is no journal" in here.run(
        *sweep, code=1
    )
    elsewhere = tmp_path / "reviewed.yml"
    elsewhere.write_text("incidents: [{deployment: qrl, since: 2020-01-01, until: 2020-01-02, rollback: true}]")
    assert "has no reviewed incident of this time" in here.run(*sweep, "--reviewed", elsewhere, code=1)
    assert "--write writes what --set says" in here.run("--write", code=2)
    assert "--to must be later" in here.run("--to", "2020-01-01", code=2)


@pytest.mark.parametrize(("deployment", "fires"), [("flapping-00", True), ("scrape-outage-00", False)])
def test_windows_fire_as_the_whole_does(here: Here, deployment: str, fires: bool) -> None:
    """What is replayed in windows, with the rules that matter in them, fires as all rules over all of the time do."""
    rules = read_rule_set(SHIPPED / TREE)
    found = active(here.api, rules, SPAN, lambda name: name == deployment, lambda: None)
    parts = list(windows(found, rules, SPAN))
    in_parts = [one for part in parts for one in replay(here.api, part, SPAN, "promtool")]
    whole = Window(deployment, 0, SPAN.count - 1, rules, (range(SPAN.count),))
    assert sorted(in_parts, key=lambda one: one.at) == replay(here.api, whole, SPAN, "promtool")
    assert bool(in_parts) is fires
    assert sum(len(busy) for part in parts for busy in part.busy) < SPAN.count
