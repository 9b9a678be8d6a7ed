"""What a plan's command is given: the plan as a file, and what a shell script needs of it as variables."""

from __future__ import annotations

import json
from pathlib import Path

from receiver.model import Plan, Run


def write_plan(directory: Path, plan: Plan) -> Path:
    """Write the plan into the run's own directory; its path."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / "plan.json"
    file.write_text(json.dumps(plan.document(), indent=2), encoding="utf-8")
    return file


def variables(run: Run, plan: Plan, plan_file: Path) -> dict[str, str]:
    """The variables, all of ours, by name."""
    backup = run.findings.backup
    return {
        "ROLLBACK_PLAN": str(plan_file),
        "ROLLBACK_DEPLOYMENT": plan.deployment,
        "ROLLBACK_LEVEL": plan.level,
        "ROLLBACK_LIVE_RELEASE": plan.live_release,
        "ROLLBACK_TARGET_RELEASE": plan.target_release or "",
        "ROLLBACK_BACKUP": backup.directory if backup else "",
    }
