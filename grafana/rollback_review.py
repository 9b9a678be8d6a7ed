"""The dashboard for reviews: what did the agent do, how well, and what did it refuse?"""

from __future__ import annotations

from functools import partial

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.annotations import Annotation
from grafana.board import board, choice
from grafana.panels import GREY, ORANGE, AnyPanel, Panel, Query, State

UID = "rollback-review"
OF_CHOSEN = '{deployment=~"$deployment"}'


def rollback_review() -> Dashboard:
    """Every run that ended within the time range, of any number of deployments."""
    ended = f"1000 * max by (deployment, run) (rollback_ended_run_end_timestamp_seconds{OF_CHOSEN})"
    return board(
        UID,
        "Rollback: review",
        "What did the agent do, how long did it take, and what did it refuse?",
        {
            "Results": _results(),
            "Runs": [_every_run(), _phases()],
            "Refusals and escalations": [_refusals(), _escalations(), _waiting()],
            "In shadow": [_shadows(), _shadow_times()],
            "What reviews say": [*_accuracy(), _answers(), _calibration()],
        },
        variables=[choice("deployment", "rollback_autonomy_level", "deployment", several=True)],
        annotations=[Annotation("Runs", ended, "{{deployment}}: run {{run}} ended", "purple", at_value=True)],
        since="now-7d",
    )


def _last(metric: str, labels: str = "deployment, run", more: str = "") -> str:
    """The last value within the time range; replicas of the agent say the same."""
    selected = f'rollback_ended_run_{metric}{{deployment=~"$deployment"{more}}}[$__range]'
    return f"max by ({labels}) (last_over_time({selected}))"


def _ended_within(promql: str) -> str:
    """Only of runs that ended within the time range, since the newest are exposed however long ago they ended."""
    return f"{promql} and on (deployment, run) ({_last('end_timestamp_seconds')} >= time() - $__range_s)"


def _runs(*labels: str, more: str = "") -> str:
    return _ended_within(_last("info", ", ".join(("deployment", "run", *labels)), more))


def _since(metric: str) -> str:
    """Seconds from a moment of the run to its end."""
    return _ended_within(f"({_last('end_timestamp_seconds')} - {_last(metric)})")


def _results() -> list[AnyPanel]:
    number = partial(Panel, width=4, height=6)
    restored = ',result="restored"'
    took = f"{_since('incident_timestamp_seconds')} and on (deployment, run) {_last('info', more=restored)}"
    return [
        number(
            "Ended runs", "How many runs ended.", [Query(f"count({_runs()})")], "RollbackRunTooLong", "short"
        ).number(),
        number(
            "Restored",
            "How many of them brought a good release back and saw that it helped.",
            [Query(f"count({_runs(more=restored)})")],
            "RollbackLatched",
            "short",
        ).number(),
        number(
            "Time to restore",
            "From the beginning of the incident, when the agent heard of the fault, until it was verified that it is"
            " over: the median of the restored.",
            [Query(f"quantile(0.5, {took})")],
            "RollbackRunTooLong",
            "s",
        ).number(),
        number(
            "Longest time to restore",
            "The same of the one that took longest.",
            [Query(f"max({took})")],
            "RollbackRunTooLong",
            "s",
        ).number(),
        number(
            "By verdict",
            "How the runs ended. What touched the deployment and is not `restored` needs a human.",
            [Query(f"count by (result) ({_runs('result')})")],
            "RollbackLatched",
            "short",
        ).rows({"result": "verdict", "Value": "runs"}),
        number(
            "By branch",
            "Which branches of the tree have begun the runs.",
            [Query(f"count by (branch) ({_runs('branch')})")],
            "ServiceDown",
            "short",
        ).rows({"branch": "branch", "Value": "runs"}),
    ]


def _every_run() -> AnyPanel:
    what = ("incident", "branch", "level", "confidence", "approved_by", "result")
    started = _ended_within(_last("start_timestamp_seconds"))
    columns = {"Value #B": "began", "deployment": "deployment", "incident": "incident", "run": "run"}
    columns |= {"branch": "branch", "level": "level", "confidence": "confidence", "approved_by": "approved by"}
    columns |= {"result": "verdict", "Value #C": "took", "Value #D": "fault to end"}
    return Panel(
        "Every run",
        "What each run was about, who or which autonomy level let it pass, how it ended, how long it took, and how long"
        " after the beginning of its incident that was.",
        [
            Query(_runs(*what)),
            Query(f"1000 * ({started})"),
            Query(_since("start_timestamp_seconds")),
            Query(_since("incident_timestamp_seconds")),
        ],
        "RollbackRunTooLong",
        "s",
        width=24,
        height=10,
    ).rows(columns, units={"began": "dateTimeAsIso"}, incident=True)


def _phases() -> AnyPanel:
    return Panel(
        "Phases",
        "How long each phase of each run took. `approve` is the time in which a person was asked.",
        [Query(_ended_within(_last("phase_duration_seconds", "deployment, run, phase")))],
        "RollbackRunTooLong",
        "s",
        width=24,
    ).matrix("run", "phase")


def _increase(metric: str, label: str) -> str:
    """How much a counter of the journal grew within the time range, which all replicas expose alike."""
    grown = f"max by (deployment, {label}) (increase({metric}{OF_CHOSEN}[$__range]))"
    return f"round(sum by (deployment, {label}) ({grown})) > 0"


def _refusals() -> AnyPanel:
    return Panel(
        "Refusals",
        "Which guardrails have refused, and how often.",
        [Query(_increase("rollback_refusals_total", "guardrail"))],
        "RollbackBudgetUsedUp",
        "short",
        width=8,
    ).rows({"deployment": "deployment", "guardrail": "guardrail", "Value": "refusals"})


def _escalations() -> AnyPanel:
    still_open = f"max by (deployment, reason) (rollback_escalations_open{OF_CHOSEN}) > 0"
    return Panel(
        "Escalations",
        "For which reasons a human was asked, how often, and how many of these questions are open.",
        [Query(_increase("rollback_escalations_total", "reason")), Query(still_open)],
        "RollbackEscalationOpen",
        "short",
        width=8,
    ).rows({"deployment": "deployment", "reason": "reason", "Value #A": "asked", "Value #B": "open"})


def _waiting() -> AnyPanel:
    escalations = f"sum by (deployment) (max by (deployment, reason) (rollback_escalations_open{OF_CHOSEN}))"
    approvals = f"max by (deployment) (rollback_approvals_pending{OF_CHOSEN})"
    return Panel(
        "Open questions",
        "How many questions and plans waited for a human, and how long: a step down is an answer.",
        [Query(escalations, "{{deployment}} escalations"), Query(approvals, "{{deployment}} plans")],
        "RollbackApprovalPending",
        "short",
        width=8,
    ).lines()


_SHADOW_DECISION = f"deployment:shadow_decision:bool{OF_CHOSEN}"


def _shadows() -> AnyPanel:
    return Panel(
        "Shadow beside live",
        "Which branch decided, and whether it did so live, in the shadow, or in both. Empty where no shadow is loaded.",
        [
            Query(
                f"max by (shadow, deployment, branch, decided_by) ({_SHADOW_DECISION})",
                "{{shadow}}: {{deployment}} {{branch}}, {{decided_by}}",
            )
        ],
        "HighErrorRate",
        states=[State("", GREY), State("decides", ORANGE)],
    ).timeline()


def _shadow_times() -> AnyPanel:
    columns = {"shadow": "shadow", "deployment": "deployment", "branch": "branch", "action": "action"}
    columns |= {"decided_by": "decided by", "Value": "for"}
    of = "shadow, deployment, branch, action, decided_by"
    return Panel(
        "Agreement of shadow and live",
        "How long each branch decided in both, only live, or only in the shadow.",
        [Query(f"10 * sum by ({of}) (sum_over_time({_SHADOW_DECISION}[$__range:10s]))")],
        "HighErrorRate",
        "s",
    ).rows(columns)


def _reviewed(metric: str, labels: str, more: str = "") -> str:
    """The newest of all reviews so far: the time range says nothing about them. Replicas say the same."""
    return f'max by ({labels}) ({metric}{{deployment=~"$deployment"{more}}})'


def _accuracy() -> list[AnyPanel]:
    of = "deployment, branch"

    def bounds(metric: str) -> list[Query]:
        named = ("estimate", "lower", "upper")
        return [Query(_reviewed(metric, of, f',bound="{bound}"')) for bound in named]

    def share(title: str, description: str, metric: str) -> AnyPanel:
        columns = {"deployment": "deployment", "branch": "branch"}
        columns |= {"Value #A": "share", "Value #B": "at least", "Value #C": "at most"}
        return Panel(title, description, bounds(metric), "RollbackLatched", "percentunit", width=8).rows(columns)

    precision = share(
        "Precision",
        "Of the rollbacks that were decided, how many a person found necessary afterwards, with the 95 % interval."
        " Branch `all` is the whole deployment.",
        "rollback_decision_precision_ratio",
    )
    recall = share(
        "Recall",
        "Of the rollbacks that a person found necessary, how many were decided; missed incidents are those that people"
        " entered.",
        "rollback_decision_recall_ratio",
    )
    times = Panel(
        "Delay and lead",
        "Medians of right rollbacks: from the beginning of the fault to the decision, and from the decision to when a"
        " person noticed it.",
        [
            Query(_reviewed("rollback_decision_delay_seconds", of)),
            Query(_reviewed("rollback_decision_lead_seconds", of)),
        ],
        "RollbackRunTooLong",
        "s",
        width=8,
    ).rows({"deployment": "deployment", "branch": "branch", "Value #A": "delay", "Value #B": "lead"})
    return [precision, recall, times]


def _answers() -> AnyPanel:
    columns = {"deployment": "deployment", "question": "question", "answer": "answer", "Value": "reviews"}
    return Panel(
        "Answers",
        "What people answered: whether the rollback was necessary, the level right, a hotfix possible.",
        [Query(_reviewed("rollback_review_answers", "deployment, question, answer") + " > 0")],
        "RollbackLatched",
        "short",
    ).rows(columns)


def _calibration() -> AnyPanel:
    of = "deployment, confidence"
    came = "rollback_confidence_necessary_ratio"
    columns = {"deployment": "deployment", "confidence": "confidence", "Value #A": "necessary"}
    columns |= {"Value #B": "at least", "Value #C": "at most", "Value #D": "of"}
    return Panel(
        "Are confidences true?",
        "Of the reviewed rollbacks of each confidence, how many were necessary, with the 95 % interval, of how many. A"
        " confidence is true where the interval holds it.",
        [
            *(Query(_reviewed(came, of, f',bound="{bound}"')) for bound in ("estimate", "lower", "upper")),
            Query(_reviewed("rollback_confidence_reviewed", of)),
        ],
        "RollbackLatched",
        "percentunit",
    ).rows(columns, units={"of": "short"})
