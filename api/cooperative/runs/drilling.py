"""From a day back to the quarter-hour: what was read, shared and charged in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeVar

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs.frozen import key_names_of, owners_of, tariffs_of
from api.cooperative.runs.frozen_days import BATTERY_ROW, FrozenDay
from api.cooperative.runs.states import run_of
from api.cooperative.runs.storing import days_kept, inputs_of
from kwartier.interval import Quarter, quarters_of_day
from kwartier.units import EpochS, Wh
from optimizer.settling.period import Ownership

Thing = TypeVar("Thing")


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
        community_supply_wh: What everybody who took part had to give, the battery included [Wh].
        community_use_wh: What everybody who took part took from the grid [Wh].
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


def quarters(desk: Desk, run: str, connection: str, day: date) -> list[QuarterRow]:
    """Return a local day of a connection, quarter by quarter.

    Raises:
        BooksError: The run knows no such connection or day.
    """
    known = run_of(desk, run)
    inputs = inputs_of(desk, known)
    days = list(days_kept(desk, known.computation, day=day))
    found = [each for each in days if each.connection == connection != BATTERY_ROW]
    if not found:
        raise BooksError(f"run {run}: {connection[:40]!r} has no quarters on {day} in it")
    windows = owners_of(inputs)
    keys, tariffs = key_names_of(inputs), tariffs_of(inputs)
    rows = []
    for place, quarter in enumerate(quarters_of_day(day)):
        at_s = quarter.start_s
        own, tariff = found[0], in_force(tariffs, at_s)
        together = _together(days, windows, place, at_s)
        rows.append(
            QuarterRow(
                quarter,
                own.taken[place],
                own.given[place],
                own.taken_quality[place],
                own.given_quality[place],
                own.bought[place],
                own.sold[place],
                own.to_battery[place],
                *together,
                owner_of(windows, connection, at_s),
                in_force(keys, at_s),
                tariff.id,
                tariff.terms.buy_eur_per_kwh,
                tariff.terms.sell_eur_per_kwh,
            )
        )
    return rows


def in_force(versions: Sequence[tuple[EpochS, Thing]], at_s: EpochS) -> Thing:
    """Return what is in force at an instant of the run's month [s]."""
    return max((each for each in versions if each[0] <= at_s), key=lambda each: each[0])[1]


def owner_of(windows: Sequence[Ownership], connection: str, at_s: EpochS) -> str:
    """Return who settles a connection at an instant [s]; empty when nobody does."""
    for each in windows:
        if each.connection == connection and each.holds(at_s):
            return each.member
    return ""


def _together(
    days: Sequence[FrozenDay], windows: Sequence[Ownership], place: int, at_s: EpochS
) -> tuple[Wh, Wh, Wh]:
    """Return supply, use and what was shared in one quarter, of those who took part."""
    taking_part = {each.connection for each in windows if each.holds(at_s)}
    supply = use = shared = 0
    for each in days:
        if each.connection == BATTERY_ROW:
            supply += each.given[place] or 0
        elif each.connection in taking_part:
            supply += each.given[place] or 0
            use += each.taken[place] or 0
            shared += each.bought[place]
    return supply, use, shared
