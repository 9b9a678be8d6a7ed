"""What people and programs say is kept without the secrets in it, whoever writes it."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import deployments, escalations, hotfixes, tables, views
from receiver.journal.database import Database
from receiver.journal.tables import Prose
from receiver.model import EscalationReason
from receiver.redact import REDACTED
from tests.receiver.journal.rows import NOW

SAID = "it printed password=hunter2"
KEPT = f"it printed password={REDACTED}"


def test_prose_is_kept_without_secrets(database: Database) -> None:
    """A comment, a latch's reason and an escalation's summary lose the secret on their way into the journal."""
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW, SAID)
        hotfixes.start(tx, "qrl", NOW, 60.0, "ada", SAID)
        for _ in range(2):
            escalations.open_one(tx, "qrl", EscalationReason.UNKNOWN_PATTERN, SAID, NOW)
    with database.read() as tx:
        assert tx.execute(sa.select(tables.deployment.c.latch_reason)).scalars().all() == [KEPT]
        assert tx.execute(sa.select(tables.hotfix.c.comment)).scalars().all() == [KEPT]
        assert [one["summary"] for one in views.open_escalations(tx)] == [KEPT]


def test_prose_is_kept_whatever_characters_are_in_it(database: Database) -> None:
    """What no database holds, NUL and half a surrogate pair, becomes a question mark, and the rest is kept."""
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW, "r\udcff\0 cannot be read: \U0001f642")
        found = tx.execute(sa.select(tables.deployment.c.latch_reason)).scalar()
    assert found == "r?? cannot be read: \U0001f642"


def test_every_column_that_holds_sentences_is_prose() -> None:
    """Reasons, summaries and comments are of that type in every table; a reason that is a code is not."""
    sentences = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if column.name in {"comment", "summary", "latch_reason", "reason"}
    }
    prose = {
        f"{table.name}.{column.name}"
        for table in tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Prose)
    }
    assert sentences - prose == {"escalation.reason"}
