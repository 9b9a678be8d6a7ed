"""Closed segments of the audit trail: they go once they are old and no report is checked against a record of them."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.audit_retention import prunable, prune
from receiver.retention.reports import oldest_checkpoint
from receiver.retention.store import Store


def audit(store: Store, dry_run: bool) -> Iterator[str]:
    """Remove those beyond `retention.audit.age`, where there is one; their paths. Raises AuditError."""
    age = store.config.retention.audit.age
    if age is None:
        return
    before, checkpoint = store.clock() - age, oldest_checkpoint(store)
    old = prunable(store.audit.files, before, checkpoint)
    if old and not dry_run:  # the whole trail is read then, which need not be every hour
        old = prune(store.audit, before, store.actor, "beyond retention.audit.age", checkpoint)
    yield from map(str, old)
