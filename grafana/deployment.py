"""The dashboard of one deployment: is it going to be rolled back, and on what grounds?"""

from __future__ import annotations

import re
from functools import partial

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.annotations import Annotation
from grafana.board import board, choice
from grafana.limits import Rule, branches, limit, reference
from grafana.panels import GREEN, GREY, ORANGE, RED, AnyPanel, Panel, Query, State
from receiver.model import Autonomy, Result

UID = "rollback-deployment"
"""As `dashboard_url` of the rules names it."""

ONE = '{deployment="$deployment"}'
ERRORS_1M, ERRORS_5M = "service:http_request_errors:ratio_rate1m", "service:http_request_errors:ratio_rate5m"
DURATION = "service:http_request_duration_seconds:mean5m"
AFFECTED = "deployment:users_affected:ratio"
AVAILABILITY, OF_SERVICES = "deployment:availability:ratio", "service:availability:ratio"
KINDS = {"authentication": "AuthenticationBroken", "payment": "PaymentBroken"} | {
    "database": "DatabaseBrokenAfterRelease",
    "ui": "UserInterfaceBroken",
}
"""Kinds of health checks beside availability, and the branch that each decides."""

EXECUTED = (Result.RESTORED, Result.NO_EFFECT, Result.WORSE, Result.INCONCLUSIVE, Result.FAILED, Result.UNKNOWN)
"""Results of runs that touched the deployment."""

NO_OR_YES = (State("no", GREEN), State("yes", RED))

OnPage = partial(Panel, page="/deployments/${deployment:pipe}")


def deployment() -> Dashboard:
    """Everything that the tree reads of one deployment, what it makes of it, and what the agent did and may do."""
    return board(
        UID,
        "Rollback: deployment",
        "Is this deployment going to be rolled back, on what grounds, and what may the agent still do?",
        {
            "Now": _now(),
            "The decision tree": [_tree()],
            "What the tree reads": _signals(),
            "What the agent did": _deeds(),
        },
        variables=[
            choice(
                "deployment",
                '{__name__=~"rollback_autonomy_level|deployment:availability:ratio"}',
                "deployment",
                several=False,
            ),
        ],
        annotations=_annotations(),
    )


def of_deployment(promql: str) -> str:
    """The same of the chosen deployment, for PromQL in which only recorded signals stand."""
    return re.sub(r"\b(?:deployment|service):[a-z0-9_]+(?::[a-z0-9_]+)?", rf"\g<0>{ONE}", promql)


def _now() -> list[AnyPanel]:
    number = partial(OnPage, width=3, height=4)
    levels = [State("-", GREY), *(State(level.value, GREEN) for level in Autonomy)]
    return [
        number(
            "Live release",
            "The release that the agent found live on the target.",
            [Query(f"max by (release) (release_info{ONE})", "{{release}}")],
            "RollbackAgentDown",
            width=6,
        ).number(names=True),
        number(
            "Live since",
            "How long this release has been live. A database that fails is its fault only within the first hour.",
            [Query(of_deployment("deployment:release_age:seconds"))],
            "DatabaseBrokenAfterRelease",
            unit="s",
        ).number(),
        number(
            "Rollbacks left",
            "How often the agent may still roll back within the period (3 in 24 h unless configured otherwise).",
            [Query(f"min(rollback_budget_remaining{ONE})")],
            "RollbackBudgetUsedUp",
            unit="short",
        ).number(),
        number(
            "Autonomy",
            "L1 watches, L2 recommends, L3 asks before it rolls back, L4 rolls back by itself what is certain enough.",
            [Query(f"min(rollback_autonomy_level{ONE})")],
            "RollbackApprovalPending",
            states=levels,
        ).number(),
        number(
            "Latched",
            "Whether a human must clear the deployment before anything is done to it.",
            [Query(f"max(rollback_latched{ONE})")],
            "RollbackLatched",
            states=NO_OR_YES,
        ).number(),
        number(
            "Kill switch",
            "Whether somebody has stopped the agent as a whole.",
            [Query("max(rollback_kill_switch)")],
            "RollbackAgentDown",
            states=NO_OR_YES,
        ).number(),
        number(
            "Waits for a human",
            "Plans to be confirmed and questions that nobody has answered.",
            [Query(f"max(rollback_approvals_pending{ONE}) + sum(max by (reason) (rollback_escalations_open{ONE}))")],
            "RollbackEscalationOpen",
            unit="short",
        ).number(),
    ]


def _tree() -> AnyPanel:
    return OnPage(
        "Branches",
        "Every branch of the tree by rank: the lowest that fires decides, and those below it are silent meanwhile. No"
        " rows at all mean that Prometheus does not evaluate the rules (Watchdog is absent).",
        [Query(_state(one), f"{one.labels['rank']} {one.labels['branch']}: {one.demand}") for one in branches()],
        "ServiceDown",
        width=24,
        height=13,
        states=(State("inactive", GREEN), State("pending", ORANGE), State("firing", RED)),
    ).timeline()


def _state(rule: Rule) -> str:
    """0, 1 or 2 for inactive, pending, firing; absent where no rule is evaluated, as Watchdog always fires."""
    alerts = f'ALERTS{{deployment="$deployment",branch="{rule.labels["branch"]}",alertstate="%s"}}'
    states = f"max(2 * {alerts % 'firing'} or {alerts % 'pending'})"
    return f'{states} or 0 * max(ALERTS{{alertname="Watchdog"}})'


def _signals() -> list[AnyPanel]:
    return [
        OnPage(
            "Availability",
            "The share of availability checks that succeed, of all and of each service. A service at 0 is down too.",
            [
                Query(of_deployment(AVAILABILITY), "all"),
                Query(of_deployment(OF_SERVICES), "{{service}}"),
            ],
            "ServiceDown",
            "percentunit",
            limits=[limit("ServiceDown", AVAILABILITY)],
        ).lines(),
        OnPage(
            "Checks by kind",
            "The share of the other health checks that succeed. A kind without checks has no line and decides nothing.",
            [Query(of_deployment(f"deployment:{kind}:ratio"), kind) for kind in KINDS],
            "AuthenticationBroken",
            "percentunit",
            limits=[limit(alert, f"deployment:{kind}:ratio") for kind, alert in KINDS.items()],
        ).lines(),
        OnPage(
            "Errors",
            "The share of requests that were answered 5xx, over one and five minutes. Windows of fewer than 60 requests"
            " decide nothing.",
            [
                Query(of_deployment(ERRORS_1M), "{{service}} 1 min"),
                Query(of_deployment(ERRORS_5M), "{{service}} 5 min"),
            ],
            "HighErrorRate",
            "percentunit",
            limits=[limit("HighErrorRate", ERRORS_5M), limit("ElevatedErrorRate", ERRORS_5M)],
        ).lines(),
        OnPage(
            "Requests",
            "Requests per second. Without traffic no share of errors can be told.",
            [Query(of_deployment("service:http_requests:rate5m"), "{{service}}")],
            "HighErrorRate",
            "reqps",
        ).lines(),
        OnPage(
            "Users affected",
            "The share of the users of the last five minutes who met a 5xx.",
            [Query(of_deployment(AFFECTED), "affected")],
            "WideImpact",
            "percentunit",
            limits=[limit("WideImpact", AFFECTED), limit("MinorImpact", AFFECTED)],
        ).lines(),
        OnPage(
            "Users",
            "How many users were seen within five minutes. Of fewer than 60 no share is taken seriously.",
            [Query(of_deployment("deployment:users:count5m"), "users")],
            "WideImpact",
            "short",
        ).lines(),
        OnPage(
            "Response time",
            "The mean of five minutes, and what the rule compares it with: a multiple of the service's own day.",
            [
                Query(of_deployment(DURATION), "{{service}}"),
                Query(of_deployment(reference("SlowResponses", DURATION)), "{{service}} too slow"),
            ],
            "SlowResponses",
            "s",
            limits=[limit("SlowResponses", DURATION)],
        ).lines(),
        OnPage(
            "Beyond a threshold",
            "Whether any signal is beyond the threshold of a rollback at this moment, whatever its wait. A rollback"
            " counts as verified only where none is.",
            [Query(of_deployment("deployment:beyond_threshold:bool"), "beyond")],
            "ServiceDown",
            states=NO_OR_YES,
        ).timeline(),
    ]


def _deeds() -> list[AnyPanel]:
    in_progress = f"max by (phase) (rollback_run_in_progress{ONE}) == 1"
    of_releases = (f"3 * rollback_held_release_info{ONE}", f"2 * release_info{ONE}", f"rollback_release_good_info{ONE}")
    return [
        OnPage(
            "Phase of the run",
            "What the agent is doing: a run goes through these phases, and waits in `approve` for a person.",
            [Query(in_progress, "{{phase}}")],
            "RollbackRunTooLong",
            states=(State("no", GREY), State("at work", ORANGE)),
        ).timeline(),
        OnPage(
            "Releases",
            "Releases that are known good, the live one, and those that were rolled back and are held.",
            [Query(f"max by (release) ({' or '.join(of_releases)})", "{{release}}")],
            "RollbackBudgetUsedUp",
            states=(State("-", GREY), State("known good", GREEN), State("live", "blue"), State("held", RED)),
        ).timeline(),
        OnPage(
            "Budget",
            "Rollbacks left within the period.",
            [Query(f"min(rollback_budget_remaining{ONE})", "rollbacks left")],
            "RollbackBudgetUsedUp",
            "short",
            height=6,
        ).lines(),
        OnPage(
            "Cooldown left",
            "How long the agent waits after its last rollback before it may do another.",
            [Query(f"clamp_min(max(rollback_cooldown_end_timestamp_seconds{ONE}) - time(), 0)", "cooldown")],
            "RollbackBudgetUsedUp",
            "s",
            height=6,
        ).lines(),
    ]


def _annotations() -> list[Annotation]:
    ended = f'rollback_runs_total{{deployment="$deployment",result=~"{"|".join(EXECUTED)}"}}'
    moment = f"max by (deployment) (release_timestamp_seconds{ONE})"
    live = f"max by (deployment, release) (release_info{ONE})"
    return [
        Annotation(
            "Releases",
            f"1000 * {live} * on (deployment) group_left () {moment}",
            "{{release}} went live",
            "blue",
            at_value=True,
        ),
        Annotation(
            "Rollbacks",
            f"max by (level, result) (increase({ended}[$__rate_interval])) > 0",
            "rollback {{level}}: {{result}}",
            "purple",
        ),
        Annotation("Holds", f"max by (release) (rollback_held_release_info{ONE})", "{{release}} is held", ORANGE),
    ]
