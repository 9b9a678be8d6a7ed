"""All scenarios as a table: what goes wrong, which branch has to see it, and how it has to end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from demo.causes import (
    Cause,
    let_a_hotfix_be_late,
    let_a_hotfix_fail,
    ship,
    ship_through_the_pipeline,
    stop_the_exporter,
)
from demo.history import History, Series
from demo.releases import Fault


class Ending(StrEnum):
    """How a scenario can end well."""

    ROLLED_BACK = "rolled back and verified"
    ASKED = "put to a human, nothing touched"
    WATCHED = "watched, nothing touched"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to go wrong; `fault` is what is shipped, None where nothing is."""

    name: str
    branch: str
    wrong: str
    ending: Ending
    fault: Fault | None
    autonomy: str = "L4"
    cause: Cause = ship
    confirms: bool = False
    """Whether the demonstration confirms the plan, as a person would."""
    escalation: str = ""
    """The reason for which a human has to be asked."""
    history: History | None = None
    """What Prometheus is made to remember, where a branch takes long to see it."""
    after: str = ""
    """A branch that is only watched before this one comes to fire."""
    calm_for: float = 15.0
    """Seconds of good traffic before the fault; a minute where it is compared with rates of a minute."""
    give_up_after: float = 240.0

    @property
    def calls_for_patience(self) -> bool:
        """Whether something has to go by between the fault and the branch, so that no bound from the fault holds."""
        return self.history is not None or self.cause in (let_a_hotfix_fail, let_a_hotfix_be_late)


AFFECTED, USERS = "deployment:users_affected:ratio", "deployment:users:count5m"
# A share of users stays in their window of five minutes after the rollback, and nothing is verified before it is out.
_WINDOW = 420.0

SCENARIOS = (
    Scenario(
        "broken_start",
        "service_down",
        "FastAPI imports a module that nobody committed, and does not start",
        Ending.ROLLED_BACK,
        Fault.BROKEN_START,
    ),
    Scenario(
        "errors_30_percent",
        "high_error_rate",
        "three of ten users get a 500; health pages stay 200",
        Ending.ROLLED_BACK,
        Fault.ERRORS_30_PERCENT,
        autonomy="L3",
        confirms=True,
        calm_for=60.0,
    ),
    Scenario(
        "authentication_broken",
        "authentication_broken",
        "another cost of password hashes, so none that is stored matches",
        Ending.ROLLED_BACK,
        Fault.AUTHENTICATION_BROKEN,
    ),
    Scenario(
        "payment_broken",
        "payment_broken",
        "a state of payments is spelled in a way that the database refuses",
        Ending.ROLLED_BACK,
        Fault.PAYMENT_BROKEN,
    ),
    Scenario(
        "migration_failed",
        "migration_failed",
        "the migration fails, the pipeline says so and goes live all the same",
        Ending.ASKED,
        Fault.MIGRATION_FAILED,
        cause=ship_through_the_pipeline,
        escalation="database_or_full",
    ),
    Scenario(
        "database_broken",
        "database_broken",
        "the database's self test reads a table that no migration makes",
        Ending.ASKED,
        Fault.DATABASE_BROKEN,
        escalation="database_or_full",
    ),
    Scenario(
        "hotfix_failed",
        "hotfix_failed",
        "2 % of the users get a 500; a hotfix is registered, and reported failed",
        Ending.ROLLED_BACK,
        Fault.MINOR_IMPACT,
        cause=let_a_hotfix_fail,
    ),
    Scenario(
        "hotfix_late",
        "hotfix_failed",
        "2 % of the users get a 500; a hotfix is registered, and its deadline passes",
        Ending.ROLLED_BACK,
        Fault.MINOR_IMPACT,
        cause=let_a_hotfix_be_late,
        after="minor_impact",
        give_up_after=_WINDOW + 120,
    ),
    Scenario(
        "minor_impact_worsening",
        "minor_impact_worsening",
        "one of 400 users met a 500 for 24 min, then 19 did",
        Ending.ROLLED_BACK,
        Fault.MINOR_IMPACT_WORSENING,
        history=History(
            # More than four standard deviations worse, and fewer than 5 %: of 400 users that takes all 19.
            ready=f"{AFFECTED} > 0.0474 and {USERS} > 399.5",
            series=(Series(AFFECTED, ((1800, 0.0025), (360, 0.0475))), Series(USERS, ((1800, 400),))),
            alert="MinorImpactWorsening",
        ),
        give_up_after=_WINDOW + 180,
    ),
    Scenario(
        "wide_impact",
        "wide_impact",
        "8 % of the users get a 500 at every third request",
        Ending.ROLLED_BACK,
        Fault.WIDE_IMPACT,
        history=History(
            ready=f"{AFFECTED} >= 0.05",
            series=(Series(AFFECTED, ((900, 0), (390, 0.0825))), Series(USERS, ((900, 400),))),
            alert="WideImpact",
        ),
        give_up_after=_WINDOW + 120,
    ),
    Scenario(
        "elevated_error_rate",
        "elevated_error_rate",
        "one of eleven requests to FastAPI gets a 500",
        Ending.ROLLED_BACK,
        Fault.ELEVATED_ERROR_RATE,
        confirms=True,
        escalation="low_confidence",
        history=History(
            ready='service:http_request_errors:ratio_rate1m{service="fastapi"} > 0.05',
            series=(
                Series("service:http_request_errors:ratio_rate1m", ((600, 0), (150, 0.085)), service="fastapi"),
                Series("service:http_requests:rate1m", ((600, 10.6),), service="fastapi"),
            ),
            alert="ElevatedErrorRate",
            service="fastapi",
        ),
    ),
    Scenario(
        "minor_impact",
        "minor_impact",
        "2 % of the users get a 500",
        Ending.WATCHED,
        Fault.MINOR_IMPACT,
    ),
    Scenario(
        "minor_impact_hour",
        "minor_impact",
        "2 % of the users get a 500, and have done so for over an hour",
        Ending.ASKED,
        Fault.MINOR_IMPACT,
        escalation="branch_asks",
        history=History(
            ready=f"{AFFECTED} * {USERS} > 2.5",
            series=(Series(AFFECTED, ((4200, 0.02),)), Series(USERS, ((4200, 400),))),
        ),
    ),
    Scenario(
        "user_interface_broken",
        "user_interface_broken",
        "Gradio's page moved, and nobody knows where to",
        Ending.WATCHED,
        Fault.USER_INTERFACE_BROKEN,
    ),
    Scenario(
        "slow_responses",
        "slow_responses",
        "Flask takes 0.3 s for each payment that it shows",
        Ending.ASKED,
        Fault.SLOW_RESPONSES,
        escalation="branch_asks",
        history=History(
            ready='service:http_request_duration_seconds:mean5m{service="flask"} > 0.1',
            series=(
                Series(
                    "service:http_request_duration_seconds:mean5m",
                    ((86400, 0.004), (300, 0.3)),
                    service="flask",
                    every=60.0,
                ),
                Series("service:http_request_duration_seconds:mean1d", ((240, 0.004),), service="flask"),
                Series("service:http_requests:rate5m", ((600, 9.4),), service="flask"),
            ),
            alert="SlowResponses",
            service="flask",
        ),
    ),
    Scenario(
        "signals_missing",
        "signals_missing",
        "the exporter stops, and with it nearly every signal",
        Ending.ASKED,
        None,
        cause=stop_the_exporter,
        escalation="branch_asks",
    ),
)

DEFAULT = ("broken_start", "errors_30_percent")
ALL = "all"
_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# The two that are named by their fault are found by their branch too.
_ALIASES = {_BY_NAME[name].branch: name for name in DEFAULT}
NAMES = (*_BY_NAME, *_ALIASES)
SHIPPED = tuple(name for name in NAMES if _BY_NAME[_ALIASES.get(name, name)].fault)
"""Those that are a bad release, which can be shipped by hand."""


def named(names: Iterable[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names, aliases and `all` among them; those of `make demo` for none."""
    wanted = tuple(names) or DEFAULT
    if ALL in wanted:
        return SCENARIOS
    return tuple(_BY_NAME[_ALIASES.get(name, name)] for name in wanted)
