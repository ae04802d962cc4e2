"""Where a home stands among similar ones: three broad bands, of a week, once told never changed.

Only homes that chose it are in a group, and only they are told. A group has at least fifteen
homes and none of them makes up more than 15 % of it. The bands of a week are fixed for the whole
group at one instant, so who joins or leaves later changes nothing that anybody can compare.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

from sqlalchemy import or_, select

from api.overview.day_file import DayFile
from api.overview.day_sums import HomeDay, Origin
from api.people.book import PeopleBook
from api.people.consents import Purpose
from api.people.tables import AccountRow, ConsentChoiceRow
from kwartier.interval import local_day
from kwartier.model import Community
from kwartier.units import EpochS, Wh

MOST_PART = 0.15
"""The most that one home may be of a group's sum (the 15/15 rule that some regulators use)."""
LEAST_HOMES = 15
"""The fewest homes in a group."""
WAIT_S = 36 * 3600
"""How long after a week its bands are fixed, so that late readings are in [s]."""
_STEP_WH = 5_000
"""What is usual in a group is taken in steps of 5 kWh."""
_APART = 0.15
"""How far from the usual a home stands apart."""


class Band(StrEnum):
    """Where a home stands among similar homes."""

    LESS = "less"
    EVEN = "even"
    MORE = "more"


def fix_bands(
    file: DayFile, people: PeopleBook, community: Community, monday: date, now_s: EpochS
) -> bool:
    """Fix the bands of the week of a Monday, if it is time; return whether that was done now."""
    fixed_s = local_day(monday + timedelta(days=7))[0] + WAIT_S
    if now_s < fixed_s or file.band_is_told(monday):
        return False
    used = _used(file.homes_on(monday, monday + timedelta(days=7), Origin.RECORD))
    willing = _willing(people, fixed_s)
    with_roof = {home for home, one in community.connections.items() if one.solar is not None}
    places: dict[str, str] = {}
    for group in (willing & with_roof, willing - with_roof):
        places |= bands_of({home: used[home] for home in group if home in used})
    file.keep_bands(monday, now_s, places)
    return True


def bands_of(used_wh: Mapping[str, Wh]) -> dict[str, Band]:
    """Return each home's band in a group; nothing when the group would show somebody.

    Args:
        used_wh: What each home of the group used in the week [Wh].
    """
    total_wh = sum(used_wh.values())
    if len(used_wh) < LEAST_HOMES or max(used_wh.values()) > MOST_PART * total_wh:
        return {}
    usual_wh = max(_STEP_WH, round(median(used_wh.values()) / _STEP_WH) * _STEP_WH)
    return {home: _band(energy_wh / usual_wh) for home, energy_wh in used_wh.items()}


def last_monday(now_s: EpochS, today: date) -> date:
    """Return the Monday of the last week of which the bands are fixed at an instant."""
    monday = today - timedelta(days=today.weekday() + 7)
    while now_s < local_day(monday + timedelta(days=7))[0] + WAIT_S:
        monday -= timedelta(days=7)
    return monday


def _band(of_usual: float) -> Band:
    if of_usual < 1 - _APART:
        return Band.LESS
    return Band.MORE if of_usual > 1 + _APART else Band.EVEN


def _used(days: Collection[HomeDay]) -> dict[str, Wh]:
    """Return what each home used in a week of which every quarter of it is known."""
    whole: dict[str, int] = {}
    used: dict[str, Wh] = {}
    for day in days:
        whole[day.home] = whole.get(day.home, 0) + day.is_whole
        used[day.home] = used.get(day.home, 0) + day.use_wh
    return {home: used[home] for home, count in whole.items() if count == 7}


def _willing(people: PeopleBook, at_s: EpochS) -> set[str]:
    """Return the homes whose residents had chosen it at an instant [s]."""
    with people.reading() as desk:
        return set(
            desk.session.scalars(
                select(ConsentChoiceRow.home)
                .join(AccountRow, AccountRow.id == ConsentChoiceRow.account)
                .where(
                    ConsentChoiceRow.purpose == Purpose.COMPARISON,
                    ConsentChoiceRow.from_s <= at_s,
                    or_(ConsentChoiceRow.until_s.is_(None), ConsentChoiceRow.until_s > at_s),
                )
            )
        )
