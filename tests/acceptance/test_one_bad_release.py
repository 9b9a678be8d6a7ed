"""A bad release is shipped, and the agent does what its autonomy level says."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.stand import BAD, GOOD, stand


def test_l4_rolls_back_by_itself_and_reports(tmp_path: Path) -> None:
    """At L4 a bad release is rolled back, verified and reported, and the bad one is held."""
    with stand(tmp_path, autonomy="L4") as here:
        here.start_prometheus()
        here.start_agent()
        here.await_good()
        here.ship(BAD)
        here.await_firing()

        assert here.notify().status_code == 202
        run = here.await_run()

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        assert run["plan"]["target_release"] == GOOD
        assert [step["name"] for step in run["steps"]] == [
            "evaluate", "guard", "approve", "claim", "back_up", "execute", "verify", "report",
        ]  # fmt: skip
        report = Path(run["report"]).read_text()
        assert "restored" in report
        assert GOOD in report
        assert "execute" in [record["decision"] for record in here.audit()]
        assert f'rollback_held_release_info{{deployment="qrl",release="{BAD}"}} 1.0' in here.metrics()
