"""`rollback-agent tree` against a real Prometheus: the shipped tree on signals of which some are bad."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.processes import wait_until
from receiver.rules.files import SHIPPED, TREE
from receiver.rules.groups import Kind
from receiver.tree.branches import branch_rules, queries
from tests.receiver.rules.ruled import AGENT, Ruled, signals, write_rules

SIGNALS = {
    "service:availability:ratio": [("deployment=qrl,service=flask", "1"), ("deployment=idle,service=app", "1")],
    "deployment:availability:ratio": [("deployment=qrl", "1"), ("deployment=idle", "1")],
    "service:http_request_errors:ratio_rate1m": [
        ("deployment=qrl,service=flask", "0.312"),
        ("deployment=qrl,service=gradio", "0.01"),
        ("deployment=idle,service=app", "0/0"),
    ],
    "service:http_requests:rate1m": [("deployment=qrl,service=flask", "20"), ("deployment=qrl,service=gradio", "20")],
    "service:http_request_duration_seconds:mean5m": [("deployment=qrl,service=flask", "0.25")],
    "service:http_request_duration_seconds:mean1d": [("deployment=qrl,service=flask", "0.1")],
    "deployment:authentication:ratio": [("deployment=idle", "0")],
}
FAILING = {
    "alert": "Failing",
    "expr": "service:http_requests:rate1m > on (deployment) service:http_requests:rate1m",
    "labels": {"branch": "failing", "rank": "99", "action": "ask"},
}
WAITING = {
    "alert": "Waiting",
    "expr": 'deployment:availability:ratio{deployment="qrl"} == 1',
    "for": "1h",
    "labels": {"branch": "waiting", "rank": "98", "action": "watch"},
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ruled]:
    """A Prometheus with the shipped tree, one rule that cannot be evaluated, and signals; `ghost` is nobody."""
    made = Ruled(tmp_path_factory.mktemp("tree"), "qrl", "ghost")
    rules = write_rules(
        made.directory / "test.rules.yml", signals(SIGNALS), {"name": "more", "rules": [FAILING, WAITING]}
    )
    with made.start(rules, SHIPPED / TREE):
        assert wait_until(lambda: branch(made, "qrl", 2)["state"] == "firing", 60, every=0.2)
        assert wait_until(lambda: branch(made, "qrl", 98)["state"] == "pending", 60, every=0.2)
        yield made


def read(here: Ruled) -> dict[str, Any]:
    """The tree as JSON, by deployment."""
    return {one["name"]: one for one in json.loads(here.run("tree", "--json"))["deployments"]}


def branch(here: Ruled, deployment: str, rank: int) -> dict[str, Any]:
    """The first branch of that rank."""
    found: dict[str, Any] = next(one for one in read(here)[deployment]["branches"] if one["rank"] == rank)
    return found


def test_every_branch_of_every_deployment_is_told(here: Ruled) -> None:
    """All fourteen ranks of the shipped tree stand in their order, two lines where two rules share one."""
    found = read(here)
    assert [(name, one["configured"], one["known"]) for name, one in found.items()] == [
        ("qrl", True, True),
        ("ghost", True, False),
        ("idle", False, True),
    ]
    for one in found.values():
        assert [each["rank"] for each in one["branches"]] == [*range(1, 12), 11, *range(12, 15), 98, 99]
        assert [each["action"] for each in one["branches"] if each["rank"] == 11] == ["watch", "ask"]


def test_a_firing_branch_has_its_value_threshold_and_age(here: Ruled) -> None:
    """What fires tells since when, for which service, and what is compared, raw."""
    fires = branch(here, "qrl", 2)
    assert (fires["branch"], fires["level"], fires["confidence"], fires["services"]) == (
        "high_error_rate",
        "fast",
        0.95,
        ["flask"],
    )
    assert time.time() - 60 < fires["since"] <= time.time()
    condition = fires["conditions"][fires["deciding"]]
    assert (condition["left"], condition["operator"]) == ("service:http_request_errors:ratio_rate1m", ">")
    assert condition["readings"] == [
        {"service": "flask", "value": 0.312, "threshold": 0.1, "data": "value", "holds": True},
        {"service": "gradio", "value": 0.01, "threshold": 0.1, "data": "value", "holds": False},
    ]


def test_a_pending_branch_tells_when_it_fires(here: Ruled) -> None:
    """Its `for` counts from when its condition became true."""
    waits = branch(here, "qrl", 98)
    assert (waits["state"], waits["for"]) == ("pending", 3600)
    assert time.time() - 60 < waits["since"] <= time.time()
    assert waits["fires_at"] == pytest.approx(waits["since"] + 3600)


def test_precedence_is_shown(here: Ruled) -> None:
    """Rank 10 would fire on the same signals and is held back by rank 2; what would not fire is inactive."""
    branches = {one["rank"]: one for one in read(here)["qrl"]["branches"]}
    assert (branches[10]["state"], branches[10]["held_back_by"]) == ("inactive", 2)
    assert (branches[13]["state"], branches[13]["held_back_by"]) == ("inactive", None)  # it lacks the rate of 5 min
    slow = branches[13]["conditions"][0]
    assert (slow["left"], slow["right"]) == (
        "service:http_request_duration_seconds:mean5m",
        "3 * service:http_request_duration_seconds:mean1d",
    )
    assert slow["readings"][0]["value"] == 0.25
    assert slow["readings"][0]["threshold"] == pytest.approx(0.3)


def test_missing_and_undefined_are_told_apart(here: Ruled) -> None:
    """A signal that nobody records is no data, NaN is no traffic, and neither is a number."""
    missing, idle = branch(here, "qrl", 4)["conditions"][0], branch(here, "idle", 2)["conditions"][0]
    assert (missing["data"], missing["readings"]) == ("no_data", [])
    assert (idle["data"], idle["readings"][0]["value"]) == ("no_traffic", None)


def test_a_failing_rule_hides_nothing_else(here: Ruled) -> None:
    """A rule that Prometheus cannot evaluate is unknown, with Prometheus' reason, and the others have their values."""
    failing = branch(here, "qrl", 99)
    assert failing["state"] == "unknown"
    assert "many-to-many matching not allowed" in failing["fault"]
    assert "not evaluated" in here.run("tree")


def test_no_query_of_the_shipped_tree_is_refused(here: Ruled) -> None:
    """What the parser writes is what Prometheus understands, for every side of every comparison."""
    rules = branch_rules(here.api.groups(Kind.ALERTING), time.time())
    asked = [query for query in queries(rules) if "on (deployment) service:http_requests:rate1m" not in query]
    formatted = [here.api.formatted(query) for query in asked]
    assert len(formatted) > 20
    for one in rules:
        kept = here.api.formatted(one.rule.query)
        if one.expression.unsilenced is not None:
            own = here.api.formatted(one.expression.unsilenced)
            assert "".join(own.split()) in "".join(kept.split()), one.branch


def test_it_is_read_by_people(here: Ruled) -> None:
    """Without --json: a line a branch, who is not configured and who is not known; one deployment in detail."""
    shown = here.run("tree")
    assert "qrl  high_error_rate decides: rollback fast 0.95" in shown
    assert "flask 31.2%  > 10%" in shown
    assert "held back by 2" in shown
    assert "ghost  no data: Prometheus knows nothing of it" in shown
    assert "idle  not configured" in shown
    detail = " ".join(here.run("tree", "qrl").split())
    assert "ghost" not in detail
    assert "flask 31.2% > 10% holds service:http_request_errors:ratio_rate1m" in detail
    assert "flask 0.25 s" in detail
    assert "neither" in here.run("tree", "nobody", code=1)


def test_without_branches_it_says_which_file_to_load(tmp_path: Path) -> None:
    """A Prometheus without any branch, and none at all, are one sentence each."""
    bare = Ruled(tmp_path)
    with bare.start(write_rules(tmp_path / "test.rules.yml", signals(SIGNALS))):
        printed = bare.run("tree", code=1)
        assert f"no rule with a label `branch`; load {SHIPPED / TREE} there" in printed
    printed = bare.run("tree", code=1)
    assert len(printed.splitlines()) == 1
    assert f"Prometheus at {bare.url} cannot be asked: Connection refused" in printed.replace("[Errno 111] ", "")
    assert "with --json" in bare.run("tree", "--watch", "--json", code=2)


class Terminal:
    """`rollback-agent tree --watch` on a terminal of 80 columns."""

    def __init__(self, here: Ruled) -> None:
        self.controller, terminal = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "60"}
        # A shell starts what it puts into the background without Ctrl-C, and its children inherit that.
        argv = ("env", "--default-signal=INT", AGENT, "tree", "--watch", "--config", here.config)
        self.process = subprocess.Popen(argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        self.seen = ""

    def shows(self, text: str, timeout: float = 20) -> bool:
        """Whether it shows this, from what was shown last on."""
        deadline = time.monotonic() + timeout
        while text not in self.seen and time.monotonic() < deadline:
            if select.select([self.controller], [], [], 0.2)[0]:
                self.seen += os.read(self.controller, 1 << 16).decode(errors="replace")
        found = text in self.seen
        self.seen = self.seen.partition(text)[2]
        return found

    def close(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait()
        os.close(self.controller)


def test_watch_redraws_until_ctrl_c(tmp_path: Path) -> None:
    """It draws, says when Prometheus is gone, draws again when it is back, and Ctrl-C ends it with 130."""
    here = Ruled(tmp_path)
    rules = write_rules(tmp_path / "test.rules.yml", signals(SIGNALS))
    terminal = Terminal(here)
    try:
        assert terminal.shows("cannot be asked")
        with here.start(rules, SHIPPED / TREE):
            assert terminal.shows("high_error_rate")
        assert terminal.shows("cannot be asked")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.shows("\x1b[?1049l")  # the screen that was there before
        assert terminal.process.wait(10) == 130
    finally:
        terminal.close()
