"""How often a steered battery is looked at, written to, and left alone."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.steer.response_check import FOLLOW_WITHIN_S


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done.

    Attributes:
        poll_s: Between two looks at the battery [s].
        revert_s: When the device falls back by itself [s].
        refresh_s: Between two writes of the same set-point [s]; two may be lost.
        pause_s: After a set-point that was not held, nothing is written for so long [s].
        follow_s: The battery has so long to move towards a set-point that stays [s].
        resume_s: After a start it stays neutral for so long before an earlier plan goes on [s].
    """

    poll_s: float = 5.0
    revert_s: int = 90
    refresh_s: float = 30.0
    pause_s: float = 60.0
    follow_s: float = FOLLOW_WITHIN_S
    resume_s: float = 60.0
