"""While a pipeline deploys, nobody else switches releases."""

from __future__ import annotations

import pytest

from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.release_in_progress import release_in_progress
from receiver.journal import releases
from receiver.journal.releases import Deploy
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import NOW, Surroundings, facts

DEPLOY = Deploy("r3", None, None, NOW - 90, None, None)


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_while_a_deploy_is_under_way(trigger: Trigger) -> None:
    """It alone refuses, a rollback by hand too, names the release and the command, and says when it ends at last."""
    said_no = refusals(facts(deploys=(DEPLOY,), trigger=trigger))
    reason = "the deploy of r3 has been under way for 0:01:30; `rollback-agent release finish qrl r3` ends it"
    assert said_no == (Refusal("release_in_progress", reason, retry_at=NOW + 3510),)


def test_of_several_the_newest_is_told() -> None:
    """The deploy that began last is the one that ends last."""
    found = release_in_progress(facts(deploys=(Deploy("r0", None, None, NOW - 1000, None, None), DEPLOY)))
    assert found is not None
    assert (found.retry_at, "r3" in found.reason) == (NOW + 3510, True)


def test_allows_when_none_is_under_way() -> None:
    """Without a deploy it has nothing to say."""
    assert release_in_progress(facts()) is None


def test_what_pipelines_report_is_read_anew(surroundings: Surroundings) -> None:
    """It refuses from a deploy's start to its end, of this deployment only."""
    now = surroundings.world.clock()
    with surroundings.database.write() as tx:
        releases.deploy_started(tx, "another", "r3", now, commit=None, author=None)
    assert refusals(surroundings.read()) == ()
    with surroundings.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", now, commit=None, author=None)
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["release_in_progress"]
    with surroundings.database.write() as tx:
        releases.deploy_finished(tx, "qrl", "r3", now, None)
    assert refusals(surroundings.read()) == ()


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Without the journal nobody knows of deploys, and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError):
        surroundings.read()
