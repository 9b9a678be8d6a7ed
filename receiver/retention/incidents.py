"""Incidents that are over: they go with their runs, steps, refusals, votes and escalations; what was counted stays."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.durations import clock_time
from receiver.journal import past
from receiver.journal.past import Limits, Past
from receiver.retention.store import Store


def incidents(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those beyond `retention.incidents` that nothing needs; a sentence about each that is gone.

    The record of it is on disk before. Where another replica is at it, it is left to that one.
    """
    kept = store.config.retention.incidents
    limits = Limits(kept.age, kept.count, store.config.guardrails.longest_period)
    with store.database.read() as tx:
        left = past.may_go(tx, store.database.now(tx), limits)
    if dry_run:
        yield from map(_told, left)
        return
    while left:
        with store.database.write() as tx:
            if not past.be_alone(tx):
                return
            now = store.database.now(tx)
            going = past.portion(tx, now, limits.claims, left)
            left = going.left
            if not going.touched:
                continue
            facts = {"incidents": [one.id for one in going.touched], "runs": list(going.runs)}
            store.audit.record("incident:removed", "beyond retention.incidents", actor=store.actor, facts=facts)
            past.remove(tx, going, now)
        yield from map(_told, going.whole)
    with store.database.write() as tx:
        past.forget_removed(tx)


def _told(one: Past) -> str:
    return f"incident {one.id} of {one.deployment}, closed {clock_time(one.closed_at)}"
