"""A virtual home: what it uses and what its roof makes, second by second, the same every time."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS, Watt, Wh

LATITUDE_DEG = 52.1
LONGITUDE_DEG = 5.2
_WS_PER_WH = 3600


@dataclass(frozen=True, slots=True)
class Habits:
    """Who lives here.

    Attributes:
        seed: Makes one home differ from another, and each day from the next.
        people: How many; more people, more use.
        solar_peak_w: What the roof makes in full sun [W]; 0 for no panels.
        azimuth_deg: Where the roof looks: 90 east, 180 south, 270 west.
        car: Whether an electric car charges here.
        heat_pump: Whether a heat pump makes the hot water.
        sun_of_day: The day of the year whose sun shines, whatever the date; None for the real one.
    """

    seed: int
    people: int = 2
    solar_peak_w: Watt = 0
    azimuth_deg: int = 180
    car: bool = False
    heat_pump: bool = False
    sun_of_day: int | None = None


@dataclass(slots=True)
class Household:
    """A home with the registers of its meter and its inverter.

    Attributes:
        habits: Who lives here.
        at_s: The instant the registers stand at [s].
        import_ws: Taken from the grid so far [Ws].
        export_ws: Given to the grid so far [Ws].
        produced_ws: Made by the roof so far [Ws].
    """

    habits: Habits
    at_s: EpochS
    import_ws: int = 0
    export_ws: int = 0
    produced_ws: int = 0
    _net_w: Watt = field(default=0, init=False)
    _sun_w: Watt = field(default=0, init=False)

    def advance(self, to_s: EpochS, step_s: int = 60) -> None:
        """Count on to an instant, in steps over which power is taken as constant."""
        while self.at_s < to_s:
            step = min(step_s, to_s - self.at_s)
            self._sun_w = sun_w(self.habits, self.at_s)
            self._net_w = use_w(self.habits, self.at_s) - self._sun_w
            self.import_ws += max(self._net_w, 0) * step
            self.export_ws += max(-self._net_w, 0) * step
            self.produced_ws += self._sun_w * step
            self.at_s += step

    @property
    def net_w(self) -> Watt:
        """Exchange with the grid now; positive takes [W]."""
        return self._net_w

    @property
    def solar_w(self) -> Watt:
        """What the roof makes now [W]."""
        return self._sun_w

    @property
    def import_wh(self) -> Wh:
        """The import register [Wh]."""
        return self.import_ws // _WS_PER_WH

    @property
    def export_wh(self) -> Wh:
        """The export register [Wh]."""
        return self.export_ws // _WS_PER_WH

    @property
    def produced_wh(self) -> Wh:
        """The inverter's register [Wh]."""
        return self.produced_ws // _WS_PER_WH


def street_of(homes: int, sun_of_day: int | None = None) -> list[Habits]:
    """Return the habits of a street: a mix of sizes, roofs, cars and heat pumps."""
    return [
        Habits(
            seed=number + 1,
            people=1 + (number * 7) % 4,
            solar_peak_w=(0, 4_200, 0, 5_600, 3_300, 0, 6_400)[number % 7],
            azimuth_deg=(180, 170, 250, 110)[number % 4],
            car=number % 6 == 1,
            heat_pump=number % 5 == 3,
            sun_of_day=sun_of_day,
        )
        for number in range(homes)
    ]


def use_w(habits: Habits, at_s: EpochS) -> Watt:
    """Return what a home uses at an instant [W]."""
    day = datetime.fromtimestamp(at_s, HOME_ZONE).date()
    fridge_w = 70 if (at_s // 60 + habits.seed * 13) % 45 < 15 else 0
    base_w = 60 + 25 * habits.people + fridge_w
    return base_w + sum(
        power_w for start_s, end_s, power_w in _appliances(habits, day) if start_s <= at_s < end_s
    )


def sun_w(habits: Habits, at_s: EpochS) -> Watt:
    """Return what a roof of 35 degrees makes at an instant under a sky with clouds [W].

    Source:
        Solar position by Cooper's declination and the hour angle; Duffie and Beckman, Solar
        Engineering of Thermal Processes, equations 1.6.1, 1.6.2 and 1.6.5.
    """
    if not habits.solar_peak_w:
        return 0
    instant = datetime.fromtimestamp(at_s, UTC)
    declination, hour_angle = _sun_angles(instant, habits.sun_of_day)
    latitude, tilt = math.radians(LATITUDE_DEG), math.radians(35)
    sin_height = math.sin(declination) * math.sin(latitude) + math.cos(declination) * math.cos(
        latitude
    ) * math.cos(hour_angle)
    if sin_height <= 0:
        return 0
    toward = math.radians(habits.azimuth_deg - 180)
    sin_azimuth = math.cos(declination) * math.sin(hour_angle)
    cos_azimuth = (sin_height * math.sin(latitude) - math.sin(declination)) / math.cos(latitude)
    on_roof = sin_height * math.cos(tilt) + math.sin(tilt) * (
        cos_azimuth * math.cos(toward) + sin_azimuth * math.sin(toward)
    )
    beam = max(on_roof, 0.0) * 0.75 ** (1 / max(sin_height, 0.05)) * 1.3
    share = (beam * _clearness(at_s) + 0.12 * sin_height) * 0.95
    return int(min(share, 1.0) * habits.solar_peak_w)


def _sun_angles(instant: datetime, sun_of_day: int | None) -> tuple[float, float]:
    """Return declination and hour angle [rad]; afternoon is positive."""
    number = sun_of_day or instant.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + number) / 365)
    hours = instant.hour + instant.minute / 60 + instant.second / 3600 + LONGITUDE_DEG / 15
    return declination, math.radians(15 * (hours - 12))


def _clearness(at_s: EpochS) -> float:
    """Return how much of the beam comes through the clouds: the same for the whole street."""
    place, rest = divmod(at_s, 1200)
    kind = _chance(0, at_s // 86_400, 1)
    low, high = (0.75, 1.0) if kind < 0.6 else (0.25, 0.9)
    before, after = (_chance(0, place + step, 2) for step in (0, 1))
    return low + (high - low) * (before + (after - before) * rest / 1200)


@lru_cache(maxsize=4096)
def _appliances(habits: Habits, day: date) -> tuple[tuple[EpochS, EpochS, Watt], ...]:
    """Return what is switched on in a home on a day: from, until, power."""
    number = day.toordinal()
    weekend = day.weekday() >= 5
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=HOME_ZONE).timestamp())

    def at(hour: float, spread: float, minutes: float, power_w: Watt, what: int) -> _On:
        start = hour + spread * (2 * _chance(habits.seed, number, what) - 1)
        start_s = midnight + int(start * 3600)
        return start_s, start_s + int(minutes * 60), power_w

    morning = 8.6 if weekend else 7.1
    on = [
        at(morning, 0.7, 4, 2_100, 1),
        at(morning + 0.2, 0.7, 50, 180, 2),
        at(13.0, 2.5, 4, 2_100, 3),
        at(18.1, 0.8, 35, 900 + 450 * habits.people, 4),
        at(18.6, 0.5, 20, 1_200, 5),
        at(20.2, 0.8, 190, 150 + 45 * habits.people, 6),
    ]
    if _chance(habits.seed, number, 7) < 0.2 + 0.12 * habits.people:
        on.append(at(10.5, 2.0, 25, 2_000, 8))
        on.append(at(11.0, 2.0, 60, 350, 9))
    if _chance(habits.seed, number, 10) < 0.5:
        on.append(at(20.5, 1.0, 35, 1_900, 11))
    if habits.car and _chance(habits.seed, number, 12) < 0.6:
        on.append(at(18.5, 1.5, 90 + 120 * _chance(habits.seed, number, 13), 7_200, 14))
    if habits.heat_pump:
        on += [at(5.5, 0.3, 50, 1_400, 15), at(14.0, 1.0, 70, 1_400, 16)]
    return tuple(on)


_On = tuple[EpochS, EpochS, Watt]


def _chance(seed: int, number: int, what: int) -> float:
    """Return a number from 0 to 1 that is always the same for the same question."""
    digest = hashlib.blake2s(f"{seed}:{number}:{what}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32
