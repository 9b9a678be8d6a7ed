"""A mistake in the rules makes their unit tests fail, so that they are no decoration."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody might change in a rule file, and the unit tests that have to notice."""

    what: str
    text: str
    becomes: str
    noticed_by: str
    file: str = "decision-tree.rules.yml"


SIGNALS = "signals.rules.yml"
DOWN, ERRORS, MISSING = "service-down", "high-error-rate", "signals-missing"

MISTAKES = (
    Mistake("a half is down", "service:availability:ratio == 0", "service:availability:ratio < 1", DOWN),
    Mistake("half a deployment is too few", "availability:ratio < 0.5", "availability:ratio <= 0.5", DOWN),
    Mistake("a third is enough", "availability:ratio < 0.5", "availability:ratio < 0.3", DOWN),
    Mistake("down at once", "for: 20s", "for: 0s", DOWN),
    Mistake("down one check late", "for: 20s", "for: 30s", DOWN),
    Mistake("another level", "level: fast", "level: full", DOWN),
    Mistake("another confidence", 'confidence: "0.95"', 'confidence: "0.99"', ERRORS),
    Mistake("50 % in the minute", "ratio_rate1m > 0.10", "ratio_rate1m > 0.5", ERRORS),
    Mistake("50 % in the five minutes", "ratio_rate5m > 0.10", "ratio_rate5m > 0.5", ERRORS),
    Mistake("10 % is too many", "ratio_rate5m > 0.10", "ratio_rate5m >= 0.10", ERRORS),
    Mistake("the minute needs no requests", "rate1m * 60 >= 60", "rate1m * 60 >= 0", ERRORS),
    Mistake("the five minutes need no requests", "rate5m * 300 >= 60", "rate5m * 300 >= 0", ERRORS),
    Mistake("the minute cannot end the alert", "ratio_rate1m <= 0.05", "ratio_rate1m < 0", ERRORS),
    Mistake("the minute ends the alert too soon", "ratio_rate1m <= 0.05", "ratio_rate1m <= 0.1", ERRORS),
    Mistake("no precedence", 'ALERTS{alertstate="firing", branch!="", rank="1"}', "none", "precedence"),
    Mistake("precedence over every deployment", "on (deployment) ALERTS", "on () ALERTS", "precedence"),
    Mistake("precedence of what is pending", 'ALERTS{alertstate="firing", ', "ALERTS{", "precedence"),
    Mistake("precedence of foreign alerts", 'branch!="", rank="1"', 'rank="1"', "precedence"),
    Mistake("a short gap is missing", "for: 2m", "for: 1m", MISSING),
    Mistake("the receiver's releases do not count", "(release_info)", "(none)", MISSING),
    Mistake("a service is soon forgotten", "service:(availability:ratio|", "service:(", MISSING),
    Mistake("every signal for itself", "and on (deployment) deployment:availability:ratio", "", MISSING),
    Mistake("no 5xx is absent", "0 * sum by (deployment, service)", "0 * sum", "signals", SIGNALS),
    Mistake("4xx are errors", 'code=~"5.."', 'code=~"[45].."', "signals", SIGNALS),
    Mistake("every check is one of availability", '{kind="availability"}', "", "signals", SIGNALS),
    Mistake("deployments mix", "avg by (deployment) (healthcheck", "avg (healthcheck", "signals", SIGNALS),
    Mistake("the minute takes five", "[1m]", "[5m]", "from-metrics", SIGNALS),
)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_mistake_is_noticed(run: Run, shipped: Path, tmp_path: Path, mistake: Mistake) -> None:
    """The unit tests, which hold otherwise, find a difference on a copy of the rules that has the mistake."""
    copy = shutil.copytree(shipped, tmp_path / "alert-rules")
    unit_tests = copy / "tests" / f"{mistake.noticed_by}.test.yml"
    rules = (copy / mistake.file).read_text()
    assert mistake.text in rules, "the mistake can no longer be made"
    (copy / mistake.file).write_text(rules.replace(mistake.text, mistake.becomes))
    assert run("promtool", "check", "rules", copy / mistake.file).returncode == 0, "invalid, so no silent mistake"

    tested = run("promtool", "test", "rules", unit_tests)
    assert tested.returncode != 0
    assert "got:" in tested.stderr
