"""Hotfixes, what pipelines report of releases, and when something regular was last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables `hotfix` and `seen`, and to `release` what a pipeline says of it."""
    op.create_table(
        "hotfix",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Float(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hotfix_by_deployment", "hotfix", ["deployment", "started_at"], unique=False)
    op.create_table(
        "seen",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("release") as release:
        release.add_column(sa.Column("deploy_started_at", sa.Float(), nullable=True))
        release.add_column(sa.Column("deploy_finished_at", sa.Float(), nullable=True))
        release.add_column(sa.Column("migration", sa.Text(), nullable=True))
        release.add_column(sa.Column("author", sa.Text(), nullable=True))
        release.add_column(sa.Column("reported_commit", sa.Text(), nullable=True))
