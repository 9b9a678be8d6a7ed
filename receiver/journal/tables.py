"""The tables of the journal; times are Unix seconds, JSON is text, so SQLite and PostgreSQL hold the same.

One file, though it is long: this is the schema, and one looks things up in it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from receiver.redact import redact_text

metadata = MetaData()


class Prose(TypeDecorator[str]):
    """What somebody wrote or a program said: kept without secrets, and with `?` for what no database can hold.

    That is NUL, and the halves of surrogate pairs that the name of a file or JSON can have in it.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """The text as it is kept."""
        if value is None:
            return None
        return redact_text(value).replace("\0", "?").encode(errors="replace").decode()


notification = Table(
    "notification",
    metadata,
    Column("id", Text, primary_key=True),
    Column("received_at", Float, nullable=False),
    Column("alerts", Text, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("next_look_at", Float),  # null: nothing is left to do with it
    Column("attempts", Integer, nullable=False, default=0),
    Index("notification_open", "next_look_at"),
)

count = Table(
    "count",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

deployment = Table(
    "deployment",
    metadata,
    Column("name", Text, primary_key=True),
    Column("locked", Integer, nullable=False, default=0),  # written first in every transaction that must be alone
    Column("latched_at", Float),
    Column("latch_reason", Prose),
)

autonomy = Table(
    "autonomy",
    metadata,
    Column("scope", Text, primary_key=True),  # a deployment, or * for all
    Column("level", Text, nullable=False),
    Column("set_at", Float, nullable=False),
    Column("set_by", Text, nullable=False),
)

earned_autonomy = Table(
    "earned_autonomy",
    metadata,
    Column("deployment", Text, primary_key=True),
    Column("branch", Text, primary_key=True),
    Column("level", Text, nullable=False),  # L4: it has earned that; L3: it has not, or not any more
    Column("changes", Integer, nullable=False),  # how often the level has changed
    Column("changed_at", Float),  # null: it never has
    Column("reason", Prose, nullable=False),
    Column("counts_from", Float, nullable=False),  # what was decided until then counts no more
)

incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Index("incident_by_deployment", "deployment", "opened_at"),
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident", Text, ForeignKey("incident.id"), nullable=False, index=True),
    Column("deployment", Text, nullable=False, index=True),
    Column("trigger", Text, nullable=False),
    Column("wanted_level", Text),
    Column("requested_by", Text),
    Column("created_at", Float, nullable=False),
    Column("notified_at", Float),
    Column("state", Text, nullable=False),  # ready, waiting, finished
    Column("phase", Text, nullable=False),
    Column("result", Text),
    Column("reason", Prose),
    Column("report", Text),
    Column("finished_at", Float),
    Column("claimed_at", Float),
    Column("claimed_boot", Text),  # where and how long the machine was up then: see moments.py
    Column("claimed_uptime", Float),
    Column("effect_by", Text),  # the replica that has, or may have, started its command; null: none has
    Column("effect_at", Float),
    Column("wake_at", Float, nullable=False),
    Column("owner", Text),
    Column("token", Integer, nullable=False, default=0),
    Column("lives", Integer, nullable=False, default=0),
    Column("wakes", Integer, nullable=False, default=0),
    Column("lease_until", Float, nullable=False, default=0),
    Index("run_ready", "state", "wake_at"),
)

step = Table(
    "step",
    metadata,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),  # started, done
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("outcome", Text),  # proceed, stop
    Column("summary", Prose),
    Column("output", Text),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run", Text, ForeignKey("run.id"), nullable=False, unique=True),
    Column("plan", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending, approved, denied, expired, withdrawn
    Column("opened_at", Float, nullable=False),
    Column("opened_boot", Text),
    Column("opened_uptime", Float),
    Column("expires_at", Float, nullable=False),
    Column("need", Integer, nullable=False, default=1),  # how many people must approve
    Column("decided_at", Float),
    Column("decided_by", Text),
    Column("comment", Prose),
)

vote = Table(
    "vote",
    metadata,
    Column("approval", Text, ForeignKey("approval.id"), primary_key=True),
    Column("person", Text, primary_key=True),  # two means two: nobody's second vote is another
    Column("voted_at", Float, nullable=False),
    Column("via", Text, nullable=False),
    Column("comment", Prose),
)

escalation = Table(
    "escalation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident", Text, ForeignKey("incident.id"), index=True),
    Column("run", Text, ForeignKey("run.id")),
    Column("deployment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("summary", Prose, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("answered_at", Float),
    Column("answered_by", Text),
    Column("answer", Text),  # retry, done, give_up
    Column("comment", Prose),
    Column("raised_at", Float),  # when Alertmanager last took it; null: never
    Column("lowered_at", Float),  # when Alertmanager took its end
    UniqueConstraint("run", "reason"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("run", Text, ForeignKey("run.id"), primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("guardrail", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("retry_at", Float),
    Column("refused_at", Float, nullable=False),
)

judgement = Table(
    "judgement",
    metadata,
    Column("run", Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # which function has judged
    Column("judged_at", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Column("answer", Text, nullable=False),
)

release = Table(
    "release",
    metadata,
    Column("deployment", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("commit", Text),
    Column("first_seen_at", Float, nullable=False),
    Column("live_since", Float),
    Column("live_by_run", Text),  # the run whose rollback made it live; null: a deploy did
    Column("good_at", Float),
    Column("held_at", Float),
    Column("held_by_run", Text),
    Column("deploy_started_at", Float),  # of the latest deploy that a pipeline reported
    Column("deploy_finished_at", Float),  # null: it is under way
    Column("migration", Text),  # none, ok, failed; null: nobody said
    Column("author", Text),
    Column("reported_commit", Text),  # by the pipeline; `commit` is what the target says
    Column("services", Text),  # JSON: those that it changes; null: nobody said
    Column("irreversible", Integer),  # 1: its database migration cannot be undone; null: nobody said
)

hotfix = Table(
    "hotfix",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("state", Text, nullable=False),  # running, done, failed, over
    Column("ended_at", Float),
    Column("ended_by", Text),
    Column("comment", Prose),
    Index("hotfix_by_deployment", "deployment", "started_at"),
)

drill = Table(
    "drill",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("scenario", Text, nullable=False),
    Column("state", Text, nullable=False),  # under_way, good, failed
    Column("started_at", Float, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("arrived_at", Float),  # when its own alert came through Alertmanager
    Column("ended_at", Float),
    Column("reason", Prose),
    Column("incident", Text),
    Index("drill_by_deployment", "deployment", "scenario", "started_at"),
)

# A review stands for itself: it is kept when its incident is not any more.
review = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident", Text, unique=True),  # null: the agent had missed it
    Column("deployment", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("decided_rollback", Integer, nullable=False),
    Column("confidence", Float),
    Column("decided_at", Float),
    Column("began_at", Float),
    Column("noticed_at", Float),
    Column("ended_at", Float),  # as a person says; null: the journal knows it, or nobody
    Column("necessary", Text, nullable=False),  # yes, no, unsure
    Column("level_right", Text, nullable=False),
    Column("hotfix_possible", Text, nullable=False),
    Column("cause", Prose, nullable=False),
    Column("pattern", Prose),
    Column("features", Text, nullable=False),
    Column("reviewed_at", Float, nullable=False),
    Column("reviewed_by", Text, nullable=False),
    Column("approved_success", Integer),  # 1: a person approved its fast rollback, which was verified; null: unknown
    Index("review_by_deployment", "deployment", "reviewed_at"),
)

seen = Table(
    "seen",
    metadata,
    Column("name", Text, primary_key=True),  # watchdog, kill_switch
    Column("at", Float, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of the cookie's secret: who reads the journal cannot sign in
    Column("person", Text, nullable=False),
    Column("credential", Text, nullable=False),  # which password they had: another one ends the session
    Column("opened_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

phase_total = Table(
    "phase_total",
    metadata,
    Column("phase", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),  # of the steps of runs that were removed, as all that follows
    Column("microseconds", BigInteger, nullable=False),
    Column("within", Text, nullable=False),  # JSON: how many took at most so many seconds, by these
)

removed_incident = Table(
    "removed_incident",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float, nullable=False),
    Column("removed_at", Float, nullable=False),
    Column("runs", Text, nullable=False),  # JSON: its newest runs, [id, report] each
    Index("removed_incident_by_age", "removed_at"),
)
