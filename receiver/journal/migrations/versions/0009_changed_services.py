"""Which services a release changes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a column to `release`."""
    with op.batch_alter_table("release") as release:
        release.add_column(sa.Column("services", sa.Text(), nullable=True))
