"""The receiver's configuration: one strict file into frozen, typed objects."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from configfile import Command, FilePath, Integer, Number, Section, load
from receiver.audit_files import Audit, TrailFiles
from receiver.config_values import AlertName, ListenAddress, Name, Period, PersonName, Url, is_loopback
from receiver.identity import Role
from receiver.log_settings import Log
from receiver.model import Autonomy


class Webhook(Section):
    """How Alertmanager proves who it is."""

    token_file: FilePath


class Pipeline(Section):
    """How a pipeline proves who it is; without this section none may report anything."""

    token_file: FilePath


class Token(Section):
    """One bearer token, and what its holder may do."""

    file: FilePath
    role: Role


class Web(Section):
    """Who may use the HTTP interface beside Alertmanager and the pipelines, and how they prove who they are."""

    config_file: FilePath | None = None
    external_url: Url | None = None
    session_lifetime: Period = 43200.0
    roles: dict[PersonName, Role] = Field(default={})
    tokens: dict[Name, Token] = Field(default={})

    @model_validator(mode="after")
    def _one_name_one_role(self) -> Self:
        doubled = sorted(self.roles.keys() & self.tokens.keys())
        if doubled:
            raise ValueError(f"tokens.{doubled[0]}: roles has that name too; one name is one person or program")
        return self


class Prometheus(Section):
    """Where the truth is read."""

    url: Url
    external_url: Url | None = None
    """Where people reach it, for links, where that is another address."""
    timeout: Period = 5.0
    max_age: Period = 60.0
    """Samples older than this are no facts."""


class Alertmanager(Section):
    """Where escalations are raised and silences are read."""

    url: Url
    timeout: Period = 5.0
    resend_every: Period = 20.0
    """How often it is told of an open escalation; it forgets one after `LAPSES_AFTER` times as long."""
    runbook_url: Url | None = None
    """Where people find the runbook of RollbackNeedsHuman."""


class DecisionBounds(Section):
    """Confidence above `execute_above` is executed, from `ask_from` on it is put to a human, below it is recorded."""

    execute_above: Number = Field(default=0.90, ge=0, le=1)
    ask_from: Number = Field(default=0.70, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ask_from > self.execute_above:
            raise ValueError("ask_from must not be above execute_above")
        return self


class Approval(Section):
    """How long people have to answer, and how many must approve; silence is not consent."""

    expires_after: Period = 900.0
    people: Integer = Field(default=1, ge=1, le=2)


class Unconfigurable(Section):
    """A guardrail without options."""


class DailyLimit(Section):
    """At most `limit` rollbacks of a deployment within `period` (the guide: 3 in 24 h)."""

    limit: Integer = Field(default=3, ge=1)
    period: Period = 86400.0


class Cooldown(Section):
    """At least this long between two rollbacks of a deployment (the guide: 5 min)."""

    period: Period = 300.0


class Watchdog(Section):
    """At most this long without a Watchdog from Alertmanager; it is sent each minute."""

    max_age: Period = 300.0


class Storm(Section):
    """At most so many deployments may ask for a rollback at once; an alert of `dependencies` refuses by itself."""

    deployments: Integer = Field(default=3, ge=1)
    dependencies: tuple[AlertName, ...] = ()


class SuspectRelease(Section):
    """A release that has been live for longer is not rolled back by itself; null: however long (the guide)."""

    max_age: Period | None = None


class OpenTransactions(Section):
    """A transaction that has been open for longer refuses; looking for them may take `timeout`."""

    older_than: Period = 5.0
    timeout: Period = 5.0


class DiskSpace(Section):
    """At least this much must be free where backups and logs go (the guide: 1 GB)."""

    minimum_bytes: Integer = Field(default=1_000_000_000, ge=0)


class Guardrails(Section):
    """One section a guardrail, under its name."""

    kill_switch: Unconfigurable = Unconfigurable()
    latched: Unconfigurable = Unconfigurable()
    silenced: Unconfigurable = Unconfigurable()
    storm: Storm = Storm()
    watchdog: Watchdog = Watchdog()
    telemetry_fresh: Unconfigurable = Unconfigurable()
    alert_still_firing: Unconfigurable = Unconfigurable()
    suspect_release: SuspectRelease = SuspectRelease()
    plan_stale: Unconfigurable = Unconfigurable()
    release_in_progress: Unconfigurable = Unconfigurable()
    target_release_valid: Unconfigurable = Unconfigurable()
    irreversible_migration: Unconfigurable = Unconfigurable()
    pending_transactions: OpenTransactions = OpenTransactions()
    rollback_command_present: Unconfigurable = Unconfigurable()
    daily_limit: DailyLimit = DailyLimit()
    cooldown: Cooldown = Cooldown()
    disk_space: DiskSpace = DiskSpace()
    backup_created: Unconfigurable = Unconfigurable()


class ReleasesTarget(Section):
    """The layout of Capistrano: `releases/<id>`, `current`, `shared/`."""

    path: FilePath
    restart: Command
    timeout: Period = 300.0


class Target(Section):
    """Exactly one adapter."""

    releases: ReleasesTarget


class Backups(Section):
    """What is kept before anything is touched."""

    sqlite: tuple[FilePath, ...] = ()
    paths: tuple[FilePath, ...] = ()


class PostgresqlDatabase(Section):
    """A database of the deployment, by libpq's connection string in a file."""

    url_file: FilePath


class PendingTransactions(Section):
    """Where open transactions are looked for; without `sqlite` in the files that are backed up."""

    sqlite: tuple[FilePath, ...] | None = None
    postgresql: PostgresqlDatabase | None = None
    command: Command | None = None


class Verify(Section):
    """When a rollback counts as verified."""

    timeout: Period = 600.0
    samples_in_a_row: Integer = Field(default=3, ge=1)


class Diagnosis(Section):
    """What is collected for a person when a run asks one or ends."""

    health: Command | None = None
    timeout: Period = 15.0
    access_logs: tuple[FilePath, ...] = ()
    lines: Integer = Field(default=20, ge=1, le=200)


class Deployment(Section):
    """One deployment: services that are released together."""

    target: Target
    backup: Backups = Backups()
    pending_transactions: PendingTransactions = PendingTransactions()
    verify: Verify = Verify()
    diagnosis: Diagnosis = Diagnosis()
    autonomy: Autonomy | None = None
    good_after: Period = 900.0
    observe_every: Period = 60.0


class Config(Section):
    """The whole file."""

    root: FilePath
    listen: ListenAddress = "127.0.0.1:9195"
    webhook: Webhook
    pipeline: Pipeline | None = None
    web: Web = Web()
    prometheus: Prometheus
    alertmanager: Alertmanager
    autonomy: Autonomy = Autonomy.L3
    decision: DecisionBounds = DecisionBounds()
    approval: Approval = Approval()
    guardrails: Guardrails = Guardrails()
    reconcile_every: Period = 60.0
    log: Log = Log()
    audit: Audit = Audit()
    deployments: dict[Name, Deployment] = Field(min_length=1)

    @field_validator("pipeline")
    @classmethod
    def _has_a_token_of_its_own(cls, value: Pipeline | None, info: ValidationInfo) -> Pipeline | None:
        webhook = info.data.get("webhook")  # absent where that is wrong itself
        if value and webhook and normpath(value.token_file) == normpath(webhook.token_file):
            raise ValueError("token_file is the webhook's; who may report releases is not who may notify")
        return value

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP interface."""
        return is_loopback(self.listen)

    def autonomy_of(self, deployment: str) -> Autonomy:
        """The level of `deployment` as configured; operators may have set another, see receiver.autonomy."""
        return self.deployments[deployment].autonomy or self.autonomy

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Every file that holds a secret of ours."""
        of_pipelines = (self.pipeline.token_file,) if self.pipeline else ()
        of_tokens = (token.file for token in self.web.tokens.values())
        return (self.webhook.token_file, *of_pipelines, *of_tokens, self.audit_files.key)

    @property
    def logs(self) -> Path:
        """Directory of the agent's log, the audit trail and the reports."""
        return self.root / "logs"

    @property
    def audit_files(self) -> TrailFiles:
        """The audit trail and its key."""
        return TrailFiles(self.logs / "audit-trail.jsonl", self.audit.key_file or self.root / "audit.key")

    @property
    def backups(self) -> Path:
        """Directory of the backups."""
        return self.root / "backups"

    @property
    def commands(self) -> Path:
        """Directory of the commands' marks and exit codes, one directory a run."""
        return self.root / "runs"

    @property
    def kill_switch(self) -> Path:
        """While this file exists, nothing is executed."""
        return self.root / "kill-switch"


def load_config(path: Path) -> Config:
    """Read the receiver's configuration; raises ConfigError with every fault found."""
    return load(path, Config)
