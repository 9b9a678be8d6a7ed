"""What people found of incidents afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table `review`."""
    op.create_table(
        "review",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("decided_rollback", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("decided_at", sa.Float(), nullable=True),
        sa.Column("began_at", sa.Float(), nullable=True),
        sa.Column("noticed_at", sa.Float(), nullable=True),
        sa.Column("necessary", sa.Text(), nullable=False),
        sa.Column("level_right", sa.Text(), nullable=False),
        sa.Column("hotfix_possible", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.Float(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("incident"),
    )
    op.create_index("review_by_deployment", "review", ["deployment", "reviewed_at"], unique=False)
