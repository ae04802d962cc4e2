"""`kwartier serve`: the pages and the programs' interface of one neighbourhood."""

from __future__ import annotations

import argparse
import gc
import logging
import os
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command
from kwartier.errors import SettingsError

if TYPE_CHECKING:
    from api.elsewhere import Elsewhere, OidcSettings
    from api.enrolment.office import Enrolment
    from api.house import House
    from api.office import Office
    from api.people.book import PeopleBook
    from api.planner import Planner
    from api.post.hook import Hook
    from api.post.settings import WebhookSettings
    from api.settings import PlanningSettings, ServeSettings
    from collectors.weather.book import SqliteWeather
    from kwartier.bus import Bus
    from kwartier.clock import Clock


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="its settings, a TOML file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="read the settings, say what is wrong, and stop"
    )
    what.add_argument(
        "--card", metavar="HOME", help="make a login card for a home, print its code, and stop"
    )


def _run(chosen: argparse.Namespace) -> int:
    from api.settings import read_serve_settings
    from kwartier.log import begin_log

    begin_log("serve")
    path: Path = chosen.config
    os.umask(0o077)  # what is kept of people is for this account's eyes only
    settings = read_serve_settings(path)
    if chosen.check:
        _check(settings)
        for note in _notes(settings):
            print(f"{path}: {note}")
        print(f"{path}: all keys are understood, and what they name can be read")
        return 0
    if chosen.card is not None:
        home: str = chosen.card
        if home not in settings.community.connections:
            known = ", ".join(list(settings.community.connections)[:3])
            raise SettingsError(f"there is no home {home!r}; there are {known} …")
        print(_card(settings, home))
        return 0
    from kwartier.stopping import interrupted_by_signals

    with interrupted_by_signals(), suppress(KeyboardInterrupt):
        serve(settings)
    return 0


def _check(settings: ServeSettings) -> None:
    """Look whether books and keys can be read; secrets of mail and others were read already.

    Raises:
        SettingsError: One cannot; it is named.
    """
    from api.cooperative.backup.copying import is_sqlite, sqlite_file
    from api.cooperative.keys import CHAIN_FILE, read_keys
    from api.cooperative.settings import KEYS, read_settings
    from api.people.opening import KEYS as PEOPLE_KEYS
    from api.people.place import address_of
    from api.people.standing import is_begun

    if settings.books is not None:
        books = read_settings(settings.books)
        read_keys(books.folder / KEYS)
        if is_sqlite(books.database) and not sqlite_file(books.database).is_file():
            raise SettingsError(f"{sqlite_file(books.database)}: there are no books here")
    keys = settings.state / PEOPLE_KEYS
    if is_begun(address_of(settings.state)) or (keys / CHAIN_FILE).exists():
        read_keys(keys)


def _notes(settings: ServeSettings) -> list[str]:
    """Return what is no mistake, and what whoever keeps the neighbourhood's file should know."""
    from api.plan_book import BOOK, told_in
    from api.planning.leave import notes
    from kwartier.clock import SystemClock

    if settings.planning is None:
        return []
    told = told_in(settings.state / BOOK)
    return notes(settings.community, told, SystemClock().now_s())


def serve(settings: ServeSettings) -> None:
    """Serve pages until a signal ends it.

    Raises:
        SettingsError: The port or the public address cannot be used.
        StoreBusyError: There is no record yet.
    """
    from api.app import create_app
    from api.charts import start_charts
    from api.finality import telling
    from api.fleet.updates import Updates
    from api.house import house_of
    from api.moment_voice import MomentVoice
    from api.outside import fetched_weather
    from api.overview.keeper import Overview
    from api.people.opening import open_people
    from api.plan_book import BOOK, SqlitePlanBook
    from api.post.loop import PostLoop
    from api.post.smtp import SmtpMailer
    from api.server import WebServer
    from api.state import make_state
    from collectors.union_store import open_records
    from kwartier.clock import SystemClock
    from kwartier.mqtt import MqttBus, Session

    clock = SystemClock()
    with ExitStack() as parts:
        make_state(settings.state)
        store = open_records(settings.records)
        parts.callback(store.close)
        plans = SqlitePlanBook(settings.state / BOOK)
        parts.callback(plans.close)
        office = None if settings.books is None else office_of(settings.books)
        people = open_people(settings.state, clock, office)
        parts.callback(people.close)
        _tell_how_to_begin(people, settings.public_url)
        days = settings.state / "overview.db"
        overview = Overview(
            settings.community,
            store,
            clock,
            days,
            people=people,
            office=office,
            grafana_url=settings.grafana_url,
        )
        parts.callback(overview.close)
        bus = None
        if settings.broker is not None:
            session = Session(f"kwartier-serve-{settings.community.coop}")
            bus = MqttBus(settings.broker, session)
            parts.callback(bus.close)
        house = house_of(
            settings.community,
            store,
            plans,
            people,
            clock,
            bus,
            settings.public_url,
            office=office,
            overview=overview,
            help_line=settings.help_line,
            mailer=None if settings.mail is None else SmtpMailer(settings.mail, clock),
            hook=None if settings.webhook is None else _hook(settings.webhook, clock, parts),
        )
        parts.callback(house.live.close)
        if settings.oidc is not None:
            house = replace(house, elsewhere=_elsewhere(settings.oidc, house, parts))
        if settings.enrolment is not None:
            house = replace(
                house,
                enrolment=_enrolment(settings, people, clock, parts),
                updates=Updates(settings.state, settings.community, clock),
            )
        overview.start()
        if office is not None:
            parts.enter_context(telling(office, settings.records, clock))
        post = PostLoop(house)
        post.start()
        parts.callback(post.stop)
        if settings.charts is not None:
            parts.callback(start_charts(settings.charts, house, clock))
        weather: SqliteWeather | None = None
        if settings.weather is not None:
            weather, watches = fetched_weather(settings.weather, settings.state, clock, parts)
            house.outside.extend(watches)
        if settings.planning is not None and bus is not None:
            planner = _planner(settings, settings.planning, house, bus, parts, weather)
            planner.start()
            parts.callback(planner.stop)
        if bus is not None:
            voice = MomentVoice(house.signals, bus, settings.community.coop, clock)
            voice.start()
            parts.callback(voice.stop)
        server = WebServer(
            create_app(house), settings.host, settings.port, stopping=house.live.close
        )
        gc.freeze()  # what was imported stays: a page never waits for it to be looked through
        logging.getLogger(__name__).info(
            "serving %s on port %d as %s",
            settings.community.coop,
            server.port,
            settings.public_url,
        )
        server.run()


def _enrolment(
    settings: ServeSettings, people: PeopleBook, clock: Clock, parts: ExitStack
) -> Enrolment:
    """Return the desk at which gateways are let in; it keeps the broker's list up to date.

    Raises:
        CaFolderError: The authority is away.
    """
    from api.enrolment.cutting import take_over
    from api.enrolment.keeping_up import KeepingUp
    from api.enrolment.office import Enrolment

    assert settings.enrolment is not None
    broker = settings.broker
    cut = None if broker is None else partial(take_over, broker)
    desk = Enrolment(settings.enrolment, settings.community.coop, people, clock, cut)
    loop = KeepingUp(desk)
    loop.start()
    parts.callback(loop.stop)
    return desk


def _elsewhere(settings: OidcSettings, house: House, parts: ExitStack) -> Elsewhere:
    """Return the other service at which people log in.

    Raises:
        SettingsError: What speaks with it is not installed.
    """
    try:
        from api.oidc import OidcService
    except ImportError as error:
        raise SettingsError("oidc: install it first: pip install 'kwartier[oidc]'") from error
    service = OidcService(settings, house.public_url, house.clock)
    parts.callback(service.close)
    return service


def _tell_how_to_begin(people: PeopleBook, public_url: str) -> None:
    """Print the code that makes the first operator, as long as there is none; no log has it."""
    from api.people.first_start import first_code

    code = first_code(people)
    if code is not None:
        print(
            f"Nobody is an operator yet. Open {public_url}/begin and type this code there.\n"
            f"It works once, for 24 hours, until the next start:\n\n    {code}\n",
            flush=True,
        )


def _hook(settings: WebhookSettings, clock: Clock, parts: ExitStack) -> Hook:
    from api.post.hook import Hook

    hook = Hook(settings, clock)
    parts.callback(hook.close)
    return hook


def _planner(
    settings: ServeSettings,
    planning: PlanningSettings,
    house: House,
    bus: Bus,
    parts: ExitStack,
    weather: SqliteWeather | None,
) -> Planner:
    """Return the quarter-hour loop of a house."""
    from api.forecasts.opening import open_forecasts
    from api.outside import fetched_prices
    from api.people.steering import homes_refusing
    from api.planner import Planner
    from api.planning.calls import BOOK, CallBook

    prices, watches = fetched_prices(planning.prices, settings.state, house.clock, parts)
    house.outside.extend(watches)
    house.market.source, house.market.retail = prices.source, planning.retail
    if settings.weather is not None:
        house.market.place = settings.weather.latitude, settings.weather.longitude
    return Planner(
        house.community,
        house.store,
        house.records,
        prices,
        house.plans,
        bus,
        house.clock,
        planning.retail,
        kept=house.last_plan,
        forecasts=open_forecasts(settings, house, parts, weather, learn=planning.learn),
        calls=CallBook(settings.state / BOOK),
        street_file=planning.street_file,
        refusing=partial(homes_refusing, house.people),
    )


def office_of(folder: Path) -> Office:
    """Open the books of a folder.

    Raises:
        SettingsError: Its settings or keys are away or wrong.
    """
    from api.cooperative.database import Books
    from api.cooperative.keys import read_keys
    from api.cooperative.settings import KEYS, read_settings
    from api.office import Office
    from kwartier.clock import SystemClock

    settings = read_settings(folder)
    clock = SystemClock()
    return Office(Books(settings.database, read_keys(folder / KEYS), clock), settings, clock)


def _card(settings: ServeSettings, home: str) -> str:
    from api.people.accounts import SYSTEM
    from api.people.cards import card_for_home
    from api.people.opening import open_people
    from kwartier.clock import SystemClock

    office = None if settings.books is None else office_of(settings.books)
    people = open_people(settings.state, SystemClock(), office)
    try:
        return card_for_home(people, home, SYSTEM)
    finally:
        people.close()


SERVE = Command(
    summary="serve the pages and the programs' interface",
    example="kwartier serve --config serve.toml",
    extra="serve",
    configure=_arguments,
    run=_run,
)
