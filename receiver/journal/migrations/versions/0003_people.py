"""What people decide: autonomy at run time, votes, sessions; and what Alertmanager has taken of an escalation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables `autonomy`, `vote` and `session`, and columns to three more."""
    op.create_table(
        "autonomy",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "vote",
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("voted_at", sa.Float(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["approval"], ["approval.id"]),
        sa.PrimaryKeyConstraint("approval", "person"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("approval") as approval:
        approval.add_column(sa.Column("opened_boot", sa.Text(), nullable=True))
        approval.add_column(sa.Column("opened_uptime", sa.Float(), nullable=True))
        approval.add_column(sa.Column("need", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("claimed_boot", sa.Text(), nullable=True))
        run.add_column(sa.Column("claimed_uptime", sa.Float(), nullable=True))
    with op.batch_alter_table("escalation") as escalation:
        escalation.add_column(sa.Column("raised_at", sa.Float(), nullable=True))
        escalation.add_column(sa.Column("lowered_at", sa.Float(), nullable=True))
    with op.batch_alter_table("release") as release:
        release.add_column(sa.Column("irreversible", sa.Integer(), nullable=True))
        release.add_column(sa.Column("live_by_run", sa.Text(), nullable=True))
