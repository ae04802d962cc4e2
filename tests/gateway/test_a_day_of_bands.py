"""A street's day in bands, second by second: what may pass does, what may not is kept, no swing.

Each kind of band holds for hours: at night the plan buys and its power is held, in the morning
batteries cover what lacks, by day they take what is left over, in the evening they keep to the
contract and nothing more, and else they rest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.steer.track import DEAD_BAND_W
from gateway.steer.wish import FULL_POWER_S
from kwartier.interval import QUARTER_S
from kwartier.reading import MeterBand, Schedule, Step
from kwartier.schedule import decode_schedule, encode_schedule
from tests.gateway.test_a_tracked_day import BAND, CONTRACT_W, ENERGY_BAND, LINES
from tests.gateway.tracked_street import SlowBattery, TrackedStreet, Weather, quiet, reversals

_log = logging.getLogger(__name__)

COVERS = MeterBand(None, 0)
TAKES = MeterBand(0, None)
KEEPS = MeterBand(None, CONTRACT_W)
RESTS = MeterBand(None, None)
BUYS_W = 3_000


def band_at(hour: float) -> MeterBand | None:
    """Return the band of an hour; None where the plan buys."""
    if hour < 2:
        return None
    if 5.5 <= hour < 8:
        return COVERS
    if 10 <= hour < 15:
        return TAKES
    return KEEPS if 17 <= hour < 22 else RESTS


class Banded(TrackedStreet):
    """The same street, whose plans speak of bands; no fuse comes between."""

    stored: list[tuple[float, float]]
    """The least and the most filled of its batteries after each quarter, 0 to 1."""

    def __init__(
        self,
        folder: Path,
        weather: Weather,
        *,
        sizes_w: Sequence[int] = (20_000, 10_000),
        full_power_s: int = FULL_POWER_S,
        hour: float = 0.0,
    ) -> None:
        super().__init__(
            folder,
            weather,
            sizes_w=sizes_w,
            import_max_w=None,
            full_power_s=full_power_s,
            hour=hour,
        )
        self.stored = []

    def _plan(self, one: SlowBattery, first_s: int) -> Schedule:
        share = one.full_w / sum(each.full_w for each in self.batteries)
        steps = []
        for place in range(24):
            at_s = first_s + place * QUARTER_S
            band = band_at(at_s % 86_400 / 3600)
            power_w = round(share * (BUYS_W if band is None else self.expects_w(band, at_s)))
            steps.append(Step(at_s, power_w, QUARTER_S, None, band))
        sent = Schedule(one.device, self._command, f"plan-{first_s}", tuple(steps))
        return decode_schedule(encode_schedule(sent))

    def expects_w(self, band: MeterBand, at_s: float) -> float:
        """Return what all batteries are expected to do [W]."""
        homes_w = self.expected_w(at_s + QUARTER_S / 2)
        low_w = homes_w if band.low_w is None else max(homes_w, band.low_w)
        return (low_w if band.high_w is None else min(low_w, band.high_w)) - homes_w

    @property
    def give_w(self) -> int:
        """What all can give [W]."""
        return sum(one.full_w for one in self.batteries)

    def _close(self) -> None:
        super()._close()
        filled = [one.stored_wh / one.capacity_wh for one in self.batteries]
        self.stored.append((min(filled), max(filled)))


class Flat(Banded):
    """Homes that use the same all the time, whatever was expected."""

    others_w = 0.0

    def use_w(self) -> float:
        return self.others_w


def mean(watts: list[float]) -> float:
    return sum(watts) / len(watts)


def quarters_of(street: Banded, band: MeterBand | None) -> list[int]:
    """Return where quarters of a band begin, but the first of each stretch, when a wish travels."""
    begun_hour = street.start_s % 86_400 / 3600
    starts = range(QUARTER_S, len(street.meter_w) - QUARTER_S + 1, QUARTER_S)
    hours = {start: begun_hour + start / 3600 for start in starts}
    return [at for at, hour in hours.items() if band_at(hour) == band == band_at(hour - 0.25)]


def over_the_contract(street: Banded) -> list[float]:
    """Return how far each quarter's mean was over the contract that could be kept [part of it]."""
    kept = [
        start
        for start in quarters_of(street, KEEPS)
        if max(street.homes_w[start : start + QUARTER_S]) <= CONTRACT_W + street.give_w
        and street.stored[start // QUARTER_S][0] > 0.06
    ]
    means_w = [mean(street.meter_w[start : start + QUARTER_S]) for start in kept]
    return [mean_w / CONTRACT_W - 1 for mean_w in means_w]


@pytest.mark.parametrize("others_w", [2_000.0, -2_000.0, 100.0, 0.0])
@pytest.mark.parametrize("hour", [6.0, 12.0, 16.0])
def test_no_band_makes_anything_swing(tmp_path: Path, hour: float, others_w: float) -> None:
    street = Flat(tmp_path, quiet(Weather(lag_s=5)), sizes_w=(20_000,), full_power_s=0, hour=hour)
    street.others_w = -others_w
    street.run(60)
    street.others_w = others_w
    street.run(90)
    settled = len(street.meter_w)
    street.run(60)

    band = band_at(hour)
    assert band is not None
    covers = band == COVERS and others_w > 0
    takes = band == TAKES and others_w < 0
    passes_w = 0.0 if covers or takes else others_w
    assert all(abs(watt - passes_w) <= DEAD_BAND_W for watt in street.meter_w[settled:])
    assert max(street.meter_w[settled:]) - min(street.meter_w[settled:]) <= 1
    assert [reversals(powers) for powers in street.powers_w] == [0]


def test_an_evening_keeps_the_contract_and_spends_nothing_below_it(tmp_path: Path) -> None:
    street = Banded(tmp_path, Weather(), hour=18.0)

    street.run(3 * QUARTER_S)

    over = over_the_contract(street)
    assert len(over) == 2
    assert max(over) <= BAND
    assert all(max(powers) == 0 for powers in street.powers_w)
    assert all(reversals(powers) == 0 for powers in street.powers_w)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("weather", LINES)
def test_a_whole_day_of_bands_keeps_what_may_pass(tmp_path: Path, weather: Weather) -> None:
    street = Banded(tmp_path, weather)

    street.run(86_400)

    quarter_wh = street.give_w / 4
    over = over_the_contract(street)
    wrong_wh = {
        name: max(sum(_wrong_ws(street, band, start)) / 3600 for start in quarters_of(street, band))
        for name, band in (("covers", COVERS), ("takes", TAKES), ("rests", RESTS))
    }
    turned = max(reversals(powers) for powers in street.powers_w)
    _log.info(
        "%s: %d quarters at the contract, worst mean over it by %.2f %% | beyond a band at most"
        " %s Wh a quarter of %.0f | turns a day %d",
        weather,
        len(over),
        100 * max(over),
        {name: round(wrong) for name, wrong in wrong_wh.items()},
        quarter_wh,
        turned,
    )
    assert len(over) >= 10
    assert max(over) <= BAND
    assert all(wrong <= ENERGY_BAND * quarter_wh for wrong in wrong_wh.values())
    assert turned <= 24
    for one in street.batteries:
        assert 0 <= one.stored_wh <= one.capacity_wh


def _wrong_ws(street: Banded, band: MeterBand | None, start: int) -> list[float]:
    """Return by how much batteries did what the band has no need of, second by second [Ws]."""
    assert band is not None
    wrong = []
    for second in range(start, start + QUARTER_S):
        power_w = sum(powers[second] for powers in street.powers_w)
        given_w = 0.0 if band.high_w is None else max(street.homes_w[second] - band.high_w, 0.0)
        taken_w = 0.0 if band.low_w is None else max(band.low_w - street.homes_w[second], 0.0)
        wrong.append(max(-power_w - given_w, power_w - taken_w, 0.0))
    return wrong
