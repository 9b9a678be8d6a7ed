"""A made-up past is what a real Prometheus then remembers, and a `for` goes on where it ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.history import GRACE, LEFT, History, Series, write_blocks
from demo.monitoring import start_prometheus
from demo.places import REPOSITORY
from demo.processes import NotReadyError, free_port, wait_until
from demo.prometheus import Prometheus

RATIO, USERS = "deployment:users_affected:ratio", "deployment:users:count5m"
WIDE = History(
    ready=f"{RATIO} >= 0.05",
    series=(Series(RATIO, ((900, 0), (360, 0.08))), Series(USERS, ((900, 400),))),
    alert="WideImpact",
)
RULES = f"""\
global: {{evaluation_interval: 1s}}
rule_files: [{REPOSITORY / "alert-rules" / "decision-tree.rules.yml"}]
"""


def test_prometheus_remembers_what_was_backfilled(tmp_path: Path) -> None:
    """Values change when the steps say so, up to the moment that was given, and the alert has been pending."""
    now = time.time()
    write_blocks(WIDE, now, tmp_path / "prometheus-data")
    with start_prometheus(tmp_path, "global: {}\n", free_port()) as server:
        prometheus = Prometheus(server.url)
        assert prometheus.value(f'{RATIO}{{deployment="qrl"}} @ {now:.3f}') == 0.08
        assert prometheus.value(f"{RATIO} @ {now - 380:.3f}") == 0
        assert prometheus.value(f"count_over_time({USERS}[20m] @ {now + 1:.3f})") == 61
        pending = f'ALERTS_FOR_STATE{{alertname="WideImpact",rank="9",confidence="0.95"}} @ {now:.3f}'
        assert prometheus.value(pending) == pytest.approx(now - 360 + LEFT, abs=1)


def test_what_is_made_up_is_told() -> None:
    """In few words how long, and how far the alert's `for` has come."""
    assert WIDE.told() == "15 min, pending for 340 of 360 s"
    assert WIDE.signals == f"{RATIO}, {USERS}"
    assert History("", (Series(RATIO, ((86400, 0.1),)),)).told() == "24 h"


@pytest.mark.parametrize(("alert", "remembered"), [("WideImpact", True), ("", False)])
def test_a_for_goes_on_where_the_past_ended(tmp_path: Path, alert: str, *, remembered: bool) -> None:
    """WideImpact, which waits six minutes, has less than half a minute to go; without its state it begins anew."""
    past = History(WIDE.ready, WIDE.series, alert)
    write_blocks(past, time.time(), tmp_path / "prometheus-data")
    flags = (f"--rules.alert.for-grace-period={GRACE}",)
    with start_prometheus(tmp_path, RULES, free_port(), flags=flags) as server:
        prometheus = Prometheus(server.url)
        assert wait_until(lambda: bool(prometheus.firing()), 60)
        activated = "time() - ALERTS_FOR_STATE"
        assert wait_until(lambda: ((prometheus.value(activated) or 0) > 200) is remembered, 60)


def test_what_promtool_refuses_is_told(tmp_path: Path) -> None:
    """A name that is none is an error with promtool's own words."""
    with pytest.raises(NotReadyError, match="promtool makes no blocks of"):
        write_blocks(History("", (Series("no-name", ((60, 1),)),)), time.time(), tmp_path / "data")
