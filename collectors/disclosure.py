"""Who may be told which sums, so that no sum and no pair of sums shows one home.

Four attacks are met.

*A sum over few homes* shows them: a sum covers at least ``MIN_HOMES``, and whoever lives in one of
them can take that one off and still looks at ``MIN_OTHERS`` others together.

*Two sums of one quarter that differ by few homes* show those: the sums of a quarter are told once
and then stay as they were told, also after a restart and by every process. Only when at least
``MIN_HOMES`` more homes have come in are they told anew, over all of these.

*Power now, added up over a quarter-hour*, is a sum of that quarter as well: in one quarter-hour it
covers one set of homes, and the quarter's sums cover the same set. When a home falls silent or
comes back, power is withheld for a whole quarter-hour, so that no two values in a row differ by it.

*Use of this moment* shows who is at home: whoever does not live here gets it a day later.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from collectors.told import REMEMBERED_S, Telling, Told, ToldInMemory, ToldSum
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS, Wh

_log = logging.getLogger(__name__)

MIN_HOMES = 5
"""The fewest homes a sum may cover, and the fewest by which two sums of one quarter may differ."""
MIN_BATTERY_HOMES = MIN_HOMES + 1
"""The fewest homes with a battery whose batteries are told of together: who has one of them still
looks at `MIN_HOMES` others. Two sums that tell them differ by none of them, or by so many."""
MIN_OTHERS = MIN_HOMES - 1
"""The fewest homes beside the reader's own that a sum may cover."""
DELAY_S = 86_400
"""How long use is withheld from whoever does not live here [s]."""
FORECAST_STEP_WH = 250
"""Expected use is told in steps of this size [Wh]: one day of history is what that day was."""
KEPT_QUARTERS = 40_000
"""How many quarters are kept in this process: more than a year."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for sums.

    Attributes:
        inside: Whether they live here now, or serve on the board.
        homes: The homes whose values they can take off a sum.
    """

    inside: bool = False
    homes: frozenset[str] = frozenset()

    def may_know_use(self, ended_s: float, now_s: float) -> bool:
        """Return whether they may know what was used up to an instant [s]; the one delay."""
        return self.inside or ended_s + DELAY_S <= now_s

    def may_know(self, homes: AbstractSet[str]) -> bool:
        """Return whether a sum over some homes hides each of them from this reader."""
        return len(homes) >= MIN_HOMES and len(homes - self.homes) >= MIN_OTHERS


PUBLIC = Reader()
"""Somebody who is not logged in."""


class Disclosure:
    """Decides over which homes sums are told, and remembers it; safe to share between threads."""

    def __init__(self, told: Told | None = None) -> None:
        """Remember in ``told``; in this process only when it is None."""
        self._told = ToldInMemory() if told is None else told
        self._lock = threading.Lock()
        self._silent = False
        self._sums: OrderedDict[EpochS, ToldSum] = OrderedDict()
        self._live: OrderedDict[EpochS, frozenset[str]] = OrderedDict()

    def standing(self, start_s: EpochS, end_s: EpochS) -> dict[EpochS, ToldSum]:
        """Return what was told of the quarters of ``[start_s, end_s)``.

        Raises:
            StoreBusyError: What was told cannot be read now, so nothing may be told.
        """
        starts = range(start_s, end_s, QUARTER_S)
        with self._lock:
            unknown = [at_s for at_s in starts if at_s not in self._sums]
            # What was shared may be settled meanwhile, by this process or by another one.
            unknown += [at_s for at_s in starts if _is_open(self._sums.get(at_s))]
        if unknown:
            self._take(self._told.sums(min(unknown), max(unknown) + QUARTER_S))
        with self._lock:
            return {at_s: self._sums[at_s] for at_s in starts if at_s in self._sums}

    def homes_for(
        self,
        start_s: EpochS,
        known: AbstractSet[str],
        now_s: float,
        with_battery: AbstractSet[str] = frozenset(),
    ) -> frozenset[str] | None:
        """Return the homes over which a quarter may be told for the first time, or None.

        Args:
            start_s: The quarter [s]; it is over.
            known: The homes whose energy in that quarter is known now.
            now_s: What time it is [s].
            with_battery: The homes that have a battery of their own.
        """
        if start_s < now_s - REMEMBERED_S:
            return None
        chosen = frozenset(known)
        live = self._live_of(start_s)
        if live:
            if not live <= chosen:
                return None
            if chosen != live and not grown(live, chosen, with_battery):
                chosen = live
        return chosen if len(chosen) >= MIN_HOMES else None

    def tell(self, tellings: Sequence[Telling], now_s: float) -> dict[EpochS, ToldSum]:
        """Remember sums, and return what is told of their quarters from now on.

        What cannot be remembered now, on a full disk for example, is not told.

        Raises:
            StoreBusyError: What was told cannot be read now.
        """
        if not tellings:
            return {}
        starts = [telling.sums.start_s for telling in tellings]
        if not self._kept(lambda: self._told.keep(tellings, now_s)):
            return {}
        told = self._told.sums(min(starts), max(starts) + QUARTER_S)
        self._take(told)
        return {at_s: told[at_s] for at_s in starts if at_s in told}

    def tell_shared(self, shared_wh: Mapping[EpochS, Wh], homes: frozenset[str]) -> None:
        """Remember what sharing brought in quarters, where they were told over just these homes."""
        if shared_wh and self._kept(lambda: self._told.keep_shared(shared_wh, homes)):
            self._take(self._told.sums(min(shared_wh), max(shared_wh) + QUARTER_S))

    def live_homes(
        self,
        now_s: float,
        heard: AbstractSet[str],
        with_battery: AbstractSet[str] = frozenset(),
    ) -> frozenset[str] | None:
        """Return the homes that power now covers in this quarter-hour, or None to withhold it.

        Args:
            now_s: What time it is [s].
            heard: The homes that were heard not long ago.
            with_battery: The homes that have a battery of their own.

        Raises:
            StoreBusyError: What was told cannot be read now.
        """
        start_s = Quarter.containing(now_s).start_s
        chosen = self._live_of(start_s)
        if chosen is None:
            wanted = self._wanted(start_s, frozenset(heard), with_battery)
            if wanted is None:
                return None
            if not self._kept(lambda: self._told.keep_live(start_s, wanted)):
                return None
            chosen = self._live_of(start_s)
        return chosen if chosen and chosen <= heard else None

    def _kept(self, keep: Callable[[], None]) -> bool:
        """Return whether something could be remembered; a line says when that goes or is back."""
        try:
            keep()
        except StoreBusyError as error:
            if not self._silent:
                _log.warning("sums are withheld, they cannot be remembered: %s", error)
            self._silent = True
            return False
        if self._silent:
            _log.warning("sums are told again")
        self._silent = False
        return True

    def _wanted(
        self, start_s: EpochS, heard: frozenset[str], with_battery: AbstractSet[str]
    ) -> frozenset[str] | None:
        """Return the set for a new quarter; empty where a pause must hide a change of few homes."""
        before = self._live_of(start_s - QUARTER_S)
        if before and before != heard and not grown(before, heard, with_battery):
            return frozenset()
        return heard if len(heard) >= MIN_HOMES else None

    def _live_of(self, start_s: EpochS) -> frozenset[str] | None:
        with self._lock:
            if start_s in self._live:
                return self._live[start_s]
        found = self._told.live(start_s, start_s + QUARTER_S)
        with self._lock:
            self._live.update(found)
            _trim(self._live)
            return self._live.get(start_s)

    def _take(self, told: Mapping[EpochS, ToldSum]) -> None:
        with self._lock:
            self._sums.update(told)
            _trim(self._sums)


def _is_open(told: ToldSum | None) -> bool:
    return told is not None and told.shared_wh is None


def _trim(kept: OrderedDict[EpochS, ToldSum] | OrderedDict[EpochS, frozenset[str]]) -> None:
    while len(kept) > KEPT_QUARTERS:
        kept.popitem(last=False)


def rounded_forecast(energy_wh: Wh) -> Wh:
    """Return expected use in steps that hide what one home did on the only day known [Wh]."""
    return (energy_wh + FORECAST_STEP_WH // 2) // FORECAST_STEP_WH * FORECAST_STEP_WH


def grown(
    before: AbstractSet[str],
    known: Iterable[str],
    with_battery: AbstractSet[str] = frozenset(),
) -> bool:
    """Return whether so many homes came in that sums over them and those before hide each.

    Where enough homes had a battery to tell those apart, one more among the new ones would show
    by what the two sums tell of batteries: so none of the new ones has one, or enough of them.
    """
    more = set(known) - before
    if not before <= set(known) or len(more) < MIN_HOMES:
        return False
    batteries = len(more & with_battery)
    return len(before & with_battery) < MIN_BATTERY_HOMES or not 0 < batteries < MIN_BATTERY_HOMES
