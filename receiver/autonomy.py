"""Which autonomy level is in force: what an operator has set, else what the configuration says."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.config import Config
from receiver.journal import autonomy
from receiver.model import Autonomy
from receiver.world import World


def in_force(tx: sa.Connection, config: Config, deployment: str) -> Autonomy:
    """The level of a deployment at this moment."""
    found = autonomy.set_for(tx, deployment)
    return config.autonomy_of(deployment) if found is None else found.level


def of_world(world: World) -> Autonomy:
    """The same, read anew, so that a change counts from the next step on; raises JournalError."""
    with world.database.read() as tx:
        return in_force(tx, world.config, world.deployment)
