"""An inverter as its export cap sees it: what it makes, what its limit counts from, and its limit.

Only SunSpec model 123 is used, whose limit ends by the inverter's own timer. Of the makers' own
registers no profile says how a limit is written that ends by itself, so none is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gateway.modbus.poll import NotSunSpecError
from gateway.steer.scale import told
from gateway.steer.solar_budget import SolarBudget
from gateway.steer.solar_journal import LimitJournal
from gateway.steer.solar_limit import SolarLimit
from gateway.steer.solar_settings import LimitedInverter
from gateway.steer.steering import NoRevertTimerError, SteeredUnit
from hardware.registers import MOST_PER_READ, Words
from hardware.sunspec import Chain, Place, Points, PointValue, decode, find_chain
from hardware.sunspec_models import models
from kwartier.errors import KwartierError
from kwartier.units import Watt

_MEASURED = (103, 102, 101, 113, 112, 111, 701)
_RATED = ((121, "WMax"), (120, "WRtg"), (702, "WMax"), (702, "WMaxRtg"))
_NEAR_PERCENT = 1


class WrongRatingError(KwartierError):
    """The inverter counts its limit from another power than the settings say."""


@dataclass(frozen=True, slots=True)
class _Found:
    limit: SolarLimit
    measured: Place | None


class Inverter:
    """Looks for the models once, and again after ``forget``."""

    def __init__(
        self,
        unit: SteeredUnit,
        settings: LimitedInverter,
        journal: LimitJournal,
        budget: SolarBudget,
    ) -> None:
        """Ask nothing yet."""
        self._unit = unit
        self._settings = settings
        self._journal = journal
        self._budget = budget
        self._known: _Found | None = None

    def limit(self) -> SolarLimit:
        """Return its limit.

        Raises:
            NoRevertTimerError: It has none that ends by itself.
            WrongRatingError: Percents of it would mean other watts.
            ScaleUnknownError: Its rating cannot be told now.
            NotSunSpecError: It does not speak SunSpec now.
            TemporaryError: It cannot be reached, or is busy.
        """
        return self._found().limit

    def power_w(self) -> Watt | None:
        """Return what it gives on its AC side [W]; None where it does not tell.

        A hybrid's battery counts with it: that is the power which the limit limits.

        Raises:
            As ``limit`` raises them.
        """
        place = self._found().measured
        if place is None:
            return None
        power = _decoded(place, _words(self._unit, place))["W"]
        if not isinstance(power, int | Decimal):
            return None
        return -round(power) if self._settings.turned else round(power)

    def forget(self) -> None:
        """Look for its models anew: what comes back after a night may be another inverter."""
        self._known = None

    def _found(self) -> _Found:
        if self._known is None:
            chain = find_chain(self._unit)
            if chain is None:
                raise NotSunSpecError(
                    f"{self._settings.device}: no SunSpec map found: is it asleep, or is it off?"
                )
            place = chain.first(123)
            if place is None:
                raise NoRevertTimerError(
                    "the inverter shows no SunSpec model 123, and no other limit is known that "
                    "ends by itself: keep the export cap in the inverter's own settings"
                )
            self._check_rating(chain)
            limit = SolarLimit(self._unit, place, self._journal, self._budget)
            self._known = _Found(limit, chain.first(*_MEASURED))
        return self._known

    def _check_rating(self, chain: Chain) -> None:
        """Compare what percents count from with the settings; what it does not tell is believed."""
        rated_w = self._settings.rated_w
        for model, point in _RATED:
            place = chain.first(model)
            most_w = None if place is None else _rating(self._unit, place, point)
            if isinstance(most_w, int | Decimal) and most_w > 0:
                if abs(Decimal(most_w) - rated_w) * 100 > rated_w * _NEAR_PERCENT:
                    raise WrongRatingError(
                        f"rated_w is {rated_w} and the inverter counts its limit from "
                        f"{round(most_w)} W (model {model}): correct rated_w"
                    )
                return


def _rating(unit: SteeredUnit, place: Place, point: str) -> PointValue:
    words = _words(unit, place)
    return told(models()[place.id], words, _decoded(place, words), point)


def _words(unit: SteeredUnit, place: Place) -> Words:
    words = unit.read(place.address, min(MOST_PER_READ, place.length + 2))
    if words[0] != place.id:
        raise NotSunSpecError(f"another model stands where model {place.id} stood")
    return words


def _decoded(place: Place, words: Words) -> Points:
    return decode(models()[place.id], place.length, words)
