"""Whether Prometheus has the rules, sends what fires to Alertmanager, and Alertmanager routes it to the agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from receiver.doctor.checked import Check
from receiver.doctor.routes import NotUnderstood, receivers_of
from receiver.durations import in_words
from receiver.rules.drift import Running, drift
from receiver.rules.files import SHIPPED, read_rule_files
from receiver.rules.groups import Group

CLOCKS_APART = 5.0
"""Seconds; more would be misread in an audit trail, whose times are its own machine's."""
_NEEDS_HUMAN = {"alertname": "RollbackNeedsHuman", "reason": "rollback_failed", "severity": "critical"}
_WATCHDOG = "Watchdog"


class Rules(Protocol):
    """A Prometheus server, as this module sees it; raises PrometheusError."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    def groups(self) -> tuple[Group, ...]:
        """The rules that it has loaded."""
        ...

    def now(self) -> float:
        """Its clock, in Unix seconds."""
        ...

    def loaded_at(self) -> float:
        """When it loaded them, by that clock."""
        ...

    def formatted(self, promql: str) -> str:
        """A query as it writes it."""
        ...

    def alertmanagers(self) -> tuple[str, ...]:
        """The addresses to which it sends what fires."""
        ...


class Routing(Protocol):
    """An Alertmanager, as this module sees it; raises AlertmanagerError."""

    def configuration(self) -> str:
        """What it has loaded, as YAML."""
        ...


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The two servers."""

    rules: Rules
    routing: Routing


def of_monitoring(monitoring: Monitoring, deployments: Iterable[str], clock: Callable[[], float]) -> Iterator[Check]:
    """What is common to all deployments."""
    rules, routing, names = monitoring.rules, monitoring.routing, tuple(deployments)
    yield Check(
        "Prometheus", lambda: None if rules.now() else "it has no time",
        f"see that it runs, and that prometheus.url ({rules.url}) is its address as seen from here",
    )  # fmt: skip
    yield Check(
        "clock", lambda: ahead_of(clock() - rules.now(), "Prometheus'"),
        "let one time service (chrony, systemd-timesyncd) set the clocks of both machines",
        needs=("Prometheus",),
    )  # fmt: skip
    yield Check(
        "rules", lambda: _rules(rules),
        "load alert-rules/ into Prometheus (docs/alert-rules.md); `rollback-agent check-config --against-prometheus` "
        "tells every difference",
        needs=("Prometheus",),
    )  # fmt: skip
    yield Check(
        "alerting", lambda: None if rules.alertmanagers() else "Prometheus sends what fires to no Alertmanager",
        "name Alertmanager in prometheus.yml, as `alerting` in alert-rules/prometheus.yml does",
        needs=("Prometheus",),
    )  # fmt: skip
    yield Check(
        "routes", lambda: _routes(routing, names),
        "take the routes of alert-rules/alertmanager.yml; `amtool config routes test` tells where an alert goes",
        needs=("Alertmanager",),
    )  # fmt: skip


def ahead_of(ahead: float, whose: str) -> str | None:
    """What is wrong with a clock that is so many seconds ahead of another one."""
    if abs(ahead) <= CLOCKS_APART:
        return None
    return f"this machine's clock is {in_words(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} {whose}"


def _rules(rules: Rules) -> str | None:
    differences = tuple(
        drift(read_rule_files(SHIPPED), Running(rules.groups(), rules.loaded_at(), rules.now(), rules.formatted))
    )
    if not differences:
        return None
    others = f" (and {len(differences) - 1} more)" if differences[1:] else ""
    return f"Prometheus' rules are not those that came with the agent: {differences[0]}{others}"


def _routes(routing: Routing, deployments: tuple[str, ...]) -> str | None:
    text = routing.configuration()
    try:
        return "; ".join(_misrouted(text, deployments)) or None
    except NotUnderstood as error:
        return f"Alertmanager's configuration is not understood: {error}"


def _misrouted(text: str, deployments: tuple[str, ...]) -> Iterator[str]:
    to_agent: dict[str, None] = {}
    lost: list[str] = []
    for labels in _for_the_agent(deployments):
        found = [one for one in receivers_of(text, labels) if one.may_be_the_agent]
        to_agent |= dict.fromkeys(one.name for one in found)
        if not found:
            lost.append(_described(labels))
    if lost:
        yield f"no webhook of an agent gets {_some(lost)}"
    for deployment in deployments:
        found = list(receivers_of(text, _NEEDS_HUMAN | {"deployment": deployment}))
        if returning := [one.name for one in found if one.name in to_agent]:
            yield f"RollbackNeedsHuman of {deployment} goes back to the agent, by {', '.join(returning)}"
        elif not any(one.tells_anybody for one in found):
            silent = ", ".join(one.name for one in found)
            yield f"RollbackNeedsHuman of {deployment} reaches nobody: {silent} tells no one"


def _for_the_agent(deployments: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """The labels of the shipped alerts that have to reach the agent: the Watchdog, and every branch."""
    for file in read_rule_files(SHIPPED):
        for rule in (rule for group in file.groups for rule in group.rules):
            if rule.name == _WATCHDOG:
                yield {**rule.labels, "alertname": rule.name}
            elif "branch" in rule.labels:
                yield from ({**rule.labels, "alertname": rule.name, "deployment": one} for one in deployments)


def _described(labels: Mapping[str, str]) -> str:
    of = f" of {labels['deployment']}" if "deployment" in labels else ""
    return f"{labels['alertname']}{of}"


def _some(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more alerts" if unique[3:] else "")
