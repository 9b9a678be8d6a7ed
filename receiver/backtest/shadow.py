"""Makes a copy of the branches that decides and is recorded beside the live ones, and that nobody acts on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from configfile import ConfigError
from receiver.backtest.rule_set import ReplayedRule, RuleSet

BRANCH, SHADOW, SHADOW_BRANCH = "branch", "shadow", "shadow_branch"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_ALERTS = re.compile(r"\bALERTS\{([^}]*)\}")
_HEAD = """\
# Made by `rollback-agent shadow {name}`: decides as the tree would with {told}, and never acts.
#
# What is acted on has a label `branch`. These alerts have `shadow_branch` instead, so neither the agent nor the live
# rules see them, and prometheus.yml sends none of them to Alertmanager. They are recorded as ALERTS{{shadow="{name}"}}.
# What is decided by `both`, by `live` alone and by the `shadow` alone is recorded as deployment:shadow_decision:bool.
"""
DECISION = "deployment:shadow_decision:bool"
_LIVE = 'group by (deployment, branch, action) (ALERTS{alertstate="firing", branch!=""})'
_SHADOW = """\
group by (deployment, branch, action) (
  label_replace(ALERTS{{alertstate="firing", shadow="{name}"}}, "branch", "$1", "shadow_branch", "(.+)")
)"""


def shadow_file(rules: RuleSet, name: str, told: str) -> str:
    """The text of a rule file; `told` says what is different in it. Raises ConfigError where the name cannot be one."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot name a shadow; take small letters, digits and _, such as strict")
    groups = [
        {"name": f"rollback-shadow-{name}-{group}", "rules": own}
        for group in dict.fromkeys(rule.group for rule in rules.rules)
        if (own := [_shadowed(rule, name) for rule in rules.branches if rule.group == group])
    ]
    groups.append({"name": f"rollback-shadow-{name}-beside-live", "rules": list(_beside_live(name))})
    head = _HEAD.format(name=name, told=told)
    return head + yaml.dump({"groups": groups}, Dumper=_Readable, sort_keys=False, width=1000)


class _Readable(yaml.SafeDumper):
    """Writes expressions line by line, as a person would."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def _shadowed(rule: ReplayedRule, name: str) -> dict[str, Any]:
    content = rule.content
    if rule.reads & {"ALERTS_FOR_STATE"}:
        raise ConfigError(f"{rule.branch}: reads ALERTS_FOR_STATE, which a shadow has none of its own of")
    labels = {key: value for key, value in content["labels"].items() if key != BRANCH}
    kept: dict[str, Any] = {key: content[key] for key in ("for", "keep_firing_for") if key in content}
    expression = _ALERTS.sub(lambda found: f"ALERTS{{{', '.join(_matchers(found[1], name))}}}", str(content["expr"]))
    return {
        "alert": f"Shadow{content['alert']}",
        "expr": expression,
        **kept,
        "labels": {SHADOW: name, SHADOW_BRANCH: rule.branch, **labels},
    }


def _beside_live(name: str) -> Iterator[dict[str, Any]]:
    """Records of each branch that decides on a deployment whether it does so live, in the shadow, or in both."""
    shadow = _SHADOW.format(name=name)
    for decided_by, expression in (
        ("both", f"{_LIVE}\nand on (deployment, branch)\n{shadow}\n"),
        ("live", f"{_LIVE}\nunless on (deployment, branch)\n{shadow}\n"),
        ("shadow", f"{shadow}\nunless on (deployment, branch)\n{_LIVE}\n"),
    ):
        yield {"record": DECISION, "expr": expression, "labels": {SHADOW: name, "decided_by": decided_by}}


def _matchers(text: str, name: str) -> Iterator[str]:
    """The same matchers, for the alerts of this shadow in place of the live ones."""
    yield f'{SHADOW}="{name}"'
    yield re.sub(rf"(?<![\w]){BRANCH}(?=\s*[=!])", SHADOW_BRANCH, text)
