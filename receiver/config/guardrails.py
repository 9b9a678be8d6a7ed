"""What the guardrails go by; each section has its guardrail's name."""

from __future__ import annotations

from pydantic import Field

from configfile import Integer, Section
from receiver.config_values import AlertName, Period


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
    live_by_rollback: Unconfigurable = Unconfigurable()
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

    @property
    def longest_period(self) -> float:
        """Seconds for which a rollback counts against another one."""
        return max(self.daily_limit.period, self.cooldown.period)
