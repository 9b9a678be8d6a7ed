"""What becomes of a run whose permission the autonomy level gave, once the level gives it no longer."""

from __future__ import annotations

from receiver.earned import of_run
from receiver.journal import approvals
from receiver.model import Autonomy, Result, Run, Stop, Trigger
from receiver.world import World


def lowered(run: Run, world: World) -> Stop | None:
    """The stop of a run that may not go on at the level of this moment; whoever lowers it means this rollback first.

    At L3 a person's approval stands, and what nobody was asked about is for the next run to ask.
    """
    if run.trigger is not Trigger.ALERT:
        return None
    match of_run(world, run).level:
        case Autonomy.L4:
            return None
        case Autonomy.L3:
            with world.database.read() as tx:
                if approvals.of_run(tx, run.id) is not None:
                    return None
            return Stop(Result.WITHDRAWN, "the autonomy level is L3 now, and no person was asked", run.findings)
        case level:
            return Stop(Result.RECORDED, f"the autonomy level is {level} now, which does not roll back", run.findings)
