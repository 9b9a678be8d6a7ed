"""What follows for the releases once the target's release is live, whoever switched."""

from __future__ import annotations

from receiver.journal import hotfixes, releases, runs
from receiver.model import Plan, Release, Run
from receiver.world import World


def remember_switch(run: Run, world: World, plan: Plan, at: float) -> None:
    """Hold the release that was left, and remember that the live one is live by this run; raises LostLease."""
    with world.database.write() as tx:
        hotfixes.close_switched(tx, run.deployment, at)
        runs.still_held(tx, run)  # a person may have decided otherwise since another worker took it over
        # It may have been live for so short a time that nobody has looked at it yet.
        releases.seen(tx, run.deployment, (Release(plan.live_release, plan.live_commit),), at)
        releases.hold(tx, run.deployment, plan.live_release, at, run.id)
        releases.set_live(tx, run.deployment, str(plan.target_release), at, by_run=run.id)
