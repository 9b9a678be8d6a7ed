"""What is drawn for the property test, and how often what."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from receiver.model import Autonomy
from tests.receiver.promises.changes import CHANGES, Change, rival_claims
from tests.receiver.promises.model import COOLDOWN, DAY, TREE, Command
from tests.receiver.promises.play import Play
from tests.receiver.promises.stage import Moment, fail_to_record, kill


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What happens at which of what moments, and to how many processes one after the other."""

    what: Change
    at: int = 0
    kinds: frozenset[Moment] = frozenset(Moment)
    lives: int = 1


@dataclass(frozen=True, slots=True)
class Vote:
    """Who says yes, whether to this plan, by how much of its hash, and whether that gets on the audit trail."""

    name: str
    is_right: bool = True
    length: int = 8
    is_recorded: bool = True


def nothing_happens(_play: Play) -> None:
    """The agent works in peace."""


def is_killed(_play: Play) -> None:
    """The agent's process is."""
    kill()


def is_not_recorded(_play: Play) -> None:
    """The disk is full for one record."""
    fail_to_record()


IN_PEACE = Interrupted(nothing_happens)
MOSTLY = st.sampled_from((True, True, False))
PEOPLE = st.sampled_from(("alice", "bob"))
BRANCHES = st.sampled_from(sorted(TREE))
ROLLBACKS = st.sampled_from(sorted(name for name, leaf in TREE.items() if leaf.action == "rollback"))
SURE = st.sampled_from(("service_down", "high_error_rate"))
LEVELS = st.sampled_from((Autonomy.L4, Autonomy.L3))
PERIODS = st.sampled_from((20.0, 60.0, 300.0, 900.0, 3600.0, DAY))
BETWEEN = st.sampled_from((COOLDOWN, DAY, COOLDOWN, DAY, 20.0))
COMMANDS = st.sampled_from((*[Command.SWITCHES] * 10, *Command))
VOTES = st.one_of(st.builds(Vote, PEOPLE), st.builds(Vote, PEOPLE, MOSTLY, st.integers(7, 64), MOSTLY))
_IN_VAIN = [Vote("alice", is_right=False, length=64), Vote("alice", length=7), Vote("bob", is_recorded=False)]
CONFIRMATIONS = st.one_of(
    st.just([*_IN_VAIN, Vote("alice"), Vote("alice"), Vote("bob")]), st.lists(VOTES, min_size=1, max_size=3)
)
_LIVES = st.sampled_from((1, 1, 1, 2, 6))
_ONLY = {moment: st.just(frozenset({moment})) for moment in Moment}
_CHANGE = st.builds(Interrupted, st.sampled_from(CHANGES), st.integers(1, 7), _ONLY[Moment.PHASE])
INTERRUPTIONS = st.one_of(
    st.just(IN_PEACE),
    st.builds(Interrupted, st.just(is_killed), st.integers(1, 24), lives=_LIVES),
    st.builds(Interrupted, st.just(is_killed), st.sampled_from((5, 3)), _ONLY[Moment.READ]),  # after the command
    st.builds(Interrupted, st.just(is_not_recorded), st.integers(1, 9), _ONLY[Moment.RECORD]),
    st.builds(Interrupted, st.just(rival_claims), st.integers(1, 4), _ONLY[Moment.QUESTION]),
    _CHANGE,
    _CHANGE,
)
