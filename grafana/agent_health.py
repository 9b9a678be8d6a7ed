"""The dashboard for operators: is the agent well, and would an alert reach it?"""

from __future__ import annotations

from functools import partial

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.board import board, choice
from grafana.limits import limit
from grafana.panels import GREEN, RED, AnyPanel, Panel, Query, State

UID = "rollback-agent-health"
AGENT, EXPORTER = '{instance=~"$instance"}', '{instance=~"$exporter"}'
DOWN_OR_UP = (State("down", RED), State("up", GREEN))
FAILED_OR_FINE = (State("failed", RED), State("fine", GREEN))
WATCHDOG_AGE = "time() - max by (job) (rollback_watchdog_last_seen_timestamp_seconds)"
"""As the rule has it that tells of its absence."""

Half = partial(Panel, width=12, height=7)
Third = partial(Panel, width=8, height=7)


def agent_health() -> Dashboard:
    """The agent's replicas and the exporters, and what lies between them and Alertmanager."""
    return board(
        UID,
        "Rollback: agent health",
        "Do the agent and the exporter run, does anything reach them, and does anything wait?",
        {
            "Is it there?": _presence(),
            "The webhook": _webhook(),
            "Queue and leases": _queue(),
            "Audit trail and escalations": _audit(),
            "Latency and process": _process(),
            "The exporter": _exporter(),
        },
        variables=[
            choice("instance", "rollback_journal_up", "instance", several=True),
            choice("exporter", "rollback_exporter_collector_success", "instance", several=True),
        ],
    )


def _presence() -> list[AnyPanel]:
    well = (f"max by (instance) (up{AGENT})", f"max by (instance) (rollback_journal_up{AGENT})")
    reloaded = f"max by (instance) (rollback_config_last_reload_successful{AGENT})"
    return [
        Third(
            "Agents and their journal",
            "Whether Prometheus can scrape each replica, and whether it can read its journal.",
            [Query(well[0], "{{instance}}"), Query(well[1], "{{instance}} journal")],
            "RollbackAgentDown",
            states=DOWN_OR_UP,
        ).timeline(),
        Third(
            "Watchdog",
            "How long ago the last Watchdog came through Alertmanager; a day stands for longer, and for never. "
            "Without one the agent does nothing by itself.",
            [Query(f"clamp_max({WATCHDOG_AGE.replace('_seconds)', f'_seconds{AGENT})')}, 86400)", "{{job}}")],
            "RollbackWatchdogMissing",
            "s",
            limits=[limit("RollbackWatchdogMissing", WATCHDOG_AGE)],
        ).lines(),
        Third(
            "Configuration",
            "Whether the last reload succeeded. After one that failed the old configuration stays in use.",
            [Query(reloaded, "{{instance}}")],
            "RollbackConfigReloadFailed",
            states=FAILED_OR_FINE,
        ).timeline(),
    ]


def _rate(metric: str, label: str, selector: str = AGENT) -> str:
    """A rate by one label; what comes from the journal is exposed alike by all replicas."""
    return f"max by ({label}) (rate({metric}{selector}[$__rate_interval]))"


def _webhook() -> list[AnyPanel]:
    latency = (
        'sum by (le) (rate(alertmanager_notification_latency_seconds_bucket{integration="webhook"}[$__rate_interval]))'
    )
    failed = (
        'sum by (instance) (rate(alertmanager_notifications_failed_total{integration="webhook"}[$__rate_interval]))'
    )
    return [
        Half(
            "Notifications",
            "What became of Alertmanager's notifications. Anything but `accepted` was refused.",
            [Query(_rate("rollback_notifications_total", "outcome"), "{{outcome}}")],
            "RollbackWebhookRefused",
            "ops",
        ).lines(),
        Half(
            "Alerts",
            "What the alerts in them were. `unknown_deployment` and `invalid` are rules or routes that do not fit.",
            [Query(_rate("rollback_alerts_total", "outcome"), "{{outcome}}")],
            "RollbackWebhookRefused",
            "ops",
        ).lines(),
        Half(
            "Failed deliveries",
            "What Alertmanager could not deliver to webhooks, by its own account.",
            [Query(failed, "{{instance}}")],
            "RollbackWebhookFailing",
            "ops",
        ).lines(),
        Half(
            "Latency of the webhook",
            "How long Alertmanager's deliveries to webhooks take: nine in ten are quicker than this.",
            [Query(f"histogram_quantile(0.9, {latency})", "90 %")],
            "RollbackWebhookFailing",
            "s",
        ).lines(),
    ]


def _queue() -> list[AnyPanel]:
    return [
        Third(
            "Due notifications",
            "Stored notifications that the agent has yet to look at.",
            [Query(f"max(rollback_inbox_due{AGENT})", "due")],
            "RollbackRunTooLong",
            "short",
        ).lines(),
        Third(
            "Leased runs",
            "Runs that a worker of some replica is at.",
            [Query(f"max(rollback_runs_leased{AGENT})", "leased")],
            "RollbackRunTooLong",
            "short",
        ).lines(),
        Third(
            "Delay",
            "How long a notification or a run has been due without anybody taking it. A line that climbs means that no"
            " worker works; a lease that ended without its worker shows here, too.",
            [
                Query(f"max(rollback_inbox_delay_seconds{AGENT})", "notifications"),
                Query(f"max(rollback_runs_delay_seconds{AGENT})", "runs"),
            ],
            "RollbackRunTooLong",
            "s",
        ).lines(),
    ]


def _audit() -> list[AnyPanel]:
    written = f"sum by (instance) (increase(rollback_audit_records_total{AGENT}[$__rate_interval]))"
    return [
        Third(
            "Audit trail",
            "Whether the trail of each replica holds and has lost nothing.",
            [Query(f"min by (instance) (rollback_audit_intact{AGENT})", "{{instance}}")],
            "RollbackAuditBroken",
            states=(State("broken", RED), State("intact", GREEN)),
        ).timeline(),
        Third(
            "Audit records",
            "How many records were written.",
            [Query(written, "{{instance}}")],
            "RollbackAuditShrunk",
            "short",
        ).lines(),
        Third(
            "Calls for a human",
            "What became of the attempts to tell Alertmanager of an escalation, and how many it does not have.",
            [
                Query(_rate("rollback_escalation_deliveries_total", "outcome"), "{{outcome}}"),
                Query(f"sum(max by (deployment, reason) (rollback_escalations_undelivered{AGENT}))", "undelivered"),
            ],
            "RollbackEscalationUndelivered",
            "short",
        ).lines(),
    ]


def _process() -> list[AnyPanel]:
    phases = f"max by (phase, le) (rate(rollback_phase_duration_seconds_bucket{AGENT}[$__rate_interval]))"
    of_instance = "{{instance}}"
    return [
        Third(
            "Duration of phases",
            "Nine in ten phases that ended took less than this. `approve` waits for people, `verify` for the signals.",
            [Query(f"histogram_quantile(0.9, {phases})", "{{phase}}")],
            "RollbackRunTooLong",
            "s",
        ).lines(),
        Third(
            "Duration of a scrape",
            "How long the agent takes to tell its metrics, for which it reads its journal; a slow one shows here.",
            [Query(f"max by (instance) (scrape_duration_seconds{AGENT})", of_instance)],
            "RollbackJournalDown",
            "s",
        ).lines(),
        Third(
            "Memory",
            "Resident memory of the agent. Commands that it starts are not in it.",
            [Query(f"max by (instance) (process_resident_memory_bytes{AGENT})", of_instance)],
            "RollbackAgentDown",
            "bytes",
        ).lines(),
        Half(
            "CPU",
            "Seconds of CPU per second: 1 is one core.",
            [Query(f"sum by (instance) (rate(process_cpu_seconds_total{AGENT}[$__rate_interval]))", of_instance)],
            "RollbackAgentDown",
            "short",
        ).lines(),
        Half(
            "Open files",
            "The share of the file descriptors it may open that are open.",
            [Query(f"max by (instance) (process_open_fds{AGENT} / process_max_fds{AGENT})", of_instance)],
            "RollbackAgentDown",
            "percentunit",
        ).lines(),
    ]


def _exporter() -> list[AnyPanel]:
    collectors = f"min by (instance, collector) (rollback_exporter_collector_success{EXPORTER})"
    checks = f"max by (deployment, service, check) (healthcheck_duration_seconds{EXPORTER})"
    failures = f"sum by (deployment, service, reason) (rate(healthcheck_failures_total{EXPORTER}[$__rate_interval]))"
    unparsable = f"sum by (deployment, service) (rate(access_log_unparsable_lines_total{EXPORTER}[$__rate_interval]))"
    return [
        Half(
            "Exporters",
            "Whether Prometheus can scrape each exporter, and whether what it collects with works.",
            [
                Query(f"max by (instance) (up{EXPORTER})", "{{instance}}"),
                Query(collectors, "{{instance}} {{collector}}"),
            ],
            "RollbackExporterDown",
            states=DOWN_OR_UP,
        ).timeline(),
        Half(
            "Duration of health checks",
            "How long each check takes. One at its timeout fails.",
            [Query(checks, "{{deployment}} {{service}} {{check}}")],
            "RollbackExporterDown",
            "s",
        ).lines(),
        Half(
            "Failed health checks",
            "Failures per second, by their reason.",
            [Query(failures, "{{deployment}} {{service}} {{reason}}")],
            "ServiceDown",
            "ops",
        ).lines(),
        Half(
            "Lines that cannot be read",
            "Lines of access logs that are not of the configured format. Their errors are not counted.",
            [Query(unparsable, "{{deployment}} {{service}}")],
            "RollbackAccessLogUnparsable",
            "ops",
        ).lines(),
    ]
