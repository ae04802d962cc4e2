"""The quarter-hour loop: look back, look ahead, plan the batteries, and tell their gateways."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from api.forecasts.keeper import DAYS_BACK, Forecasts
from api.history import History
from api.plan_check import refused_plan, refused_prices
from api.planned.kept import LastPlan, Planned
from api.plans import NeighbourhoodPlan, PlanBlock, PlanBook, PlannedQuarter
from api.price_book import PriceBook
from api.retail import Retail, planned_battery
from collectors.queries import Records
from collectors.store import DeviceKey, Store
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import KwartierError, LinkDownError
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Battery as SharedBattery
from kwartier.model import Community
from kwartier.reading import AfterPlan, Schedule, Step
from kwartier.schedule import encode_schedule
from kwartier.wire import Address, Lane
from optimizer.dispatch import plan
from optimizer.plan import Action, Plan
from optimizer.problem import FloatArray, Grid, Home, Problem, problem_of

_log = logging.getLogger(__name__)

HORIZON = 144
"""How far a plan looks: a day and a half of quarters."""
SENT = 96
"""How much of it is sent: a day, so that a gateway can go on alone through an outage."""
_SOC_AGE_S = 1800
_COMMAND_EXPIRY_S = 900
_PATIENCE_S = 5.0
_RETRY_S = 5.0
_LOOK_S = 1.0
_WORTH_QUANTILE = 0.35
"""What is left at the end is worth what a kWh costs in the cheaper third of the horizon: so it is
neither thrown away on the last evening nor bought for an end that never comes."""


class Planner:
    """Plans for one neighbourhood; one plan a quarter-hour, the last good one stays in force."""

    def __init__(
        self,
        community: Community,
        store: Store,
        records: Records,
        prices: PriceBook,
        book: PlanBook,
        bus: Bus,
        clock: Clock,
        retail: Retail | None = None,
        *,
        make: Callable[[Problem], Plan] | None = None,
        kept: LastPlan | None = None,
        forecasts: Forecasts | None = None,
    ) -> None:
        """Hand it everything; nothing happens before ``start`` or ``plan_now``.

        Args:
            community: Whose batteries.
            store: What they said last.
            records: What was used and made before.
            prices: The market's.
            book: Remembers what was planned.
            bus: Where plans are sent.
            clock: What time it is.
            retail: What comes on top of the market's prices.
            make: Makes a plan; the cheapest one where none is given.
            kept: Remembers the newest plan for who asks about it.
            forecasts: Says what to expect; from the records alone where none is given.
        """
        self._community = community
        self._store = store
        self._forecasts = forecasts or Forecasts(History(records, DAYS_BACK))
        self._prices = prices
        self._book = book
        self._bus = bus
        self._clock = clock
        self._retail = retail or Retail()
        self._make = make or _cheapest
        self._kept = kept or LastPlan()
        self._silent: str | None = None
        self._unsent: dict[str, bytes] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Plan at the start of every quarter-hour on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="planner", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Plan no more; what was sent goes on until its leases end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def plan_now(self) -> NeighbourhoodPlan | None:
        """Make, keep and send the plan from the present quarter on.

        Returns:
            The plan; None when nothing is known yet that a plan could stand on, or when prices or
            plan do not bear a second look. What was sent before goes on then.

        Raises:
            StoreBusyError: The record or the plan book cannot be reached now.
        """
        now_s = self._clock.now_s()
        start = Quarter.containing(now_s)
        stored_kwh = self._stored_kwh(now_s)
        if stored_kwh is None:
            self._no_plan("a battery's state of charge is not known")
            return None
        use, made = self._forecasts.ahead(start, HORIZON, now_s)
        load_kw, pv_kw = use.likely, made.likely
        if np.isnan(load_kw).any() or np.isnan(pv_kw).any():
            self._no_plan("there is no day of readings to look back on yet")
            return None
        market = self._prices.over(start, HORIZON, now_s).eur_per_kwh
        why_not = refused_prices(market)
        if why_not is not None:
            self._no_plan(why_not)
            return None
        problem = self._problem(market, load_kw, pv_kw, stored_kwh, batteries=True)
        found = self._make(problem)
        without = _cheapest(self._problem(market, load_kw, pv_kw, stored_kwh, batteries=False))
        why_not = refused_plan(problem, found, without)
        if why_not is not None:
            self._no_plan(why_not)
            return None
        told = self._told(start, int(now_s), market, (load_kw, pv_kw), found, without.cost_eur)
        self._book.keep(told)
        self._kept.keep(Planned(told.name, start.start_s, problem, found))
        self._send(start, told.name, found)
        if self._silent is not None:
            _log.warning("there is a plan again")
            self._silent = None
        return told

    def _no_plan(self, why: str) -> None:
        """Say why there is no plan, once as long as the reason stays the same."""
        if why != self._silent:
            _log.warning("no plan: %s", why)
        self._silent = why

    def _problem(
        self,
        market: FloatArray,
        load_kw: FloatArray,
        pv_kw: FloatArray,
        stored_kwh: dict[str, float],
        *,
        batteries: bool,
    ) -> Problem:
        buy = market + self._retail.buy_extra_eur_per_kwh
        sell = market - self._retail.sell_less_eur_per_kwh
        worth = max(0.0, float(np.quantile(buy, _WORTH_QUANTILE)))
        shared = self._community.batteries.values() if batteries else ()
        return problem_of(
            0.25,
            buy,
            sell,
            [Home("homes", load_kw, pv_kw)],
            [
                planned_battery(battery, stored_kwh[battery.id], worth_eur_per_kwh=worth)
                for battery in shared
            ],
            Grid(
                _kw(self._community.import_limit_w),
                _kw(self._community.export_limit_w),
            ),
            exclusive=True,  # at negative prices it would pay to burn energy in the battery
        )

    def _stored_kwh(self, now_s: float) -> dict[str, float] | None:
        """Return what is stored in each battery now [kWh]; None when one of them is silent."""
        keys = {
            DeviceKey(battery.gateway, battery.device): battery
            for battery in self._community.batteries.values()
        }
        stored: dict[str, float] = {}
        for latest in self._store.latest(list(keys)):
            if latest.name == "soc_permille" and latest.at_s >= now_s - _SOC_AGE_S:
                battery = keys[latest.key]
                stored[battery.id] = battery.capacity_wh * latest.value / 1_000_000
        return stored if len(stored) == len(keys) else None

    def _told(
        self,
        start: Quarter,
        made_s: int,
        market: FloatArray,
        powers: tuple[FloatArray, FloatArray],
        found: Plan,
        without_eur: float,
    ) -> NeighbourhoodPlan:
        """Return the plan as people see it."""
        load_kw, pv_kw = powers
        capacity_kwh = sum(one.capacity_wh for one in self._community.batteries.values()) / 1000
        battery_kw = (found.charge_kw - found.discharge_kw).sum(axis=0)
        stored_kwh = found.soc_kwh.sum(axis=0)
        quarters = tuple(
            PlannedQuarter(
                start.start_s + place * QUARTER_S,
                round(float(pv_kw[place]) * 250),
                round(float(load_kw[place]) * 250),
                round(float(battery_kw[place]) * 1000),
                round(1000 * float(stored_kwh[place]) / capacity_kwh) if capacity_kwh else 0,
                float(market[place]),
            )
            for place in range(HORIZON)
        )
        blocks = tuple(
            PlanBlock(
                start.start_s + reason.first * QUARTER_S,
                start.start_s + (reason.last + 1) * QUARTER_S,
                reason.battery,
                "idle" if reason.action is Action.HOLD else reason.action.value,
                reason.because.value,
                reason.text_nl,
                reason.text_en,
            )
            for reason in found.reasons
        )
        name = f"plan-{start.start_s}"
        return NeighbourhoodPlan(
            name, made_s, found.status.value, quarters, blocks, found.cost_eur, without_eur
        )

    def _send(self, start: Quarter, name: str, found: Plan) -> None:
        """Send each battery its day of set-points; a battery that is not reached falls back."""
        batteries: Sequence[SharedBattery] = list(self._community.batteries.values())
        self._unsent.clear()
        for row, battery in enumerate(batteries):
            number = self._book.next_command(int(self._clock.now_s()))
            steps = _steps(start, found, row, at_meter=battery.follows_meter)
            schedule = Schedule(battery.device, number, name, steps, AfterPlan.NEUTRAL)
            address = Address(self._community.coop, battery.gateway, Lane.COMMAND, battery.device)
            self._unsent[address.topic] = encode_schedule(schedule)
        try:
            self._send_rest()
        except LinkDownError as error:
            _log.warning("the plan is not sent yet: %s", error)

    def _send_rest(self) -> None:
        """Send what the newest plan has not handed to the broker yet.

        Raises:
            LinkDownError: There is still no link; try again.
        """
        for topic in list(self._unsent):
            self._bus.publish(topic, self._unsent[topic], expiry_s=_COMMAND_EXPIRY_S)
            del self._unsent[topic]

    def _send_when_linked(self) -> None:
        """Send the rest of a plan in force once the link is back."""
        if self._unsent:
            with suppress(LinkDownError):
                self._send_rest()
                _log.warning("the plan is sent now")

    def _run(self) -> None:
        planned: Quarter | None = None
        while not self._stopping.is_set():
            now = Quarter.containing(self._clock.now_s())
            if now != planned:
                try:
                    if self.plan_now() is not None:
                        planned = now
                except KwartierError as error:
                    self._no_plan(str(error))
            self._send_when_linked()
            self._stopping.wait(_LOOK_S if planned == now else _RETRY_S)


def _cheapest(problem: Problem) -> Plan:
    return plan(problem, time_limit_s=_PATIENCE_S)


def _steps(start: Quarter, found: Plan, row: int, *, at_meter: bool) -> tuple[Step, ...]:
    """Return a battery's day; a quarter without work for it is none to follow the meter in.

    The homes never use what was expected, so a battery at the neighbourhood's meter is told what
    should pass there. Where the plan has it rest, nothing is gained by making up for others.
    """
    powers_w = np.rint(1000 * (found.charge_kw[row] - found.discharge_kw[row])[:SENT])
    exchange_w = np.rint(1000 * (found.import_kw - found.export_kw)[:SENT])
    return tuple(
        Step(
            start.start_s + place * QUARTER_S,
            int(power_w),
            QUARTER_S,
            int(grid_w) if at_meter and power_w else None,
        )
        for place, (power_w, grid_w) in enumerate(zip(powers_w, exchange_w, strict=True))
    )


def _kw(limit_w: int | None) -> float:
    return float("inf") if limit_w is None else limit_w / 1000
