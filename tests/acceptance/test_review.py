"""`review` at the command line of a real agent: from the rollback to the figures."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.stand import stand


def test_a_rollback_is_reviewed_and_counted(tmp_path: Path) -> None:
    """Reviewed, corrected, a missed one entered: summary, catalogue, metrics and audit trail tell of it."""
    with stand(tmp_path) as here:
        here.go_wrong()
        here.await_run()
        incident = here.incidents()[0]["id"]
        assert incident in here.command("review", "open")

        said = ("--level", "yes", "--hotfix", "no", "--cause", "a typing error", "--pattern", "typo", "--as", "ada")
        assert "--necessary" in here.command("review", incident, "--cause", "it", code=2)
        here.command("review", incident, "--necessary", "no", *said)
        printed = here.command("review", incident, "--necessary", "yes", *said)
        assert "the agent decided for a rollback" in printed
        here.command(
            "review", "missed", "qrl", "--began", "2026-11-01T10:00:00Z", "--noticed", "2026-11-01T10:05:00Z",
            "--cause", "a leak", "--pattern", "leak", "--branch", "wide_impact", "--service", "flask",
        )  # fmt: skip
        assert "is no moment" in here.command("review", "missed", "qrl", "--began", "noon", "--cause", "x", code=2)

        told = json.loads(here.command("review", "summary", "--json"))
        whole = told["accuracy"][0]
        assert (told["reviewed"], whole["branch"]) == (2, "all")
        assert (whole["precision"]["hits"], whole["recall"]["of"]) == (1, 2)
        shown = here.command("review", "summary")
        for part in ("2 reviewed incidents", "service_down", "wide_impact", "100% (21% to 100%)", "Brier score 0.000"):
            assert part in shown, shown
        assert "Every closed incident has been reviewed." in here.command("review", "open")
        patterns = here.command("review", "patterns")
        assert "typo" in patterns
        assert "branch wide_impact, service flask" in patterns

        metrics = here.metrics()
        assert 'rollback_decision_recall_ratio{bound="estimate",branch="all",deployment="qrl"} 0.5' in metrics
        assert 'rollback_incidents_unreviewed{deployment="qrl"} 0.0' in metrics
        assert [one["decision"] for one in here.audit()][-3:] == ["review", "review", "review:missed"]
        assert "there is no incident nobody" in here.command("review", "nobody", "--necessary", "yes", *said, code=1)
