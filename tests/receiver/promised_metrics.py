"""The receiver's metrics with their labels, as the design promises them, and those beside them."""

from __future__ import annotations

PROMISED: dict[str, set[str]] = {
    "release_in_progress": {"deployment"},
    "release_migration_failed": {"deployment"},
    "release_info": {"deployment", "release", "commit"},
    "release_timestamp_seconds": {"deployment"},
    "rollback_notifications_total": {"outcome"},
    "rollback_alerts_total": {"outcome"},
    "rollback_decisions_total": {"deployment", "branch", "outcome"},
    "rollback_runs_total": {"deployment", "level", "result"},
    "rollback_run_in_progress": {"deployment", "phase"},
    "rollback_phase_duration_seconds_bucket": {"phase", "le"},
    "rollback_phase_duration_seconds_count": {"phase"},
    "rollback_phase_duration_seconds_sum": {"phase"},
    "rollback_refusals_total": {"deployment", "guardrail"},
    "rollback_escalations_total": {"deployment", "reason"},
    "rollback_escalations_open": {"deployment", "reason"},
    "rollback_escalations_undelivered": {"deployment", "reason"},
    "rollback_escalation_deliveries_total": {"outcome"},
    "rollback_approvals_pending": {"deployment"},
    "rollback_budget_remaining": {"deployment"},
    "rollback_cooldown_end_timestamp_seconds": {"deployment"},
    "rollback_last_run_timestamp_seconds": {"deployment"},
    "rollback_held_release_info": {"deployment", "release"},
    "rollback_inbox_due": set(),
    "rollback_inbox_delay_seconds": set(),
    "rollback_runs_leased": set(),
    "rollback_runs_delay_seconds": set(),
    "rollback_ended_run_info": {
        *("deployment", "incident", "run", "branch", "level", "confidence", "approved_by", "result"),
    },
    "rollback_ended_run_incident_timestamp_seconds": {"deployment", "run"},
    "rollback_ended_run_start_timestamp_seconds": {"deployment", "run"},
    "rollback_ended_run_end_timestamp_seconds": {"deployment", "run"},
    "rollback_ended_run_phase_duration_seconds": {"deployment", "run", "phase"},
    "rollback_latched": {"deployment"},
    "rollback_autonomy_level": {"deployment"},
    "rollback_kill_switch": set(),
    "rollback_hotfix_deadline_timestamp_seconds": {"deployment"},
    "rollback_hotfix_failed": {"deployment"},
    "rollback_watchdog_last_seen_timestamp_seconds": set(),
    "rollback_audit_records_total": set(),
    "rollback_audit_head": set(),
    "rollback_audit_intact": set(),
    "rollback_config_last_reload_successful": set(),
    "rollback_config_last_reload_success_timestamp_seconds": set(),
}
"""What the design promises of the receiver."""


MORE: dict[str, set[str]] = {
    "rollback_journal_up": set(),
    "rollback_release_good_info": {"deployment", "release"},
    "rollback_retention_removed_total": {"kind"},
    "rollback_retention_failures_total": {"kind"},
    "rollback_retention_last_success_timestamp_seconds": set(),
    "rollback_incidents_unreviewed": {"deployment"},
    "rollback_review_answers": {"deployment", "question", "answer"},
}
"""What is exposed beyond that."""

WITH_DRILLS: dict[str, set[str]] = {"rollback_drill_last_success_timestamp_seconds": {"deployment", "scenario"}}
"""What is exposed where drills are configured, or were done."""

WITH_EARNING: dict[str, set[str]] = {
    "rollback_branch_autonomy_level": {"deployment", "branch"},
    "rollback_earned_approved": {"deployment", "branch"},
    "rollback_earned_precision_ratio": {"deployment", "branch"},
}
"""What is exposed where a branch may earn L4 and has a reviewed rollback."""
