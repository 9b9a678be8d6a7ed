"""Metrics of what branches have earned: the level of each, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, Metric

from receiver import earned
from receiver.model import Autonomy
from receiver.world import World


def earned_metrics(tx: sa.Connection, worlds: Mapping[str, World]) -> Iterator[Metric]:
    """Of each branch with a reviewed rollback where L4 can be earned."""
    labels = ("deployment", "branch")
    level = GaugeMetricFamily("rollback_branch_autonomy_level", "The level of a branch, 1 to 4.", labels=labels)
    approved = GaugeMetricFamily(
        "rollback_earned_approved", "Approved rollbacks of a branch that were right and count for L4.", labels=labels
    )
    low = GaugeMetricFamily(
        "rollback_earned_precision_ratio", "Lower bound of the precision that counts for L4.", labels=labels
    )
    for deployment, world in worlds.items():
        for one in (earned.standing(tx, world.config, deployment) or {"branches": ()})["branches"]:
            of = (deployment, one["branch"])
            level.add_metric(of, 1 + list(Autonomy).index(Autonomy(one["level"])))
            approved.add_metric(of, one["approved"])
            low.add_metric(of, one["precision_low"])
    yield from (level, approved, low)
