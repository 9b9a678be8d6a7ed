"""`rollback-agent backtest` on a real Prometheus that remembers drawn incidents."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.backtest.activity import Span, Window, active, windows
from receiver.backtest.replay import replay
from receiver.backtest.rule_set import read_rule_set
from receiver.prometheus_api import PrometheusApi
from receiver.rules.files import SHIPPED, TREE
from tests.corpus.history import BEGAN, LAST, STEP, Drawn, draw, iso, remembered, write_reviewed
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

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """The same as JSON."""
        found: dict[str, Any] = json.loads(self.run("--reviewed", self.reviewed, "--json", *arguments))
        return found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    directory = tmp_path_factory.mktemp("backtest")
    drawn = [one for one in draw(1) if one.shape.name in SHAPES]
    with remembered(drawn, directory / "prometheus") as server:
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
    assert "Without --reviewed nobody has said which of them are right." in here.run("--deployment", "good-release-00")


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
    assert "--sweep needs --reviewed" in here.run("--sweep", "high_error_rate.threshold=0.1,0.2", code=2)
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
