"""What was found of one link, and how many are looked at side by side without waiting for long."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kwartier.errors import KwartierError
from kwartier.units import EpochS

DAY_S = 86_400
PATIENCE_S = 3.0
"""How long one link may take to answer [s]."""
_MARGIN_S = 0.5


class State(StrEnum):
    """How a link is."""

    GOOD = "good"
    LOOK = "look"
    """It works, and somebody should look today."""
    BROKEN = "broken"
    """It does not work."""
    NONE = "none"
    """It is not set up here, so there is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One link.

    Attributes:
        link: Its name, such as ``broker``.
        state: How it is.
        what: What was seen, without names, readings or secrets.
        do: What to do; empty where nothing needs to be done.
        since_s: Since when it is so [s]; None where that cannot be known.
    """

    link: str
    state: State
    what: str
    do: str = ""
    since_s: EpochS | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """How to look at one link.

    Attributes:
        link: Its name.
        look: Looks, and takes at most ``PATIENCE_S`` where it asks somebody.
        do: What to do where it cannot even be looked at.
    """

    link: str
    look: Callable[[], Finding]
    do: str


def examined(checks: Sequence[Check], patience_s: float = PATIENCE_S) -> list[Finding]:
    """Look at all links at once, and return what was found in the order of the checks.

    One that hangs, as on a name server that does not answer, is called broken and left behind.
    """
    found: dict[int, Finding] = {}

    def look(place: int, check: Check) -> None:
        found[place] = _found(check)

    threads = [
        threading.Thread(target=look, args=(place, check), daemon=True)
        for place, check in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + patience_s + _MARGIN_S
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    late = f"did not answer within {patience_s:g} s"
    return [
        found.get(place) or Finding(check.link, State.BROKEN, late, check.do)
        for place, check in enumerate(checks)
    ]


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state found."""
    order = [State.BROKEN, State.LOOK, State.GOOD]
    states = {one.state for one in findings}
    return next((state for state in order if state in states), State.NONE)


def _found(check: Check) -> Finding:
    try:
        return check.look()
    except (KwartierError, OSError, sqlite3.Error, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Finding(check.link, State.BROKEN, why, check.do)
