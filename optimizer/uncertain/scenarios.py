"""Several days that may come instead of one: what is expected, and more or less by scenario."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from kwartier.errors import InputError
from optimizer.problem import FloatArray
from optimizer.uncertain.paths import LASTS_H, MOST_COURSES, courses

USUAL_COUNT = 10
_IN_TEN = float(ndtri(0.9))


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """What homes and panels may do otherwise than a problem expects.

    Attributes:
        more_kw: What is taken from the connection beyond what is expected, shape ``(S, T)`` [kW];
            below zero where the homes use less or the sun gives more.
        weight: How likely each is, shape ``(S,)``, above zero and together 1.

    Raises:
        InputError: Shapes do not meet, a number is not finite, or weights are no parts of 1.
    """

    more_kw: FloatArray
    weight: FloatArray

    def __post_init__(self) -> None:
        count = len(self.weight)
        if self.more_kw.ndim != 2 or not 1 <= count == len(self.more_kw) <= MOST_COURSES:
            raise InputError(
                f"scenarios have {len(self.more_kw)} courses and {count} weights: give 1 to "
                f"{MOST_COURSES} of each"
            )
        if not np.isfinite(self.more_kw).all():
            raise InputError(
                "a scenario has a power that is not finite: leave out what nobody told"
            )
        if not ((self.weight > 0).all() and abs(float(self.weight.sum()) - 1) <= 1e-9):
            raise InputError(f"weights of scenarios are {self.weight}: give parts above 0 of 1")

    @property
    def expects_the_same(self) -> bool:
        """Whether all come to what is expected."""
        return not self.more_kw.any()


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """How far what comes may be off, four times out of five, shape ``(T,)`` each [kW].

    Attributes:
        less_kw: One time in ten less is taken by more than this, at least zero.
        more_kw: One time in ten more is taken by more than this, at least zero.
    """

    less_kw: FloatArray
    more_kw: FloatArray


def scenarios_of(
    told: Range,
    step_h: FloatArray,
    *,
    count: int = USUAL_COUNT,
    lasts_h: float = LASTS_H,
) -> Scenarios:
    """Return scenarios that spread as a range says, each a course that hangs together in time.

    Above and below what is expected errors are taken for halves of two normal ones, so that nine
    in ten and one in ten are where the range has them.

    Args:
        told: The range.
        step_h: Length of each step, shape ``(T,)`` [h].
        count: How many.
        lasts_h: After how many hours an error counts for 1/e.

    Raises:
        InputError: The count is out of range, or the range is not finite or below zero.
    """
    if not all(np.isfinite(side).all() and (side >= 0).all() for side in _sides(told)):
        raise InputError("a range is not finite or below zero: plan without it where none is known")
    drawn = courses(count, step_h, lasts_h) / _IN_TEN
    more = np.maximum(drawn, 0.0) * told.more_kw + np.minimum(drawn, 0.0) * told.less_kw
    return Scenarios(more, np.full(count, 1 / count))


def _sides(told: Range) -> tuple[FloatArray, FloatArray]:
    return told.less_kw, told.more_kw
