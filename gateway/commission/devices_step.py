"""Step 3: the inverters and batteries of the home."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from gateway.commission.book import Step
from gateway.commission.found import Found
from gateway.commission.view import Act, Line, Tone, View


class Search(StrEnum):
    """How the search stands."""

    NOT_YET = "not-yet"
    RUNS = "runs"
    OVER = "over"


def view(devices: Sequence[Found], searched: tuple[int, int], state: Search) -> View:
    """Return how the search stands.

    Args:
        devices: What was found.
        searched: How many places were asked, of how many.
        state: Whether it runs.
    """
    lines = tuple(
        Line(
            f"device.{one.kind.value}",
            {
                "device": one.name,
                "make": one.make or "?",
                "model": one.model,
                "serial": one.serial4 or "?",
                "unit": one.unit,
            },
            Tone.GOOD,
        )
        for one in devices
    ) + tuple(
        Line(f"profile.{one.status}", {"device": one.name, "requires": one.requires})
        for one in devices
        if one.profile
    )
    go_on = Act("next", "act.next", second=False)
    without = Act("later", "act.without")
    again = Act("search", "act.search-again" if lines else "act.search", second=bool(lines))
    if state is Search.RUNS:
        done, every = searched
        facts = {"done": done, "all": every}
        return View(Step.DEVICES, "devices.searching", facts, Tone.WAIT, lines, (), moving=True)
    if lines:
        facts = {"count": len(devices)}
        return View(Step.DEVICES, "devices.found", facts, Tone.GOOD, lines, (go_on, again))
    if state is Search.NOT_YET:
        return View(Step.DEVICES, "devices.begin", {}, Tone.STOP, (), (again, without))
    return View(Step.DEVICES, "devices.none", {}, Tone.STOP, (), (again, without))
