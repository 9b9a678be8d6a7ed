"""Two people confirm a plan of a real agent: one at the command line, one over HTTP."""

from __future__ import annotations

import getpass
from pathlib import Path

import requests

from tests.acceptance.stand import GOOD, OPERATOR, stand


def test_two_people_confirm(tmp_path: Path) -> None:
    """The first is told that another is needed; nobody is two, a claim is nobody, and the second lets it go on."""
    with stand(tmp_path, autonomy="L3", approval={"people": 2}) as here:
        here.go_wrong()
        run = here.await_run(state="waiting")
        incident, plan = here.incidents()[0]["id"], run["plan"]["hash"]
        approve = ("approve", incident, "--plan", plan[:8])

        assert "only a claim" in here.command(*approve, "--as", "somebody-else", code=1)
        assert "2 people must approve; 1 more before" in here.command(*approve)
        assert f"1 of 2 people have approved, by {getpass.getuser()}" in here.command("status")
        assert f"1 of 2 people have approved, by {getpass.getuser()}" in here.command("show", incident)
        assert "has approved already" in here.command(*approve, code=1)
        here.stays(lambda: here.restarts() == 0, 2)

        answer = requests.post(
            f"{here.url}/api/v1/incidents/{incident}/decision",
            json={"decision": "approve", "plan": plan},
            headers={"Authorization": f"Bearer {OPERATOR}"},
            timeout=30,
        )

        assert answer.status_code == 200
        run = here.await_run()
        assert (run["result"], here.live()) == ("restored", GOOD)
        assert [vote["person"] for vote in run["approval"]["votes"]] == [getpass.getuser(), "operator"]
        assert "`operator` approved the plan" in Path(run["report"]).read_text()
