"""What stays of runs that are removed: what their phases took, and which incidents there were."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables `phase_total` and `removed_incident`."""
    op.create_table(
        "phase_total",
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("microseconds", sa.BigInteger(), nullable=False),
        sa.Column("within", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("phase"),
    )
    op.create_table(
        "removed_incident",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("closed_at", sa.Float(), nullable=False),
        sa.Column("removed_at", sa.Float(), nullable=False),
        sa.Column("runs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("removed_incident_by_age", "removed_incident", ["removed_at"], unique=False)
