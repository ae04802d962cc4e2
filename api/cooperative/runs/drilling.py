"""From a euro back to the quarter-hour it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from api.cooperative.database import Desk
from kwartier.interval import Quarter
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class QuarterRow:
    """One quarter-hour of one connection in a run.

    Attributes:
        quarter: Which.
        import_wh: From the grid, as its meter counted [Wh]; None when it was not read.
        export_wh: To the grid, as its meter counted [Wh]; None when it was not read.
        import_quality: ``m`` measured, ``e`` estimated, ``-`` missing, ``.`` not listed.
        export_quality: Likewise.
        bought_wh: What came from neighbours and battery [Wh].
        sold_wh: What neighbours used of its export [Wh].
        to_battery_wh: What charged the battery [Wh].
        community_supply_wh: What everybody had to give, the battery included [Wh].
        community_use_wh: What everybody took from the grid [Wh].
        community_shared_wh: What was shared of it [Wh].
        member: Who settles it; empty when nobody does.
        key: The key version in force.
        tariff: The tariff version in force.
        buy_eur_per_kwh: Its price of a kWh bought.
        sell_eur_per_kwh: Its price of a kWh sold.
    """

    quarter: Quarter
    import_wh: Wh | None
    export_wh: Wh | None
    import_quality: str
    export_quality: str
    bought_wh: Wh
    sold_wh: Wh
    to_battery_wh: Wh
    community_supply_wh: Wh
    community_use_wh: Wh
    community_shared_wh: Wh
    member: str
    key: str
    tariff: str
    buy_eur_per_kwh: Fraction
    sell_eur_per_kwh: Fraction


@dataclass(frozen=True, slots=True)
class DaySum:
    """One local day of a line [Wh], and what it comes to exactly [EUR]."""

    day: date
    energy_wh: Wh
    exact_eur: Fraction


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a line adds up.

    Attributes:
        line: Its place on the statement, from 1.
        days: Day by day; each is the sum of its quarters.
        energy_wh: The line's energy, the sum of the days [Wh]; None for the fee.
        exact_eur: The line before rounding, the sum of the days.
        cents: What stands on the statement.
        community_exact_eur: All lines of its charge in the run before rounding.
        community_cents: All lines of its charge in cents: the rounded sum.
    """

    line: int
    days: tuple[DaySum, ...]
    energy_wh: Wh | None
    exact_eur: Fraction
    cents: int
    community_exact_eur: Fraction
    community_cents: int


def quarters(desk: Desk, run: str, connection: str, day: date) -> list[QuarterRow]:
    """Return a local day of a connection, quarter by quarter."""
    raise NotImplementedError


def explain(desk: Desk, run: str, party: str, line: int) -> Explanation:
    """Return how a member's line adds up, from quarters to cents."""
    raise NotImplementedError
