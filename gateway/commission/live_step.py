"""Step 5: does the server get everything, and does a battery let go by itself?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from gateway.commission.book import Step
from gateway.commission.found import Found
from gateway.commission.link_watch import ACKNOWLEDGED_WITHIN_S, OUTAGE_S, LinkSeen
from gateway.commission.trial import Trial, try_steering
from gateway.commission.view import Act, Line, Tone, View
from gateway.steer.steering import Steering
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.packing import Json


class Trials:
    """What batteries did when they were told to charge a little."""

    def __init__(self, clock: Clock, kept: Mapping[str, Json] | None = None) -> None:
        """Begin with those of before a restart, as ``facts`` told them."""
        self._clock = clock
        self._stop = threading.Event()
        self._done = trials_of(kept or {})
        self._running: dict[str, threading.Thread] = {}

    def begin(self, name: str, steering: Callable[[], Steering | None]) -> None:
        """Try one battery, on a thread of its own; one at a time."""
        if any(thread.is_alive() for thread in self._running.values()):
            return
        self._done.pop(name, None)
        thread = threading.Thread(
            target=self._try, args=(name, steering), name="trial", daemon=True
        )
        self._running[name] = thread
        thread.start()

    def stop(self) -> None:
        """Break off what runs; set-points are released."""
        self._stop.set()
        for thread in self._running.values():
            thread.join()

    def of(self, name: str) -> Trial | None:
        """Return what came of one; None before its end."""
        return self._done.get(name)

    def runs(self, name: str) -> bool:
        """Return whether it is under way."""
        thread = self._running.get(name)
        return thread is not None and thread.is_alive()

    def facts(self) -> dict[str, Json]:
        """Return what came of all, for the record."""
        return {
            name: {
                "obeyed": one.obeyed,
                "reverted": one.reverted,
                "after_s": None if one.after_s is None else round(one.after_s),
            }
            for name, one in self._done.items()
        }

    def _try(self, name: str, find: Callable[[], Steering | None]) -> None:
        try:
            steering = find()
        except KwartierError as error:
            self._done[name] = Trial.failed(error)
            return
        if steering is None:
            self._done[name] = Trial.failed("nothing says how it is steered")
            return
        self._done[name] = try_steering(steering, self._clock, self._stop)


def trials_of(facts: Mapping[str, Json]) -> dict[str, Trial]:
    """Return the trials of a record."""
    found = {}
    for name, one in facts.items():
        if isinstance(one, dict):
            after = one.get("after_s")
            obeyed, reverted = one.get("obeyed") is True, one.get("reverted") is True
            after_s = float(after) if isinstance(after, int) else None
            found[name] = Trial(obeyed, reverted, after_s, "")
    return found


def passed(link: LinkSeen | None, trials: Trials, batteries: Sequence[Found]) -> bool:
    """Return whether the live test passed."""
    tried = [trials.of(battery.name) for battery in batteries]
    every = all(one is not None and one.passed for one in tried)
    return every and link is not None and link.passed


def view(link: LinkSeen | None, trials: Trials, batteries: Sequence[Found]) -> View:
    """Return how it stands."""
    lines = [*_link_lines(link), *(_trial_line(trials, one) for one in batteries)]
    acts: list[Act] = []
    if passed(link, trials, batteries):
        go_on = Act("next", "act.next", second=False)
        return View(Step.LIVE, "live.good", {}, Tone.GOOD, tuple(lines), (go_on,), moving=True)
    untried = [
        one
        for one in batteries
        if not trials.runs(one.name)
        and ((tried := trials.of(one.name)) is None or not tried.passed)
    ]
    acts += [
        Act(f"trial:{one.name}", "act.trial", {"device": one.name}, second=False) for one in untried
    ]
    acts.append(Act("later", "act.later", second=bool(untried)))
    if link is None:
        key = "live.not-enrolled"
    elif not link.up and link.acknowledged_after_s is None:
        key = "live.no-link"
    elif link.acknowledged_after_s is None:
        key = "live.sample"
    elif link.outage_s is None or link.outage_s < OUTAGE_S:
        key = "live.unplug" if link.up else "live.unplugged"
    elif link.acknowledged_after_s >= ACKNOWLEDGED_WITHIN_S:
        key = "live.slow"
    else:
        key = "live.battery"
    away = 0 if link is None else int(link.away_s)
    facts = {"seconds": away, "of": int(OUTAGE_S)}
    tone = Tone.STOP if key in {"live.unplug", "live.slow", "live.battery"} else Tone.WAIT
    return View(Step.LIVE, key, facts, tone, tuple(lines), tuple(acts), moving=True)


def facts(link: LinkSeen | None, trials: Trials) -> dict[str, Json]:
    """Return what was measured, for the record."""
    after = None if link is None else link.acknowledged_after_s
    outage = None if link is None else link.outage_s
    return {
        "acknowledged_after_s": None if after is None else round(after, 1),
        "outage_s": None if outage is None else round(outage),
        "batteries": trials.facts(),
    }


def _link_lines(link: LinkSeen | None) -> list[Line]:
    if link is None:
        return [Line("link.none", {}, Tone.WAIT)]
    lines = [Line("link.up", {}, Tone.GOOD) if link.up else Line("link.away", {}, Tone.WAIT)]
    after, outage = link.acknowledged_after_s, link.outage_s
    if after is not None:
        fast = after < ACKNOWLEDGED_WITHIN_S
        tone = Tone.GOOD if fast else Tone.STOP
        lines.append(Line("link.acknowledged", {"seconds": round(after)}, tone))
    if outage is not None:
        tone = Tone.GOOD if outage >= OUTAGE_S else Tone.STOP
        lines.append(Line("link.outage", {"seconds": round(outage)}, tone))
    return lines


def _trial_line(trials: Trials, battery: Found) -> Line:
    one = trials.of(battery.name)
    if trials.runs(battery.name):
        return Line("trial.running", {"device": battery.name}, Tone.WAIT)
    if one is None:
        return Line("trial.todo", {"device": battery.name}, Tone.STOP)
    if one.passed:
        after = None if one.after_s is None else round(one.after_s)
        return Line("trial.good", {"device": battery.name, "seconds": after}, Tone.GOOD)
    word = "trial.held" if one.obeyed else "trial.refused"
    return Line(word, {"device": battery.name}, Tone.STOP)
