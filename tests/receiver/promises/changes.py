"""What may happen to the world of the agent, at rest or in the middle of its work."""

from __future__ import annotations

from collections.abc import Callable

from receiver.journal import autonomy, deployments, releases
from receiver.model import Autonomy, Silence
from tests.receiver.promises.model import BUDGET, COOLDOWN, DAY, Told
from tests.receiver.promises.play import Play
from tests.receiver.surroundings import ToldAlertmanager, ToldTransactions

Change = Callable[[Play], None]


def kill_switch(play: Play) -> None:
    """Somebody makes the file, as anybody may."""
    play.world.obstacles.add("kill_switch")
    play.stage.config.kill_switch.touch()


def silenced(play: Play) -> None:
    """A maintenance window begins."""
    play.world.obstacles.add("silenced")
    _alertmanager(play).silences = (Silence("1a2b", "ada", "moving the database", play.stage.clock() + 3600),)


def storm(play: Play) -> None:
    """Many deployments ask for a rollback."""
    play.world.obstacles.add("storm")
    play.stage.prometheus.storming = frozenset({"qrl", "a", "b", "c"})


def pending_transactions(play: Play) -> None:
    """A transaction stays open."""
    play.world.obstacles.add("pending_transactions")
    _transactions(play).open = ("a transaction is open",)


def release_in_progress(play: Play) -> None:
    """A pipeline begins to deploy."""
    stage = play.stage
    with stage.database.write() as tx:
        now = stage.clock()
        releases.deploy_started(tx, "qrl", "next", now, commit=None, author=None)
    play.world.deploying_since = now


def latched(play: Play) -> None:
    """Another replica latches the deployment."""
    with play.stage.database.write() as tx:
        deployments.latch(tx, "qrl", play.stage.clock(), "something failed elsewhere")
    play.world.latched = True


def holds_target(play: Play) -> None:
    """Somebody holds the release that would be rolled back to."""
    target = play.world.target()
    if target is not None:
        with play.stage.database.write() as tx:
            releases.hold(tx, "qrl", target, play.stage.clock(), "elsewhere")
        play.world.held.add(target)


def ships(play: Play) -> None:
    """Another release goes live."""
    release = f"r{len(play.stage.target.lines()) + 1}"
    play.stage.target.ship(release)
    play.world.goes_live(release, play.stage.clock(), by_rollback=False)


def clears(play: Play) -> None:
    """Nothing fires any more."""
    play.world.firing.clear()
    play.tell()


def is_gone(play: Play) -> None:
    """Prometheus does not answer."""
    _tells(play, Told.NOTHING)


def has_no_data(play: Play) -> None:
    """No signal has a value."""
    _tells(play, Told.NO_VALUE)


def is_stale(play: Play) -> None:
    """No new sample comes."""
    _tells(play, Told.OLD)


def lowers_autonomy(play: Play) -> None:
    """An operator takes the agent's freedom."""
    with play.stage.database.write() as tx:
        autonomy.set_level(tx, "qrl", Autonomy.L1, play.stage.clock(), "ada")
    play.world.level = "L1"


def rival_claims(play: Play) -> None:
    """Another replica, which keeps to the limits, rolls the deployment back."""
    now, claims = play.stage.clock(), play.stage.claims().values()
    if all(now - claim >= COOLDOWN for claim in claims) and sum(now - claim < DAY for claim in claims) < BUDGET:
        play.stage.rival_claims()
        play.world.claims.append(now)


def all_is_well(play: Play) -> None:
    """Whatever was in the way is gone, but for a latch and what is held."""
    play.world.obstacles.clear()
    play.world.deploying_since = None
    play.stage.config.kill_switch.unlink(missing_ok=True)
    _alertmanager(play).silences = ()
    _transactions(play).open = ()
    play.stage.prometheus.storming = frozenset({"qrl"})
    with play.stage.database.write() as tx:
        releases.deploy_finished(tx, "qrl", "next", play.stage.clock(), None)
    play.world.telemetry = Told.ALL
    play.tell()


CHANGES: tuple[Change, ...] = (
    kill_switch, silenced, storm, pending_transactions, release_in_progress, latched, holds_target, ships, clears,
    is_gone, has_no_data, is_stale, lowers_autonomy, rival_claims,
)  # fmt: skip


def _tells(play: Play, telemetry: Told) -> None:
    play.world.telemetry = telemetry
    play.tell()


def _alertmanager(play: Play) -> ToldAlertmanager:
    alertmanager = play.stage.world.alertmanager
    assert isinstance(alertmanager, ToldAlertmanager)
    return alertmanager


def _transactions(play: Play) -> ToldTransactions:
    (transactions,) = play.stage.world.transactions
    assert isinstance(transactions, ToldTransactions)
    return transactions
