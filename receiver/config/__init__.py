"""The receiver's configuration: one strict file into frozen, typed objects."""

from __future__ import annotations

from os.path import normpath
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from configfile import FilePath, Integer, Number, Section, load
from receiver.audit_files import Audit, TrailFiles
from receiver.config.deployment import Deployment
from receiver.config.drills import REHEARSAL, Drill
from receiver.config.earned import EarnedAutonomy
from receiver.config.guardrails import Guardrails
from receiver.config.retention import Retention
from receiver.config_values import ListenAddress, Name, Period, PersonName, Url, is_loopback
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


class JournalServer(Section):
    """A PostgreSQL database that several replicas share, by libpq's connection string in a file."""

    url_file: FilePath


class Journal(Section):
    """Where everything is remembered; by default in a file below `root`."""

    postgresql: JournalServer | None = None
    keep_notifications: Period = 2592000.0
    """How long one with which nothing is left to do is kept."""
    most_notifications: Integer = Field(default=1_000_000, ge=10_000)
    """How many of these are kept, however young they are."""


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
    earned_autonomy: EarnedAutonomy = EarnedAutonomy()
    decision: DecisionBounds = DecisionBounds()
    approval: Approval = Approval()
    guardrails: Guardrails = Guardrails()
    reconcile_every: Period = 60.0
    journal: Journal = Journal()
    log: Log = Log()
    audit: Audit = Audit()
    retention: Retention = Retention()
    deployments: dict[Name, Deployment] = Field(min_length=1)
    drills: dict[Name, Drill] = Field(default={})

    @field_validator("pipeline")
    @classmethod
    def _has_a_token_of_its_own(cls, value: Pipeline | None, info: ValidationInfo) -> Pipeline | None:
        webhook = info.data.get("webhook")  # absent where that is wrong itself
        if value and webhook and normpath(value.token_file) == normpath(webhook.token_file):
            raise ValueError("token_file is the webhook's; who may report releases is not who may notify")
        return value

    @field_validator("retention")
    @classmethod
    def _keeps_what_counts(cls, value: Retention, info: ValidationInfo) -> Retention:
        limits = info.data.get("guardrails")  # absent where that is wrong itself
        if limits and value.incidents.age < limits.longest_period:
            raise ValueError("incidents.age must not be below the periods of guardrails.daily_limit and cooldown")
        return value

    @field_validator("deployments")
    @classmethod
    def _keep_no_backups_of_backups(cls, value: dict[str, Deployment], info: ValidationInfo) -> dict[str, Deployment]:
        root = normpath(info.data.get("root", "."))  # absent where that is wrong itself
        for name, deployment in value.items():
            for path in deployment.backup.paths:
                if Path(root).is_relative_to(normpath(path)):
                    raise ValueError(f"{name}.backup.paths: {path} holds root, and so the backups themselves")
        return value

    @field_validator("deployments")
    @classmethod
    def _earn_where_there_is_something_to_earn(
        cls, value: dict[str, Deployment], info: ValidationInfo
    ) -> dict[str, Deployment]:
        for name, deployment in value.items():
            level = deployment.autonomy or info.data.get("autonomy")  # absent where that is wrong itself
            if deployment.earned_autonomy.enabled and level not in (None, Autonomy.L3):
                raise ValueError(f"{name}.earned_autonomy.enabled: only L3 can rise, and its autonomy is {level}")
        return value

    @field_validator("drills")
    @classmethod
    def _break_only_what_is_there_for_it(cls, value: dict[str, Drill], info: ValidationInfo) -> dict[str, Drill]:
        deployments: dict[str, Deployment] = info.data.get("deployments", {})  # absent where that is wrong itself
        for name, drill in value.items():
            deployment = deployments.get(drill.deployment)
            if name == REHEARSAL:
                raise ValueError(f"{name}: this is the name of the drill that breaks nothing")
            if deployments and deployment is None:
                known = ", ".join(sorted(deployments))
                raise ValueError(f"{name}.deployment: there is no {drill.deployment}; the configuration has {known}")
            if deployment is not None and not deployment.sandbox:
                raise ValueError(
                    f"{name}.deployment: {drill.deployment} must not be broken; where it may be, "
                    f"say `sandbox: true` in deployments.{drill.deployment}"
                )
        return value

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP interface."""
        return is_loopback(self.listen)

    def autonomy_of(self, deployment: str) -> Autonomy:
        """The level of `deployment` as configured; operators may have set another, see receiver.autonomy."""
        return self.deployments[deployment].autonomy or self.autonomy

    def earned_autonomy_of(self, deployment: str) -> EarnedAutonomy | None:
        """What a branch of `deployment` needs to rise to L4; None where none may: it is off, or the level is not L3."""
        own = self.deployments[deployment].earned_autonomy.model_dump(exclude_none=True)
        found = self.earned_autonomy.model_copy(update=own)
        return found if found.enabled and self.autonomy_of(deployment) is Autonomy.L3 else None

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Every file that holds a secret of ours."""
        of_pipelines = (self.pipeline.token_file,) if self.pipeline else ()
        of_tokens = (token.file for token in self.web.tokens.values())
        of_journal = (self.journal.postgresql.url_file,) if self.journal.postgresql else ()
        return (self.webhook.token_file, *of_pipelines, *of_tokens, *of_journal, self.audit_files.key)

    @property
    def logs(self) -> Path:
        """Directory of the agent's log, the audit trail and the reports."""
        return self.root / "logs"

    @property
    def agent_log(self) -> Path:
        """The agent's log as it is written; full ones have a number behind the name."""
        return self.logs / "agent.log"

    @property
    def audit_files(self) -> TrailFiles:
        """The audit trail and its key."""
        key = self.audit.key_file or self.root / "audit.key"
        return TrailFiles(self.logs / "audit-trail.jsonl", key, self.audit.segment_bytes)

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
