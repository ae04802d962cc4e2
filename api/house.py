"""What the roof is handed: every part it serves, put together in one place per process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

from api.elsewhere import Elsewhere
from api.enrolment.mirrors import Mirrors
from api.forecasts.states import ForecastStates
from api.health.states import GatewayStates
from api.live import LiveFeed
from api.mail import Mailer
from api.market import Market
from api.papers.shelf import Shelf
from api.people.book import PeopleBook
from api.people.told import ToldBook
from api.planned.kept import LastPlan
from api.plans import PlanBook
from api.reach import LOCAL_URL, HelpLine
from api.signals import Signals
from collectors.disclosure import Disclosure
from collectors.queries import Records
from collectors.store import Store
from collectors.watch import Watch
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.model import Community
from optimizer.balance import QuarterReadings
from optimizer.settlement import DaySettlement, Rules, settle_day

if TYPE_CHECKING:
    from api.enrolment.office import Enrolment
    from api.fleet.updates import Updates
    from api.office import Office
    from api.overview.keeper import Overview
    from api.post.hook import Hook

Settle: TypeAlias = Callable[[Sequence[QuarterReadings]], DaySettlement]
"""Settles some quarters by the rules and the tariff in force."""


@dataclass(frozen=True, slots=True)
class House:
    """The parts behind the pages.

    Attributes:
        community: The neighbourhood.
        store: The record.
        records: Answers from it.
        plans: What was planned.
        clock: What time it is.
        settle: Settles some quarters.
        signals: Tells whether now is a good moment.
        live: The newest values.
        people: Accounts, sessions, and what people want.
        office: The cooperative's books; None where none are kept.
        mailer: Takes letters away; None where no mail server is set.
        public_url: The address people type, without a slash at the end.
        version: The software's version, for the footer.
        hook: Takes messages that are no mail; None where no address is set.
        overview: Days that were summed before; None where nobody sums them.
        shelf: Statements that were read, for as long as they cannot change.
        gateways: What gateways told of themselves.
        wizards: How bringing homes on the air stands.
        help_line: Whom people call.
        elsewhere: Another service at which people log in; None where none is set.
        enrolment: Lets gateways in; None where there is no authority.
        outside: What is known of sources outside: prices, weather.
        updates: New programs for gateways; None where there is no authority.
        last_plan: The newest plan and what it was made from, for who asks about it.
        rules: What the members decided about sharing.
        forecasts: How the forecasts are made, and how they have held.
        market: Where prices of past days are known.
    """

    community: Community
    store: Store
    records: Records
    plans: PlanBook
    clock: Clock
    settle: Settle
    signals: Signals
    live: LiveFeed
    people: PeopleBook
    office: Office | None = None
    mailer: Mailer | None = None
    public_url: str = LOCAL_URL
    version: str = "0"
    hook: Hook | None = None
    overview: Overview | None = None
    shelf: Shelf = field(default_factory=Shelf)
    gateways: GatewayStates = field(default_factory=GatewayStates)
    wizards: Mirrors = field(default_factory=Mirrors)
    help_line: HelpLine = field(default_factory=HelpLine)
    elsewhere: Elsewhere | None = None
    enrolment: Enrolment | None = None
    outside: list[Watch] = field(default_factory=list)
    updates: Updates | None = None
    last_plan: LastPlan = field(default_factory=LastPlan)
    rules: Rules = field(default_factory=Rules)
    forecasts: ForecastStates = field(default_factory=ForecastStates)
    market: Market = field(default_factory=Market)


def house_of(
    community: Community,
    store: Store,
    plans: PlanBook,
    people: PeopleBook,
    clock: Clock,
    bus: Bus | None = None,
    public_url: str = LOCAL_URL,
    rules: Rules | None = None,
    office: Office | None = None,
    mailer: Mailer | None = None,
    overview: Overview | None = None,
    help_line: HelpLine | None = None,
    hook: Hook | None = None,
) -> House:
    """Return a house put together from its parts; without a bus live values come from the record.

    Args:
        community: The neighbourhood.
        store: The record.
        plans: What was planned.
        people: Accounts, sessions, and what people want.
        clock: What time it is.
        bus: Brings live values, where there is one.
        public_url: The address people type.
        rules: What the members decided about sharing; in proportion to use when None.
        office: The cooperative's books, where they are kept.
        mailer: Takes letters away, where a mail server is set.
        overview: Days that were summed before, where somebody sums them.
        help_line: Whom people call; the books' own number when None.
        hook: Takes messages that are no mail, where an address is set.
    """
    decided = rules or Rules()
    records = Records(store, community, clock, Disclosure(ToldBook(people)))

    def settle(quarters: Sequence[QuarterReadings]) -> DaySettlement:
        return settle_day(quarters, decided, community.tariff)

    states, wizards = GatewayStates(), Mirrors()
    if bus is not None:
        states.listen(bus, community.coop, clock)
        wizards.listen(bus, community.coop, clock)
    books_line = HelpLine() if office is None else HelpLine(office.settings.phone)
    return House(
        community,
        store,
        records,
        plans,
        clock,
        settle,
        Signals(plans, community, clock, records),
        LiveFeed(store, clock, community.coop, bus),
        people,
        office,
        mailer,
        public_url,
        version("kwartier"),
        hook,
        overview=overview,
        gateways=states,
        wizards=wizards,
        help_line=help_line or books_line,
        rules=decided,
    )
