"""The quarter-hour loop: look back, look ahead, plan the batteries, and tell their gateways.

A plan is made when a quarter begins, and within one when what it was made from has changed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from api.forecasts.asked import DAYS_BACK
from api.forecasts.homes import HomeForecast
from api.forecasts.keeper import Forecasts
from api.history import History
from api.plan_check import refused_plan, refused_prices
from api.planned.kept import LastPlan, Planned
from api.planning.asked import HORIZON, Known, homes_over_fuse, problem_asked
from api.planning.calls import CallBook, PutCall
from api.planning.events import Charge, Foundation, Now
from api.planning.leave import RELEASED, Why, let_go, once_a_homes
from api.planning.month_peak import MonthPeak
from api.planning.parts import Parts
from api.planning.standing import Standing
from api.planning.steps import SENT, steps_told
from api.planning.street_file import StreetFile
from api.planning.told import HomesTold, homes_before, told
from api.plans import MadeBecause, NeighbourhoodPlan, PlanBook, ToldBattery
from api.price_book import PriceBook
from api.retail import Retail
from collectors.queries import Records
from collectors.store import DeviceKey, Store
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import KwartierError, LinkDownError
from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Battery, Community
from kwartier.reading import AfterPlan, Schedule, Step
from kwartier.schedule import encode_schedule
from kwartier.wire import Address, Lane
from optimizer.explain import reasons_of
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.rolling import Rolling

_log = logging.getLogger(__name__)

BETWEEN_S = 60.0
"""Between two plans within a quarter lies at least this [s], however much happens."""
_EVENTS_S = 10.0
"""How often it is looked for what happened [s]."""
_SOC_AGE_S = 1800
_COMMAND_EXPIRY_S = 900
_PATIENCE_S = 5.0
_RETRY_S = 5.0
_LOOK_S = 1.0


class Planner:
    """Plans for one neighbourhood: each quarter-hour and on events; the last good one stays."""

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
        calls: CallBook | None = None,
        street_file: Path | None = None,
        refusing: Callable[[], frozenset[str]] = frozenset,
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
            calls: Windows in which less is carried; none where there is no book.
            street_file: Where changed limits are read from; None for limits that never change.
            refusing: Returns the homes whose residents took leave back to steer their batteries.

        Raises:
            StoreBusyError: The plan book cannot be read now.
        """
        self._community = community
        self._store = store
        self._forecasts = forecasts or Forecasts(History(records, DAYS_BACK))
        self._prices = prices
        self._book = book
        self._bus = bus
        self._clock = clock
        self._retail = retail or Retail()
        self._rolling = Rolling(time_limit_s=_PATIENCE_S, stopwatch=time.perf_counter)
        self._make = make or self._cheapest
        self._kept = kept or LastPlan()
        self._calls = Standing(calls)
        before = book.told_batteries()
        stray = once_a_homes(community, before)
        for name in sorted(stray):
            _log.warning("battery %s is not planned: %s", name, Why.HOMELESS)
        self._street = StreetFile(community, street_file, refusing, without=stray)
        self._let_go_before: frozenset[ToldBattery] = frozenset()
        self._let_go_told: tuple[Quarter, frozenset[ToldBattery]] | None = None
        self._peak = MonthPeak(records)
        self._parts = Parts(community, records)
        now_s = clock.now_s()
        self._homes_told = HomesTold(
            homes_before(community, before, now_s), Quarter.containing(now_s).start_s
        )
        self._planning = threading.Lock()
        self._foundation: Foundation | None = None
        self._tried_s = self._looked_s = float("-inf")
        self._over_fuses: frozenset[str] = frozenset()
        self._silent: str | None = None
        self._unsent: dict[str, bytes] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Plan when it is due on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="planner", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Plan no more; what was sent goes on until its leases end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> NeighbourhoodPlan | None:
        """Make a plan where one is due: in a new quarter, or when something happened.

        Returns:
            The plan; None where none was due, or none could be made.

        Raises:
            StoreBusyError: The record or a book cannot be reached now.
        """
        if self._planned_quarter() != Quarter.containing(self._clock.now_s()):
            return self.plan_now()
        because = self._happened()
        return None if because is None else self.plan_now(because)

    def plan_now(self, because: MadeBecause = MadeBecause.QUARTER) -> NeighbourhoodPlan | None:
        """Make, keep and send the plan from the present quarter on.

        Args:
            because: Why it is made.

        Returns:
            The plan; None when nothing is known yet that a plan could stand on, or when prices or
            plan do not bear a second look. What was sent before goes on then.

        Raises:
            StoreBusyError: The record or the plan book cannot be reached now.
        """
        with self._planning:
            self._tried_s = self._clock.monotonic_s()
            return self._plan(because)

    def _plan(self, because: MadeBecause) -> NeighbourhoodPlan | None:
        now_s = self._clock.now_s()
        self._let_go()
        known = self._known(Quarter.containing(now_s), now_s)
        if known is None:
            return None
        problem = problem_asked(known, self._retail, batteries=True)
        found = self._make(problem)
        without = self._rolling.plan(problem_asked(known, self._retail, batteries=False))
        why_not = refused_plan(problem, found, without)
        if why_not is not None:
            self._no_plan(why_not)
            return None
        homes = self._homes_told.over(known.batteries_at.keys(), known.start.start_s)
        plan = told(known, found, int(now_s), without.cost_eur, because, homes)
        self._book.keep(plan)
        self._kept.keep(
            Planned(
                plan.name,
                known.start.start_s,
                problem,
                found,
                self._street.allowed(),
                self._street.refusing or frozenset(),
            )
        )
        self._send(known, plan.name, problem, found)
        self._foundation = Foundation(known, now_s, problem, found)
        if because is not MadeBecause.QUARTER:
            _log.info("%s was made within the quarter because of: %s", plan.name, because)
        if self._silent is not None:
            _log.warning("there is a plan again")
            self._silent = None
        return plan

    def _known(self, start: Quarter, now_s: float) -> Known | None:
        """Return what a plan is made from; None, and say why, where that is too little."""
        street = self._street.now()
        charges = self._charges(street, now_s)
        if not charges and any(one.may_be_planned for one in street.every_battery.values()):
            self._no_plan("a battery's state of charge is not known")
            return None
        use, made = self._forecasts.ahead(start, HORIZON, now_s)
        if np.isnan(use.likely).any() or np.isnan(made.likely).any():
            self._no_plan("there is no day of readings to look back on yet")
            return None
        market = self._prices.over(start, HORIZON, now_s).eur_per_kwh
        why_not = refused_prices(market)
        if why_not is not None:
            self._no_plan(why_not)
            return None
        known = Known(
            start,
            street,
            market,
            use,
            made,
            {name: charge.stored_kwh for name, charge in charges.items()},
            self._calls_from(start),
            self._peak.reckoned_kw(
                start,
                self._retail,
                [one for name, one in street.every_battery.items() if name in charges],
                market,
            ),
            self._parts.at(start),
            self._parts.homes_at(start),
            self._one_by_one(street, charges, start),
        )
        self._tell_over_fuses(homes_over_fuse(known))
        return known

    def _tell_over_fuses(self, homes: Sequence[str]) -> None:
        """Say once, as long as it lasts, of which homes more is expected than passes."""
        for name in sorted(set(homes) - self._over_fuses):
            _log.warning(
                "home %s: more is expected than its fuse and its batteries carry, and it is "
                "planned without that; is its limit_w right?",
                name,
            )
        self._over_fuses = frozenset(homes)

    def _one_by_one(
        self, street: Community, charges: Mapping[str, Charge], start: Quarter
    ) -> Mapping[str, HomeForecast]:
        """Return what is expected of homes whose own batteries are planned, where that is known."""
        homes = {one.home for one in street.home_batteries.values() if one.id in charges}
        known = sorted(home for home in homes if home is not None)
        return self._forecasts.per_home(known, start, HORIZON) if known else {}

    def _no_plan(self, why: str) -> None:
        """Say why there is no plan, once as long as the reason stays the same."""
        if why != self._silent:
            _log.warning("no plan: %s", why)
        self._silent = why

    def _calls_from(self, start: Quarter) -> tuple[PutCall, ...]:
        return self._calls.between(start.start_s, start.start_s + HORIZON * QUARTER_S)

    def _charges(self, street: Community, now_s: float) -> dict[str, Charge]:
        """Return what each battery that may be planned and was heard of late says is in it."""
        keys = {
            DeviceKey(battery.gateway, battery.device): battery
            for battery in street.every_battery.values()
            if battery.may_be_planned
        }
        charges: dict[str, Charge] = {}
        for latest in self._store.latest(list(keys)):
            if latest.name == "soc_permille" and latest.at_s >= now_s - _SOC_AGE_S:
                battery = keys[latest.key]
                stored_kwh = battery.capacity_wh * latest.value / 1_000_000
                charges[battery.id] = Charge(latest.at_s, stored_kwh)
        return charges

    def _planned_quarter(self) -> Quarter | None:
        return None if self._foundation is None else self._foundation.known.start

    def _happened(self) -> MadeBecause | None:
        """Return what happened since the last plan; not asked too often, nor soon after a plan."""
        at_s = self._clock.monotonic_s()
        soon = at_s - self._tried_s < BETWEEN_S or at_s - self._looked_s < _EVENTS_S
        if soon or self._foundation is None:
            return None
        self._looked_s = at_s
        with self._planning:
            self._let_go()  # it waits for no prices and no record
        now_s, start = self._clock.now_s(), self._foundation.known.start
        market = self._prices.over(start, HORIZON, now_s).eur_per_kwh
        street = self._street.now()
        now = Now(street, market, self._calls_from(start), self._charges(street, now_s))
        return self._foundation.changed(now)

    def _send(self, known: Known, name: str, problem: Problem, found: Plan) -> None:
        """Send each battery its day of set-points; a battery that is not reached falls back."""
        # Who is to forget what was planned, and was not reached, is told so still.
        released = {self._topic(one) for one in self._released()}
        self._unsent = {key: told for key, told in self._unsent.items() if key in released}
        # A plan takes its time: who took leave back meanwhile is told nothing of it.
        now = self._street.now().every_battery
        free = [one for one in known.batteries if one.id in now and now[one.id].may_be_planned]
        self._book.keep_told(free, known.start.start_s + SENT * QUARTER_S)
        steps = [steps_told(known, problem, found, one.id) for one in free]
        self._put_out(free, name, steps)
        try:
            self._send_rest()
        except LinkDownError as error:
            _log.warning("the plan is not sent yet: %s", error)

    def _let_go(self) -> None:
        """Tell the gateways of batteries that may be steered no more to forget what was planned.

        At once, and again in each quarter; not as often as a plan is tried that cannot be made.
        """
        found, start = self._released(), Quarter.containing(self._clock.now_s())
        for one, why in found.items():
            if one not in self._let_go_before:
                _log.warning("battery %s at gateway %s is let go: %s", one.id, one.gateway, why)
        self._let_go_before = frozenset(found)
        if self._let_go_told != (start, self._let_go_before):
            self._put_out(list(found), RELEASED, [()] * len(found))
            self._let_go_told = start, self._let_go_before
        with suppress(LinkDownError):  # sent when there is a link again
            self._send_rest()

    def _released(self) -> dict[ToldBattery, Why]:
        street, now_s = self._street, self._clock.now_s()
        told, planned = self._book.told_batteries(), street.now()
        return let_go(planned, street.written, told, now_s, street.refusing or frozenset())

    def _put_out(
        self,
        batteries: Sequence[Battery | ToldBattery],
        name: str,
        steps: Sequence[tuple[Step, ...]],
    ) -> None:
        if not batteries:
            return
        first = self._book.next_command(int(self._clock.now_s()), len(batteries))
        for number, (battery, told_steps) in enumerate(zip(batteries, steps, strict=True), first):
            schedule = Schedule(battery.device, number, name, told_steps, AfterPlan.NEUTRAL)
            self._unsent[self._topic(battery)] = encode_schedule(schedule)

    def _topic(self, battery: Battery | ToldBattery) -> str:
        lane = Lane.COMMAND
        return Address(self._community.coop, battery.gateway, lane, battery.device).topic

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
        while not self._stopping.is_set():
            try:
                self.turn()
            except KwartierError as error:
                self._no_plan(str(error))
            self._send_when_linked()
            waiting = self._planned_quarter() != Quarter.containing(self._clock.now_s())
            self._stopping.wait(_RETRY_S if waiting else _LOOK_S)

    def _cheapest(self, problem: Problem) -> Plan:
        """Return the cheapest plan, begun where the last one ended; always one."""
        found = self._rolling.plan(problem)
        return replace(found, reasons=reasons_of(problem, found))
