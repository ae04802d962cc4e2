"""What swings by itself is told from what moves for a reason."""

from __future__ import annotations

from gateway.steer.swings import Swings

FULL_W = 20_000


def test_swings_are_told_from_a_ramp_and_from_flutter() -> None:
    ramp, flutter, swinging = Swings(), Swings(), Swings()

    ramps = [ramp.note(100 * at_s, float(at_s), FULL_W) for at_s in range(200)]
    flutters = [flutter.note(at_s % 2 * 900, float(at_s), FULL_W) for at_s in range(200)]
    swings = [swinging.note(at_s // 15 % 2 * 4_000, float(at_s), FULL_W) for at_s in range(100)]

    assert not any(ramps)
    assert not any(flutters)
    # The fourth turn: up, and three times back.
    assert swings.index(True) == 75
