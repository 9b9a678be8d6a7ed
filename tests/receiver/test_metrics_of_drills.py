"""When a drill last went well, as Prometheus is told."""

from __future__ import annotations

from pathlib import Path

from receiver.journal import drills
from tests.receiver.agent import Agent
from tests.receiver.promised_metrics import WITH_DRILLS
from tests.receiver.test_metrics import scrape


def test_a_drill_that_was_never_done_is_told(tmp_path: Path) -> None:
    """And of one that was done well, when; one that failed changes nothing."""
    drill = {"deployment": "qrl", "fault": ["/bin/true"]}
    agent = Agent(tmp_path, qrl={"sandbox": True}, drills={"never": drill, "often": drill})
    with agent.database.write() as tx:
        for is_good, at in ((True, 1000.0), (False, 2000.0)):
            drills.end(tx, drills.begin(tx, "qrl", "often", at, "ada"), at, is_good, "done", None)

    found = scrape(agent)["rollback_drill_last_success_timestamp_seconds"]

    assert {key for labels in found for key, _ in labels} == WITH_DRILLS[
        "rollback_drill_last_success_timestamp_seconds"
    ]
    assert {dict(labels)["scenario"]: at for labels, at in found.items()} == {"never": 0.0, "often": 1000.0}
