"""From the record to answers: what homes used and the sun made, what the street does now."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from collectors.disclosure import (
    MIN_BATTERY_HOMES,
    MIN_HOMES,
    PUBLIC,
    Disclosure,
    Reader,
    grown,
)
from collectors.happenings import Happening, happenings
from collectors.home_batteries import has_batteries_apart, homes_with_battery
from collectors.home_quarters import Energies, HomeQuarter, home_quarters
from collectors.store import DeviceKey, Store
from collectors.told import Telling, ToldSum
from kwartier.clock import Clock
from kwartier.identity import GatewayId
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Community
from kwartier.units import EpochS, Wh

ANSWER_AGE_S = 15.0
"""How old an answer may be before the store is asked again [s]."""
RECENT_S = 2 * 3600
"""Quarters older than this change seldom: only what gateways bring after an outage [s]."""
OLD_AGE_S = 300.0
"""How old an answer about those may be [s]."""
GRACE_S = 300
"""How long a quarter waits for the last home before its sum is told without it [s]."""
_NAMES = ("import_wh", "export_wh", "produced_wh", "charged_wh", "discharged_wh")
_KEPT_PERIODS = 16
_KEPT_OLD = 2


@dataclass(frozen=True, slots=True)
class SumQuarter:
    """The neighbourhood in one quarter-hour, over enough homes to hide each of them.

    What shows use is None for a reader who may not know it yet.

    Attributes:
        start_s: The quarter's start [s].
        homes: How many homes the sums cover.
        import_wh: Taken from the grid by homes [Wh].
        export_wh: Given to the grid by homes [Wh].
        solar_wh: Made on their roofs [Wh].
        use_wh: Used by them [Wh].
        shared_wh: What neighbours and the battery gave to them [Wh]; None also until settled.
        charged_wh: Taken in by the shared batteries, and by those of homes where enough homes
            have one and the reader may know use [Wh]; None when it is missing.
        discharged_wh: Given back by them [Wh]; None when it is missing.
        estimated: How many of the homes are estimated in part.
    """

    start_s: EpochS
    homes: int
    import_wh: Wh | None
    export_wh: Wh | None
    solar_wh: Wh
    use_wh: Wh | None
    shared_wh: Wh | None
    charged_wh: Wh | None
    discharged_wh: Wh | None
    estimated: int


@dataclass(frozen=True, slots=True)
class BatteryQuarter:
    """The shared batteries together in one quarter-hour [Wh]; None where one is missing."""

    start_s: EpochS
    charged_wh: Wh | None
    discharged_wh: Wh | None


@dataclass(frozen=True, slots=True)
class Period:
    """All that is known of ``[start_s, end_s)``, home by home; never shown as it is.

    Attributes:
        start_s: The first instant [s].
        end_s: The first instant after it [s].
        homes: Each home's known quarters, by its id and the quarter's start.
        batteries: The shared batteries by the quarter's start.
    """

    start_s: EpochS
    end_s: EpochS
    homes: Mapping[str, Mapping[EpochS, HomeQuarter]]
    batteries: Mapping[EpochS, BatteryQuarter]


class Records:
    """Answers from the store, each at most some seconds old; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        community: Community,
        clock: Clock,
        disclosure: Disclosure | None = None,
    ) -> None:
        """Answer for one neighbourhood."""
        self._store = store
        self._community = community
        self._clock = clock
        self._disclosure = Disclosure() if disclosure is None else disclosure
        self._lock = threading.Lock()
        self._periods: dict[tuple[EpochS, EpochS], tuple[float, Period]] = {}
        self._old: dict[tuple[EpochS, EpochS], tuple[float, Energies]] = {}

    def period(self, start_s: EpochS, end_s: EpochS) -> Period:
        """Return all that is known of a period; for settling, and for a home's own page."""
        asked_at = self._clock.monotonic_s()
        with self._lock:
            kept = self._periods.get((start_s, end_s))
            if kept is not None and asked_at - kept[0] < ANSWER_AGE_S:
                return kept[1]
            period = self._read(start_s, end_s)
            self._periods[start_s, end_s] = (asked_at, period)
            while len(self._periods) > _KEPT_PERIODS:
                del self._periods[next(iter(self._periods))]
            return period

    def read_once(self, start_s: EpochS, end_s: EpochS) -> Period:
        """Return the same, read now and remembered by nobody: for who reads weeks piece by piece.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        return self._period(start_s, end_s, self._energies(start_s, end_s))

    def home(self, connection: str, start_s: EpochS, end_s: EpochS) -> list[HomeQuarter]:
        """Return one home's known quarters in order of time; its owner alone may see them."""
        known = self.period(start_s, end_s).homes[connection]
        return [known[at_s] for at_s in sorted(known)]

    def sums(self, start_s: EpochS, end_s: EpochS, reader: Reader = PUBLIC) -> list[SumQuarter]:
        """Return the neighbourhood's quarters that a reader may be told, in order of time.

        Raises:
            StoreBusyError: The record, or what was told before, cannot be reached now.
        """
        now_s = self._clock.now_s()
        told = self.told(start_s, end_s)
        batteries = self._batteries(start_s, end_s) if told else {}
        shown = []
        for one in told:
            if reader.may_know(one.homes):
                use, shared = reader.may_know_use(_end_s(one), now_s), batteries.get(one.start_s)
                shown.append(_shown(one, self._with_homes(shared, one) if use else shared, use=use))
        return shown

    def told(self, start_s: EpochS, end_s: EpochS) -> list[ToldSum]:
        """Return what is told of the quarters that are over, for whom it is meant or not."""
        now_s = self._clock.now_s()
        ended_s = min(end_s, Quarter.containing(now_s).start_s)
        standing = self._disclosure.standing(start_s, ended_s)
        everybody = len(self._community.connections)
        waiting = [
            at_s
            for at_s in range(start_s, ended_s, QUARTER_S)
            if at_s not in standing or everybody - len(standing[at_s].homes) >= MIN_HOMES
        ]
        if waiting and everybody >= MIN_HOMES:
            period = self.period(start_s, end_s)
            found = (self._telling(period, at_s, standing.get(at_s), now_s) for at_s in waiting)
            standing |= self._disclosure.tell([one for one in found if one is not None], now_s)
        return [standing[at_s] for at_s in sorted(standing)]

    def tell_shared(self, shared_wh: Mapping[EpochS, Wh], homes: frozenset[str]) -> None:
        """Add what sharing brought to quarters that were told over just these homes.

        Raises:
            StoreBusyError: What was told cannot be read now.
        """
        self._disclosure.tell_shared(shared_wh, homes)

    def live_homes(self, heard: AbstractSet[str]) -> frozenset[str] | None:
        """Return the homes that power now may cover, or None to withhold it.

        Raises:
            StoreBusyError: What was told cannot be read now.
        """
        having = homes_with_battery(self._community, heard)
        return self._disclosure.live_homes(self._clock.now_s(), heard, having)

    def happenings(self, gateways: Collection[GatewayId]) -> list[Happening]:
        """Return what happened on some gateways of late, newest first.

        Raises:
            StoreBusyError: The record cannot be reached now.
        """
        return happenings(self._store, gateways, int(self._clock.now_s()))

    def _telling(
        self, period: Period, start_s: EpochS, before: ToldSum | None, now_s: float
    ) -> Telling | None:
        quarters = {
            name: known[start_s] for name, known in period.homes.items() if start_s in known
        }
        if len(quarters) < MIN_HOMES:
            return None
        having = homes_with_battery(self._community, quarters.keys())
        if before is not None:
            if not self._may_be_told_anew(before, quarters.keys(), having):
                return None
            return Telling(self._summed(period, start_s, frozenset(quarters)), before.homes)
        whole = sum(one.is_use_known for one in quarters.values())
        if whole < len(period.homes) and now_s < start_s + QUARTER_S + GRACE_S:
            return None
        homes = self._disclosure.homes_for(start_s, quarters.keys(), now_s, having)
        return None if homes is None else Telling(self._summed(period, start_s, homes))

    def _may_be_told_anew(
        self, before: ToldSum, known: AbstractSet[str], having: AbstractSet[str]
    ) -> bool:
        """Return whether so many homes came in that no difference of two sums shows one of them.

        Where batteries may have been told apart, one that spoke late would show by what it did:
        then enough new batteries must hide it.
        """
        if not grown(before.homes, known, having):
            return False
        no_new = not having - before.homes
        return not (no_new and has_batteries_apart(self._community, before.homes))

    def _summed(self, period: Period, start_s: EpochS, names: frozenset[str]) -> ToldSum:
        """Return sums over some homes; what a battery did that was not told counts as use."""
        homes = [period.homes[name][start_s] for name in names]
        having = homes_with_battery(self._community, names)
        apart = (
            sum(period.homes[name][start_s].is_use_known for name in having) >= MIN_BATTERY_HOMES
        )
        return ToldSum(
            start_s,
            names,
            sum(home.import_wh for home in homes),
            sum(home.export_wh for home in homes),
            sum(home.solar_wh for home in homes),
            sum(home.use_wh if apart else home.use_and_battery_wh for home in homes),
            sum(home.estimated for home in homes),
        )

    def _with_homes(self, shared: BatteryQuarter | None, told: ToldSum) -> BatteryQuarter | None:
        """Return the shared batteries with those of the homes of a sum, where that may be told.

        What those did is what the sum does not tell elsewhere. So it stays as it was told,
        whatever the record says later, and the quarter balances.
        """
        if not has_batteries_apart(self._community, told.homes):
            return shared
        if shared is None and not self._community.batteries:
            shared = BatteryQuarter(told.start_s, 0, 0)
        if shared is None or shared.charged_wh is None or shared.discharged_wh is None:
            return None
        kept_wh = told.import_wh + told.solar_wh - told.export_wh - told.use_wh
        return BatteryQuarter(
            told.start_s,
            shared.charged_wh + max(0, kept_wh),
            shared.discharged_wh + max(0, -kept_wh),
        )

    def _batteries(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, BatteryQuarter]:
        """Return the batteries' quarters, without reading the homes again where that can be."""
        with self._lock:
            kept = self._periods.get((start_s, end_s))
            if kept is not None and self._clock.monotonic_s() - kept[0] < ANSWER_AGE_S:
                return kept[1].batteries
        keys = [
            DeviceKey(battery.gateway, battery.device)
            for battery in self._community.batteries.values()
        ]
        return self._battery_quarters(self._energies(start_s, end_s, keys)) if keys else {}

    def _old_energies(self, start_s: EpochS, end_s: EpochS) -> Energies:
        """Return what is known of quarters that seldom change; minutes old at most."""
        asked_at = self._clock.monotonic_s()
        kept = self._old.get((start_s, end_s))
        if kept is None or asked_at - kept[0] >= OLD_AGE_S:
            kept = asked_at, self._energies(start_s, end_s)
            self._old = {key: one for key, one in self._old.items() if key[0] != start_s}
            self._old[start_s, end_s] = kept
            while len(self._old) > _KEPT_OLD:
                del self._old[next(iter(self._old))]
        return kept[1]

    def _energies(
        self, start_s: EpochS, end_s: EpochS, keys: list[DeviceKey] | None = None
    ) -> Energies:
        energies: Energies = {}
        for energy in self._store.quarters(_NAMES, start_s, end_s, keys):
            if energy.energy_wh is not None:
                energies.setdefault((energy.key, energy.name), {})[energy.start_s] = energy
        return energies

    def _read(self, start_s: EpochS, end_s: EpochS) -> Period:
        recent_s = Quarter.containing(self._clock.now_s()).start_s - RECENT_S
        if start_s < recent_s < end_s:
            energies = _together(
                self._old_energies(start_s, recent_s), self._energies(recent_s, end_s)
            )
        else:
            energies = self._energies(start_s, end_s)
        return self._period(start_s, end_s, energies)

    def _period(self, start_s: EpochS, end_s: EpochS, energies: Energies) -> Period:
        batteries = self._community.batteries_by_home()
        homes = {
            name: home_quarters(connection, batteries.get(name, ()), energies)
            for name, connection in self._community.connections.items()
        }
        return Period(start_s, end_s, homes, self._battery_quarters(energies))

    def _battery_quarters(self, energies: Energies) -> dict[EpochS, BatteryQuarter]:
        keys = [
            DeviceKey(battery.gateway, battery.device)
            for battery in self._community.batteries.values()
        ]
        starts = {at_s for key in keys for at_s in energies.get((key, "charged_wh"), {})}
        return {
            at_s: BatteryQuarter(
                at_s,
                _sum_or_none(keys, "charged_wh", at_s, energies),
                _sum_or_none(keys, "discharged_wh", at_s, energies),
            )
            for at_s in starts
        }


def _together(old: Energies, recent: Energies) -> Energies:
    return {
        series: {**old.get(series, {}), **recent.get(series, {})} for series in {**old, **recent}
    }


def _end_s(told: ToldSum) -> EpochS:
    return told.start_s + QUARTER_S


def _shown(told: ToldSum, battery: BatteryQuarter | None, *, use: bool) -> SumQuarter:
    """Return told sums as one reader may see them: the only place where use is left out."""
    return SumQuarter(
        told.start_s,
        len(told.homes),
        told.import_wh if use else None,
        told.export_wh if use else None,
        told.solar_wh,
        told.use_wh if use else None,
        told.shared_wh if use else None,
        None if battery is None else battery.charged_wh,
        None if battery is None else battery.discharged_wh,
        told.estimated,
    )


def _sum_or_none(keys: list[DeviceKey], name: str, at_s: EpochS, energies: Energies) -> Wh | None:
    total = 0
    for key in keys:
        energy = energies.get((key, name), {}).get(at_s)
        if energy is None or energy.energy_wh is None:
            return None
        total += energy.energy_wh
    return total
