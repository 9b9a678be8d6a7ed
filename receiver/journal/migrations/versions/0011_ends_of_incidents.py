"""When an incident ended, as the person says who reviews it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a column to `review`."""
    with op.batch_alter_table("review") as review:
        review.add_column(sa.Column("ended_at", sa.Float(), nullable=True))
