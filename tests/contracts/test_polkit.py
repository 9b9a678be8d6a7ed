"""The rule for polkit lets the agent's user restart the named units, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

RULE = Path(__file__).parents[2] / "docs" / "deploy" / "50-rollback-agent.rules"
UNITS, FILES = "org.freedesktop.systemd1.manage-units", "org.freedesktop.systemd1.manage-unit-files"
POLKIT = """
var rule, polkit = {Result: {YES: "yes", NOT_HANDLED: "not handled"}, addRule: function (added) { rule = added; }};
"""


def answer(directory: Path, user: str, action: str, unit: str = "", verb: str = "", templates: str = "[]") -> str:
    """What the rule answers, in the engine that polkit runs it with."""
    asked = json.dumps({"unit": unit, "verb": verb})
    rule = RULE.read_text().replace("var TEMPLATES = [];", f"var TEMPLATES = {templates};")
    question = (
        f"var asked = {asked};\n"
        f"print(rule({{id: {json.dumps(action)}, lookup: function (key) {{ return asked[key]; }}}}, "
        f"{{user: {json.dumps(user)}}}));"
    )
    script = directory / "question.js"
    script.write_text(POLKIT + rule + question)
    done = subprocess.run(["duk", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("user", "action", "unit", "verb", "said"),
    [
        ("rollback-agent", UNITS, "qrl.target", "restart", "yes"),
        ("rollback-agent", UNITS, "qrl-web.service", "stop", "yes"),
        ("rollback-agent", UNITS, "sshd.service", "restart", "not handled"),
        ("rollback-agent", UNITS, "qrl.target", "kill", "not handled"),
        ("rollback-agent", UNITS, "qrl-web@r7.service", "start", "not handled"),
        ("rollback-agent", FILES, "", "", "not handled"),
        ("rollback-agent", "org.freedesktop.login1.reboot", "", "", "not handled"),
        ("ada", UNITS, "qrl.target", "restart", "not handled"),
    ],
)
def test_only_the_named_units_of_the_agents_user(
    tmp_path: Path, user: str, action: str, unit: str, verb: str, said: str
) -> None:
    """Whatever it does not allow is left to the system's own rules."""
    assert answer(tmp_path, user, action, unit, verb) == said


@pytest.mark.parametrize(
    ("unit", "said"),
    [("qrl-web@r7.service", "yes"), ("qrl-web@../../x.service", "not handled"), ("other@r7.service", "not handled")],
)
def test_templates_allow_their_instances(tmp_path: Path, unit: str, said: str) -> None:
    """Of a listed template any instance, and then unit files too, of which polkit is not told which."""
    listed = '["qrl-web@"]'
    assert answer(tmp_path, "rollback-agent", UNITS, unit, "start", listed) == said
    assert answer(tmp_path, "rollback-agent", FILES, templates=listed) == "yes"
    assert answer(tmp_path, "ada", FILES, templates=listed) == "not handled"
