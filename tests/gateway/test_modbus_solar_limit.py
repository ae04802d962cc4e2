"""An inverter is limited for a time, and a limit that somebody else set is never lost or raised."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.steer.solar_limit import ForeignLimitError, LimitNotHeldError, SolarLimit
from gateway.steer.steering import NoRevertTimerError
from hardware.registers import HOLDING, Words
from hardware.sunspec import find_chain
from hardware.sunspec_models import models
from hardware.twins.sunspec_image import device_words, model_words

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

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        del function_code
        return self.words[address - 40_000 : address - 40_000 + count]

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        self.writes.append(len(words))
        if not self.forgets:
            self.words[address - 40_000 : address - 40_000 + len(words)] = words

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
    found = SolarLimit.of_chain(inverter, chain, folder / "limit.json")
    assert found is not None
    return found


def test_value_timer_and_enable_go_in_one_write(tmp_path: Path) -> None:
    inverter = Inverter()

    became = limiter(inverter, tmp_path).limit(Decimal("42.5"), 90)

    assert became == Decimal("42.5")
    assert inverter.limited == (4_250, 90, 1)
    assert inverter.writes == [5]
    assert (inverter.point("WMaxLimPct_WinTms"), inverter.point("WMaxLimPct_RmpTms")) == (7, 9)


def test_no_limit_is_below_one_percent_unless_a_stop_is_meant(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)

    assert limit.limit(Decimal(0), 90) == 1
    assert limit.limit(Decimal(-5), 90) == 1
    assert limit.limit(Decimal(0), 90, stop=True) == 0


def test_a_limit_that_was_there_is_never_raised_and_is_put_back(tmp_path: Path) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLimPct_RvrtTms=0, WMaxLim_Ena=1)
    limit = limiter(inverter, tmp_path)

    assert limit.limit(Decimal(90), 90) == 70
    assert limit.limit(Decimal(30), 90) == 30
    limit.release()

    assert inverter.limited == (7_000, 0, 1)


def test_a_restart_puts_back_what_was_there_before_the_crash(tmp_path: Path) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLim_Ena=1)
    limiter(inverter, tmp_path).limit(Decimal(30), 90)

    limiter(inverter, tmp_path).release()

    assert inverter.limited == (7_000, 0, 1)


def test_a_limit_that_we_did_not_write_is_not_released(tmp_path: Path) -> None:
    inverter = Inverter(WMaxLimPct=7_000, WMaxLim_Ena=1)

    limiter(inverter, tmp_path).release()

    assert inverter.writes == []


def test_a_limit_that_somebody_changed_since_stays(tmp_path: Path) -> None:
    inverter = Inverter()
    limit = limiter(inverter, tmp_path)
    limit.limit(Decimal(30), 90)
    inverter.words[2 + models()[123].offset("WMaxLimPct")] = 6_000

    with pytest.raises(ForeignLimitError):
        limit.limit(Decimal(20), 90)
    with pytest.raises(ForeignLimitError, match="it stays"):
        limit.release()

    assert inverter.limited == (6_000, 90, 1)


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
