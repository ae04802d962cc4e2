"""Was the kettle seen? A step of a known size soon after somebody said 'now'; pure reckoning."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SMALLEST_W = 1500
LARGEST_W = 2500
WITHIN_S = 15.0
_SOMETHING_W = 200
"""A smaller step is nothing that somebody switched on [W]."""
_BEFORE_S = 30.0
_CONFIRMED_WITHIN_S = 12.0
"""A meter of edition 4 speaks every ten seconds."""


class Kettle(StrEnum):
    """What was seen."""

    WAITING = "waiting"
    SEEN = "seen"
    TOO_SMALL = "too-small"
    """Something was switched on, smaller than a kettle."""
    TOO_LARGE = "too-large"
    FELL = "fell"
    """The meter went down: import and export are the wrong way round."""
    NOTHING = "nothing"
    UNKNOWN = "unknown"
    """The meter said nothing before, so there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class KettleStep:
    """What the meter did.

    Attributes:
        seen: The verdict.
        step_w: The largest step found [W]; None when there was nothing to compare.
        after_s: How long after 'now' [s]; None when it was not seen.
    """

    seen: Kettle
    step_w: int | None
    after_s: float | None


def judge_kettle(
    samples: Sequence[tuple[float, int]], pressed_s: float, now_s: float
) -> KettleStep:
    """Return whether a kettle was switched on.

    Args:
        samples: Instants [s] and the meter's power [W], in order.
        pressed_s: When somebody said that they switch it on now [s].
        now_s: The time now on the same clock [s].
    """
    before = [w for at, w in samples if pressed_s - _BEFORE_S <= at <= pressed_s]
    if not before:
        return KettleStep(Kettle.UNKNOWN, None, None)
    level = statistics.median(before[-5:])
    after = [(at, round(w - level)) for at, w in samples if at > pressed_s]
    for place, (at, step) in enumerate(after):
        if at > pressed_s + WITHIN_S:
            break
        if SMALLEST_W <= step <= LARGEST_W and _holds(after[place + 1 :], at):
            return KettleStep(Kettle.SEEN, step, at - pressed_s)
    if now_s <= pressed_s + WITHIN_S + _CONFIRMED_WITHIN_S:
        return KettleStep(Kettle.WAITING, None, None)
    steps = [step for at, step in after if at <= pressed_s + WITHIN_S]
    if not steps:
        return KettleStep(Kettle.NOTHING, None, None)
    # What stays on is judged, not what flickered: the middle of the last half.
    held = round(statistics.median(steps[len(steps) // 2 :]))
    return KettleStep(_miss(held), held, None)


def _holds(later: Sequence[tuple[float, int]], since_s: float) -> bool:
    """Return whether the next telegrams confirm a step: one flicker is no kettle."""
    soon = [step for at, step in later if at <= since_s + _CONFIRMED_WITHIN_S][:3]
    return bool(soon) and all(SMALLEST_W <= step <= LARGEST_W for step in soon)


def _miss(step_w: int) -> Kettle:
    if step_w > LARGEST_W:
        return Kettle.TOO_LARGE
    if step_w <= -SMALLEST_W:
        return Kettle.FELL
    return Kettle.TOO_SMALL if step_w >= _SOMETHING_W else Kettle.NOTHING
