"""Quarters as JSON values packed into a listing, thousands of homes at a time.

A quarter that is written plainly is read here, column by column. Whatever is unusual in one is left
to the strict reader (``readings_json``), which reads the same value again and accepts
it or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kwartier.errors import ContractError
from kwartier.units import wh_from_kwh
from kwartier.wire import Json
from optimizer.as_json.readings_json import ReadingQuality, battery_of
from optimizer.as_json.strict_json import Part
from optimizer.settling.listing import ListingInProgress, Mark, Marks
from optimizer.settling.matrix import WhArray

MAX_TEXTS = 100_000
"""How many different kWh texts are remembered."""

_AWAY = object()
"""Stands for a register that is not named."""
_MISSING_WH = -1
_AWAY_WH = -2
_PLAIN = {"ts", "readings"}
_WITH_BATTERY = {"ts", "readings", "battery"}


class _NotPlainError(Exception):
    """A quarter that the strict reader has to judge."""


class _WhOfText(dict[object, int]):
    """The watt-hours of every kWh text seen so far, of null and of no register."""

    def __init__(self) -> None:
        super().__init__({None: _MISSING_WH, _AWAY: _AWAY_WH})

    def __missing__(self, value: object) -> int:
        if not isinstance(value, str):
            raise _NotPlainError
        energy_wh = wh_from_kwh(value)
        if len(self) < MAX_TEXTS:
            self[value] = energy_wh
        return energy_wh


@dataclass(frozen=True, slots=True)
class _Column:
    """One register of every home of a quarter, in the order of the list.

    Attributes:
        told_wh: What it counted; below zero for missing and away [Wh].
        estimated: Whether that is an estimate; None when none is.
        texts: How many texts and keys the values are written with.
    """

    told_wh: WhArray
    estimated: list[bool] | None
    texts: int

    def marks(self, missing: Mark, estimated: Mark) -> Marks:
        """Return how each register is known."""
        marks: Marks = (self.told_wh == _MISSING_WH) * np.uint8(missing)
        if self.estimated is not None:
            marks = marks | np.array(self.estimated) * np.uint8(estimated)
        return marks


class QuarterRows:
    """Reads quarters into a listing."""

    def __init__(self, listing: ListingInProgress) -> None:
        """Keep the listing."""
        self._listing = listing
        self._wh = _WhOfText()
        self._names: set[str] = set()

    def add(self, value: Json, texts: int | None) -> bool:
        """Add a quarter that is written plainly; return whether it was.

        Args:
            value: The quarter, as a reader gives it who does not watch for keys that stand twice.
            texts: How many texts and keys were written in it; None where nobody counted.
        """
        try:
            return self._add(value, texts)
        except (_NotPlainError, ContractError):
            return False

    def _add(self, value: Json, texts: int | None) -> bool:
        if not isinstance(value, dict) or not _PLAIN <= value.keys() <= _WITH_BATTERY:
            return False
        start, readings, battery = value["ts"], value["readings"], value.get("battery")
        if not isinstance(readings, dict):
            return False
        homes = [home for home in readings.values() if isinstance(home, dict)]
        names = list(readings)
        if len(homes) < len(names):
            return False
        taken, given = self._column(homes, "import"), self._column(homes, "export")
        keys = sum(map(len, homes))
        away = np.count_nonzero([taken.told_wh == _AWAY_WH, given.told_wh == _AWAY_WH])
        in_homes = len(names) + keys + taken.texts + given.texts
        around = len(value) + 1 + _texts_in(battery)
        # Fewer texts than were written: a key stood twice. More keys than registers: a wrong one.
        if texts != in_homes + around or keys + away != 2 * len(homes):
            return False
        self._learn(names)
        marks = taken.marks(Mark.NO_IMPORT, Mark.IMPORT_ESTIMATED) | given.marks(
            Mark.NO_EXPORT, Mark.EXPORT_ESTIMATED
        )
        self._listing.add_arrays(
            Part(start).quarter(),
            names,
            (np.maximum(taken.told_wh, 0), np.maximum(given.told_wh, 0)),
            marks if marks.any() else None,
            battery_of(None if battery is None else Part(battery)),
        )
        return True

    def _column(self, homes: Sequence[Mapping[str, Json]], register: str) -> _Column:
        try:
            told = [self._wh[home.get(register, _AWAY)] for home in homes]
        except TypeError:
            # A value with its quality is an object, and no key of a dictionary.
            return self._column_with_quality(homes, register)
        told_wh = np.array(told, np.int64)
        return _Column(told_wh, None, int(np.count_nonzero(told_wh >= 0)))

    def _column_with_quality(self, homes: Sequence[Mapping[str, Json]], register: str) -> _Column:
        told, estimated, texts = [], [], 0
        for home in homes:
            value: object = home.get(register, _AWAY)
            quality = ReadingQuality.MEASURED
            if isinstance(value, dict):
                quality, value = _quality_of(value), value["value"]
                texts += 3
            elif isinstance(value, list):
                raise _NotPlainError
            told.append(self._wh[value])
            estimated.append(quality is ReadingQuality.ESTIMATED)
            texts += isinstance(value, str)
        return _Column(np.array(told, np.int64), estimated, texts)

    def _learn(self, names: Sequence[str]) -> None:
        """Remember names, or refuse one that is none."""
        if not self._names.issuperset(names):
            for name in names:
                Part(name).name()
            self._names.update(names)


def _quality_of(value: Mapping[str, object]) -> ReadingQuality:
    if value.keys() != {"value", "quality"} or not isinstance(value["value"], str):
        raise _NotPlainError
    try:
        return ReadingQuality(str(value["quality"]))
    except ValueError:
        raise _NotPlainError from None


def _texts_in(value: Json) -> int:
    """Return with how many texts and keys a value is written."""
    if isinstance(value, dict):
        return len(value) + sum(map(_texts_in, value.values()))
    if isinstance(value, list):
        return sum(map(_texts_in, value))
    return isinstance(value, str)
