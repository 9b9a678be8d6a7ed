"""What branches have earned, and which reviewed rollbacks a person had approved."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table `earned_autonomy` and a column to `review`."""
    op.create_table(
        "earned_autonomy",
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("counts_from", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "branch"),
    )
    with op.batch_alter_table("review") as review:
        review.add_column(sa.Column("approved_success", sa.Integer(), nullable=True))
