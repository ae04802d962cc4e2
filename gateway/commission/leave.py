"""When the wizard gives way to the gateway."""

from __future__ import annotations

import threading

from gateway.commission.book import STEPS, Mark
from gateway.commission.wizard import Wizard
from kwartier.clock import Clock

LOOK_EVERY_S = 1.0


def wait_until_done(
    wizard: Wizard, clock: Clock, stop: threading.Event, leave_after_s: float | None
) -> None:
    """Wait until told to stop, or for a while after everything is done.

    What waits for later, such as the sun, is still judged here: until then the wizard stays.

    Args:
        wizard: The wizard.
        clock: Counts the while.
        stop: Set when it is to stop.
        leave_after_s: How long the last page stays [s]; None for as long as nobody stops it.
    """
    done_s: float | None = None
    while not stop.wait(LOOK_EVERY_S):
        if leave_after_s is None or not is_done(wizard):
            done_s = None
            continue
        now_s = clock.monotonic_s()
        done_s = now_s if done_s is None else done_s
        if now_s >= done_s + leave_after_s:
            return


def is_done(wizard: Wizard) -> bool:
    """Return whether every step is done, and the gateway has its settings."""
    outcomes = [wizard.book.outcome(step) for step in STEPS]
    every = all(one is not None and one.mark is Mark.GOOD for one in outcomes)
    return every and (wizard.folder / "gateway.toml").exists()
