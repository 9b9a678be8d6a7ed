"""Which replica began the effect of a run, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two columns to `run`."""
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("effect_by", sa.Text(), nullable=True))
        run.add_column(sa.Column("effect_at", sa.Float(), nullable=True))
