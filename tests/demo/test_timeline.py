"""A timeline reads the receiver's account and works out the three promised durations."""

from __future__ import annotations

from typing import Any

from demo.timeline import Moment, Timeline

T0 = 1_800_000_000.0


def step(name: str, started: float, finished: float | None) -> dict[str, Any]:
    """A step of a run, by seconds since T0."""
    return {
        "name": name,
        "state": "started" if finished is None else "done",
        "started_at": T0 + started,
        "finished_at": None if finished is None else T0 + finished,
        "outcome": "proceed",
        "summary": f"{name} is done",
    }


def a_run(**changed: Any) -> dict[str, Any]:
    """A run that was notified at 20 and restored at 50; a backup of 1 s came before the command at 21.4."""
    return {
        "state": "finished",
        "result": "restored",
        "notified_at": T0 + 20,
        "command_started_at": T0 + 21.4,
        "finished_at": T0 + 51,
        "report": "/somewhere/incident-1.md",
        "approval": None,
        "steps": [
            step("evaluate", 20.1, 20.2),
            step("approve", 20.2, 20.2),
            step("back_up", 20.3, 21.3),
            step("verify", 30, 50),
        ],
    } | changed


def read(run: dict[str, Any]) -> Timeline:
    """The timeline of a fault at T0 and this run, with the good release live at 29."""
    timeline = Timeline()
    timeline.mark(Moment.FAULT, T0)
    timeline.read(run)
    timeline.mark(Moment.GOOD, T0 + 29)
    return timeline


def test_steps_become_moments() -> None:
    """A finished step has its moment and its summary; one that did not happen has none."""
    timeline = read(a_run())
    assert timeline.since_fault(Moment.VERIFIED) == 50
    assert timeline.note(Moment.DECIDED) == "evaluate is done"
    assert timeline.at(Moment.CLAIMED) is None
    assert timeline.since_fault(Moment.REPORTED) == 51


def test_a_step_under_way_has_not_happened() -> None:
    """A verification that is still waiting is not a verified rollback."""
    timeline = read(a_run(state="waiting", finished_at=None, steps=[step("verify", 30, None)]))
    assert timeline.at(Moment.VERIFIED) is None
    assert timeline.at(Moment.REPORTED) is None


def test_a_stopped_step_did_not_do_what_it_is_for() -> None:
    """A refused approval is not approved, and a verification that gave up is not verified."""
    stopped = {**step("approve", 20.2, 20.3), "outcome": "stop"}
    assert read(a_run(result="denied", steps=[stopped])).at(Moment.APPROVED) is None
    assert read(a_run(result="inconclusive")).at(Moment.VERIFIED) is None


def test_the_backup_does_not_count() -> None:
    """1.4 s from the notification to the command, 1 s of them backup, leave 0.4 s."""
    live, verified, command = read(a_run()).bounds()
    assert (live.seconds, live.held) == (29, True)
    assert (verified.seconds, verified.held) == (50, True)
    assert command.seconds is not None
    assert abs(command.seconds - 0.4) < 1e-6
    assert command.held


def test_the_person_does_not_count_but_what_follows_the_answer_does() -> None:
    """A person who answers after 7 s is left out; the 0.3 s until the answer is acted on are not."""
    steps = [step("approve", 20.2, 27.5), step("back_up", 27.6, 28.6)]
    approval = {"decided_at": T0 + 27.2, "plan_hash": "1a2b3c4d5e6f"}
    timeline = read(a_run(steps=steps, approval=approval, command_started_at=T0 + 28.9))
    assert timeline.note(Moment.APPROVED) == "typed: approve ... --plan 1a2b3c4d"
    command = timeline.bounds()[2]
    assert command.seconds is not None
    assert abs(command.seconds - 0.9) < 1e-6
    assert not command.held


def test_what_has_to_wait_has_no_bound_from_the_fault() -> None:
    """Where a hotfix gets its time, only the agent's own reaction is bound."""
    (reaction,) = read(a_run()).bounds(from_fault=False)
    assert reaction.name.startswith("notification to command")


def test_what_did_not_happen_is_not_held() -> None:
    """Without a command, a good release or a verification no bound holds."""
    timeline = Timeline()
    timeline.mark(Moment.FAULT, T0)
    timeline.read(a_run(command_started_at=None, steps=[]))
    assert [bound.seconds for bound in timeline.bounds()] == [None, None, None]
    assert not any(bound.held for bound in timeline.bounds())


def test_a_late_rollback_misses_its_bounds() -> None:
    """61 s to the good release and 121 s to verified are too much."""
    timeline = Timeline()
    timeline.mark(Moment.FAULT, T0)
    timeline.read(a_run(steps=[step("verify", 90, 121)]))
    timeline.mark(Moment.GOOD, T0 + 61)
    assert [bound.held for bound in timeline.bounds()[:2]] == [False, False]


def test_the_first_mark_counts() -> None:
    """A moment does not move when it is seen again."""
    timeline = Timeline()
    timeline.mark(Moment.GOOD, 1.0, "first")
    timeline.mark(Moment.GOOD, 2.0, "second")
    assert (timeline.at(Moment.GOOD), timeline.note(Moment.GOOD)) == (1.0, "first")
