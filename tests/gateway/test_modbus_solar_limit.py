"""An inverter is limited for a time, and a limit that somebody else set is left alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.modbus.link import LinkSettings
from gateway.steer import solar_inverter
from gateway.steer.budget import RELEASES_A_DAY
from gateway.steer.scale import ScaleUnknownError
from gateway.steer.solar_budget import MOST_A_DAY, PARCEL, LimitWritesSpentError, SolarBudget
from gateway.steer.solar_journal import LimitJournal
from gateway.steer.solar_limit import ForeignLimitError, HeldLimit, LimitNotHeldError, SolarLimit
from gateway.steer.solar_settings import LimitedInverter
from gateway.steer.steering import NoRevertTimerError
from hardware.registers import HOLDING, Words
from hardware.sunspec import find_chain
from hardware.sunspec_models import models
from hardware.twins.sunspec_image import device_words, model_words
from kwartier.clock import VirtualClock

FREE = {
    "WMaxLimPct": 10_000,
    "WMaxLimPct_WinTms": 7,
    "WMaxLimPct_RvrtTms": 0,
    "WMaxLimPct_RmpTms": 9,
    "WMaxLim_Ena": 0,
    "WMaxLimPct_SF": -2,
}


class Inverter:
    """Registers of model 123 that keep what is written."""

    def __init__(self, **points: int | None) -> None:
        self.words = device_words([model_words(123, {**FREE, **points})])
        self.writes: list[int] = []
        self.forgets = False
        self.timer_s: int | None = None
        """What it makes of every revert timer; None where it keeps what is written."""

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del function_code
        return self.words[address - 40_000 : address - 40_000 + count]

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        self.writes.append(len(words))
        if not self.forgets:
            self.words[address - 40_000 : address - 40_000 + len(words)] = words
        if self.timer_s is not None:
            self.words[2 + models()[123].offset("WMaxLimPct_RvrtTms")] = self.timer_s

    def point(self, name: str) -> int:
        return self.words[2 + models()[123].offset(name)]

    @property
    def limited(self) -> tuple[int, int, int]:
        names = ("WMaxLimPct", "WMaxLimPct_RvrtTms", "WMaxLim_Ena")
        value, timer, on = (self.point(name) for name in names)
        return value, timer, on


def limiter(inverter: Inverter, folder: Path) -> SolarLimit:
    chain = find_chain(inverter)
    assert chain is not None
    place = chain.first(123)
    assert place is not None
    budget = SolarBudget(folder / "limits.json", VirtualClock(0))
    return SolarLimit(inverter, place, LimitJournal(folder / "limit.json"), budget)


def test_value_timer_and_enable_go_in_one_write(tmp_path: Path) -> None:
    inverter = Inverter()

    became = limiter(inverter, tmp_path).limit(Decimal("42.5"), 90)

    assert became == HeldLimit(Decimal("42.5"), 90)
    assert inverter.limited == (4_250, 90, 1)
    assert inverter.writes == [5]
    assert (inverter.point("WMaxLimPct_WinTms"), inverter.point("WMaxLimPct_RmpTms")) == (7, 9)


def test_no_limit_is_below_one_percent_unless_a_stop_is_meant(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)

    assert limit.limit(Decimal(0), 90).percent == 1
    assert limit.limit(Decimal(-5), 90).percent == 1
    assert limit.limit(Decimal(0), 90, stop=True).percent == 0


@pytest.mark.parametrize("percent", [90, 30])
def test_a_limit_that_was_there_is_never_written_over_not_even_by_a_tighter_one(
    tmp_path: Path, percent: int
) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLimPct_RvrtTms=0, WMaxLim_Ena=1)
    limit = limiter(inverter, tmp_path)

    with pytest.raises(ForeignLimitError, match=r"limit of 70.00 % stands"):
        limit.limit(Decimal(percent), 90)
    limit.release()

    assert inverter.writes == []
    assert inverter.limited == (7_000, 0, 1)


@pytest.mark.parametrize("scale", [None, 11])
def test_a_limit_is_neither_judged_nor_written_while_its_scale_factor_says_nothing(
    tmp_path: Path, scale: int | None
) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLim_Ena=1, WMaxLimPct_SF=scale)
    limit = limiter(inverter, tmp_path)

    with pytest.raises(ScaleUnknownError, match="WMaxLimPct_SF"):
        limit.limit(Decimal(30), 90)
    assert inverter.writes == []
    assert inverter.limited == (7_000, 0, 1)
    inverter.words[2 + models()[123].offset("WMaxLimPct_SF")] = -2 % 65536

    with pytest.raises(ForeignLimitError, match=r"limit of 70.00 % stands"):
        limit.limit(Decimal(30), 90)


def test_a_rating_whose_scale_factor_says_nothing_is_not_believed(tmp_path: Path) -> None:
    inverter = Inverter()
    inverter.words = device_words([model_words(120, {"WRtg": 500}), model_words(123, FREE)])
    settings = LimitedInverter("roof", LinkSettings("127.0.0.1"), 1, 1_000, 5_000, "p1", 1)
    budget = SolarBudget(tmp_path / "limits.json", VirtualClock(0))
    limited = solar_inverter.Inverter(
        inverter, settings, LimitJournal(tmp_path / "limit.json"), budget
    )

    with pytest.raises(ScaleUnknownError, match="WRtg in model 120"):
        limited.limit()
    inverter.words[2 + models()[120].offset("WRtg_SF")] = 1

    assert limited.limit().standing() is None


def test_a_limit_of_everything_is_none_and_is_put_back(tmp_path: Path) -> None:
    inverter = Inverter(WMaxLimPct=10_000, WMaxLimPct_RvrtTms=0, WMaxLim_Ena=1)
    limit = limiter(inverter, tmp_path)

    limit.limit(Decimal(30), 90)
    limit.release()

    assert inverter.limited == (10_000, 0, 1)


def test_a_restart_knows_a_limit_of_ours_by_its_timer_and_can_end_it(tmp_path: Path) -> None:
    inverter = Inverter()
    limiter(inverter, tmp_path).limit(Decimal(30), 90)

    again = limiter(inverter, tmp_path)
    standing = again.standing()
    again.release()

    assert standing == HeldLimit(Decimal(30), 90)
    assert inverter.limited == (10_000, 0, 0)


@pytest.mark.parametrize("timer_s", [0, 91])
def test_a_limit_with_another_timer_was_set_while_we_were_away_and_stays(
    tmp_path: Path, timer_s: int
) -> None:
    inverter = Inverter()
    limiter(inverter, tmp_path).limit(Decimal(30), 90)
    inverter.words[2 + models()[123].offset("WMaxLimPct_RvrtTms")] = timer_s

    again = limiter(inverter, tmp_path)
    with pytest.raises(ForeignLimitError):
        again.release()

    assert again.standing() is None
    assert inverter.limited == (3_000, timer_s, 1)


def test_a_limit_that_we_did_not_write_is_not_released(tmp_path: Path) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLim_Ena=1)

    limiter(inverter, tmp_path).release()

    assert inverter.writes == []


def test_a_limit_that_somebody_changed_since_stays(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    limit.limit(Decimal(30), 90)
    inverter.words[2 + models()[123].offset("WMaxLimPct")] = 6_000

    with pytest.raises(ForeignLimitError, match="it stays"):
        limit.limit(Decimal(20), 90)
    limit.release()

    assert inverter.limited == (6_000, 90, 1)


@pytest.mark.parametrize("timer_s", [0, 3_600])
def test_a_limit_for_good_that_is_as_high_as_ours_by_chance_stays(
    tmp_path: Path, timer_s: int
) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    limit.limit(Decimal(30), 90)
    inverter.words[2 + models()[123].offset("WMaxLimPct_RvrtTms")] = timer_s

    with pytest.raises(ForeignLimitError, match="it stays"):
        limit.limit(Decimal(40), 90)
    limit.release()

    assert inverter.limited == (3_000, timer_s, 1)


def test_an_inverter_that_takes_no_more_timers_is_freed(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    limit.limit(Decimal(30), 90)
    inverter.timer_s = 0

    with pytest.raises(NoRevertTimerError):
        limit.limit(Decimal(40), 90)

    assert inverter.limited == (10_000, 0, 0)


def test_a_free_inverter_is_free_again(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    limit.limit(Decimal(30), 90)

    limit.release()
    limit.release()

    assert inverter.limited == (10_000, 0, 0)
    assert inverter.writes == [5, 5]


def test_an_inverter_that_forgets_or_has_no_timer_is_told_of(tmp_path: Path) -> None:
    forgetful = Inverter()
    forgetful.forgets = True

    with pytest.raises(LimitNotHeldError):
        limiter(forgetful, tmp_path).limit(Decimal(30), 90)
    (tmp_path / "limit.json").unlink()
    with pytest.raises(NoRevertTimerError):
        limiter(Inverter(WMaxLimPct_RvrtTms=None), tmp_path).limit(Decimal(30), 90)


@pytest.mark.parametrize("timer_s", [0, 3_600])
def test_a_limit_that_would_outlive_this_gateway_is_put_back_at_once(
    tmp_path: Path, timer_s: int
) -> None:
    inverter = Inverter(WMaxLimPct_RvrtTms=timer_s)
    inverter.timer_s = timer_s
    limit = limiter(inverter, tmp_path)

    with pytest.raises(NoRevertTimerError, match=f"{timer_s} s instead of 90 s"):
        limit.limit(Decimal(30), 90)

    assert inverter.limited == (10_000, timer_s, 0)
    assert LimitJournal(tmp_path / "limit.json").prior is None


def test_a_hundred_limits_write_the_card_three_times(tmp_path: Path) -> None:
    limit = limiter(Inverter(), tmp_path)
    seen: dict[str, set[int]] = {"limit.json": set(), "limits.json": set()}

    for place in range(100):
        limit.limit(Decimal(30 + place % 7), 90)
        for name, stamps in seen.items():
            stamps.add((tmp_path / name).stat().st_mtime_ns)

    assert {name: len(stamps) for name, stamps in seen.items()} == {
        "limit.json": 1,
        "limits.json": 2,
    }


def test_the_writes_of_a_day_end_and_a_release_does_not_count_on_them(tmp_path: Path) -> None:
    spent = MOST_A_DAY // PARCEL - RELEASES_A_DAY - 1
    (tmp_path / "limits.json").write_text(f'{{"day": 0, "counts": {{"123": {spent}}}}}')
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    for _ in range(PARCEL):
        limit.limit(Decimal(40), 90)

    with pytest.raises(LimitWritesSpentError, match=r"9000 times today: .* until tomorrow"):
        limit.limit(Decimal(50), 90)
    limit.release()

    assert inverter.limited == (10_000, 0, 0)


def test_a_journal_that_cannot_be_read_makes_no_limit_ours(tmp_path: Path) -> None:
    inverter = Inverter()
    limiter(inverter, tmp_path).limit(Decimal(30), 90)
    (tmp_path / "limit.json").write_text("{")

    limiter(inverter, tmp_path).release()

    assert inverter.limited == (3_000, 90, 1)
