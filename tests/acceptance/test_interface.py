"""`verify` and the guide's functions, against a real agent and a real Prometheus."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from receiver.errors import NotPossible, RollbackAgentError
from receiver.interface import check_service_health, execute_rollback, verify_rollback_success
from tests.acceptance.stand import BAD, GOOD, stand

CHECKED = """
import json
checks = [
    {"deployment": "qrl", "service": service, "check": name, "kind": "availability", "success": success,
     "reason": None if success else "status", "detail": "", "seconds": 0.1}
    for service, name, success in
    (("flask", "up", True), ("flask", "login", False), ("gradio", "up", True))
]
print(json.dumps({"checks": checks}))
"""


def test_verify_tells_whether_all_is_well(tmp_path: Path) -> None:
    """Exit code 0 and a sentence while all is well, 1 and what is missing while it is not; a look needs no agent."""
    with stand(tmp_path) as here:
        here.services.bad.clear()
        here.start_prometheus()
        here.eventually(lambda: "qrl is well" in here.command("verify", "qrl"))
        here.ship(BAD)
        here.services.bad.add(BAD)
        here.await_firing()

        assert "is not known to be well: " in here.command("verify", "qrl", "--check-only", code=1)
        answer = json.loads(here.command("verify", "qrl", "--check-only", "--json", code=1))
        assert (answer["deployment"], answer["well"]) == ("qrl", False)
        assert "there is no deployment nothing" in here.command("verify", "nothing", code=1)
        well, words = verify_rollback_success(config=here.config, wait=False)
        assert not well
        assert words.startswith("qrl is not known to be well: ")


def test_a_program_rolls_back_and_verifies(tmp_path: Path) -> None:
    """The guide's calls with the guide's answers, on the same machinery: plan, approval, backup, audit."""
    with stand(tmp_path, autonomy="L3") as here:
        here.services.bad.clear()
        here.start()
        here.ship(BAD)

        success, log, backup = execute_rollback("fast", config=here.config, person="deploy-bot")

        assert (success, here.live()) == (True, GOOD)
        assert Path(str(log)).is_file()
        assert (Path(str(backup)) / "MANIFEST.txt").is_file()
        assert verify_rollback_success(config=here.config)[0]
        people = [(one["decision"], one["actor"]) for one in here.audit() if one["actor"] == "deploy-bot"]
        assert people == [("request", "deploy-bot"), ("approved", "deploy-bot")]


def test_a_refused_rollback_is_no_success(tmp_path: Path) -> None:
    """A guardrail binds a program too; paths are None where it did not come so far."""
    with stand(tmp_path) as here:
        here.start_prometheus()
        here.start_agent()
        here.command("kill-switch", "on")
        assert execute_rollback(config=here.config) == (False, None, None)
        assert here.restarts() == 0


def test_without_auto_confirm_a_person_is_waited_for(tmp_path: Path) -> None:
    """Nobody confirms, so nothing is done, and the caller is told how to follow."""
    with stand(tmp_path, autonomy="L4") as here:
        here.services.bad.clear()
        here.start()
        here.ship(BAD)
        with pytest.raises(TimeoutError, match="goes on: `rollback-agent show"):
            execute_rollback(auto_confirm=False, config=here.config, timeout=3)
        assert here.live() == BAD
        with pytest.raises(NotPossible, match="under way already"):
            execute_rollback(config=here.config)


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    """Nothing that serves, an unknown level or deployment, no health checks."""
    with stand(tmp_path) as here:
        with pytest.raises(RollbackAgentError, match="serve is not running"):
            execute_rollback(config=here.config)
        with pytest.raises(ValueError, match="is not a valid Level"):
            execute_rollback("everything", config=here.config)
        with pytest.raises(NotPossible, match="nothing is no deployment: name one of qrl"):
            check_service_health("nothing", here.config)
        with pytest.raises(RollbackAgentError, match=r"diagnosis\.health is not configured"):
            check_service_health(config=here.config)


def test_health_is_told_by_service(tmp_path: Path) -> None:
    """A service is healthy where all of its checks are."""
    program = tmp_path / "checks.py"
    program.write_text(CHECKED)
    with stand(tmp_path, deployment={"diagnosis": {"health": [sys.executable, str(program)]}}) as here:
        assert check_service_health(config=here.config) == {"flask": False, "gradio": True}
