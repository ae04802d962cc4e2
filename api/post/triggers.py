"""What gives cause for a message: runs, meters, the sun, answers; each cause is told once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from api.cooperative.checks import Finding
from api.cooperative.checks.sentences import LANGUAGES, sentence
from api.cooperative.runs import findings, runs
from api.cooperative.runs.states import Run, State
from api.house import House
from api.office import Office
from api.pages.language import FIRST
from api.people.accounts import SYSTEM, accounts, live_grants
from api.people.book import PeopleDesk
from api.people.tables import QuestionRow, StayRow
from api.people.visitor import Role, Stay
from api.people.wishes import Channel, Kind, ways_wished
from api.post.counter import Counter, reader_of
from api.post.delivery import DELIVERED, deliver
from api.post.letters import spoken
from api.post.outbox import Message, is_known, queue
from collectors.store import DeviceKey
from kwartier.interval import HOME_ZONE, day_of, local_day
from kwartier.units import EpochS
from kwartier.wire import Json

FRESH_S = 7 * 86_400
"""What is older than this gives cause for nothing: nobody wants last year's news [s]."""
SILENT_S = 86_400
"""After this a meter is silent [s]."""
MANY = 3
"""When more homes than this fall silent, and more than half, it is not their plugs."""
SUN_HOUR, SUN_HOUR_ENDS = 18, 21
"""Between these hours tomorrow's good moment is told."""
LEAST_SUN_S = 2 * 3_600
"""A shorter good moment is no news [s]."""

Facts = Callable[[str], Mapping[str, Json]]
"""The facts of a message for a reader of a language."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Something to tell, once to everybody it concerns.

    Attributes:
        kind: What it is about.
        name: What it is known by, such as ``home-1:1793664000``.
        subject: An id it is about.
        accounts: Whom it concerns; those who do not wish for it are left out.
        facts: What its words are filled with, by language.
    """

    kind: Kind
    name: str
    subject: str
    accounts: Sequence[str]
    facts: Facts


class Triggers:
    """Looks for causes; looking again, or in another process, tells nothing twice."""

    def __init__(self, house: House) -> None:
        """Look around in a house."""
        self._house = house
        self._delivered: set[str] = set()

    def look(self) -> int:
        """Write down what there is to tell now, and return how many messages are new.

        Raises:
            StoreBusyError: A book or the record cannot be reached now.
        """
        made = self._statements()
        for causes in (self._blocked, self._answers, self._meters, self._sun):
            for cause in causes():
                made += tell(self._house, cause)
        return made

    def _statements(self) -> int:
        """Deliver runs whose papers were numbered in the last days."""
        office, made = self._house.office, 0
        if office is None:
            return 0
        for run in self._fresh_runs(office, DELIVERED):
            if run.id not in self._delivered:
                made += deliver(self._house, office, run.id, SYSTEM)
                self._delivered.add(run.id)
        return made

    def _blocked(self) -> list[Cause]:
        """Return the runs that the board must look at before they go on."""
        office, causes = self._house.office, []
        if office is None:
            return []
        for run in self._fresh_runs(office, (State.COMPUTED,)):
            with office.reading() as books:
                stopping = [each.finding for each in findings(books, run.id) if each.stops]
            if not stopping:
                continue
            about: dict[str, Json] = {
                "run": run.id,
                "month": run.name.month.first.isoformat(),
                "count": len(stopping),
            }
            name = f"{run.id}:{run.computation}"
            concerned = board_accounts(self._house, office)
            facts = with_sentence(about, stopping[0])
            causes.append(Cause(Kind.BLOCKED, name, run.id, concerned, facts))
        return causes

    def _answers(self) -> list[Cause]:
        """Return the questions that were answered in the last days."""
        with self._house.people.reading() as desk:
            rows = desk.session.scalars(
                select(QuestionRow).where(QuestionRow.answered_at_s > desk.at_s - FRESH_S)
            )
            return [
                Cause(
                    Kind.ANSWER,
                    str(row.id),
                    f"question-{row.id}",
                    [row.account],
                    same({"question": str(row.id)}),
                )
                for row in rows
            ]

    def _meters(self) -> list[Cause]:
        """Return the homes whose meter fell silent; the operator, when it is most of them."""
        silent = silent_homes(self._house)
        if len(silent) > max(MANY, len(self._house.community.connections) // 2):
            since_s = max(silent.values())
            with self._house.people.reading() as desk:
                operators = [
                    each.account for each in live_grants(desk) if each.role == Role.OPERATOR
                ]
            facts = same({"count": len(silent), "since_s": since_s})
            name = f"record:{day_of(since_s).isoformat()}"
            return [Cause(Kind.ALERT, name, "record", operators, facts)]
        living = residents(self._house) if silent else {}
        return [
            Cause(Kind.METER, f"{home}:{at_s}", home, living.get(home, ()), same({"last_s": at_s}))
            for home, at_s in silent.items()
        ]

    def _sun(self) -> list[Cause]:
        """Return tomorrow's good moment, in the early evening."""
        now_s = int(self._house.clock.now_s())
        now = datetime.fromtimestamp(now_s, UTC).astimezone(HOME_ZONE)
        if not SUN_HOUR <= now.hour < SUN_HOUR_ENDS:
            return []
        signal, tomorrow = self._house.signals.now(), now.date() + timedelta(days=1)
        start_s, end_s = signal.next_from_s, signal.next_until_s
        if start_s is None or end_s is None or day_of(start_s) != tomorrow:
            return []
        start_s, end_s = (
            -(-start_s // 3600) * 3600,
            min(end_s, local_day(tomorrow)[1]) // 3600 * 3600,
        )
        if end_s - start_s < LEAST_SUN_S:
            return []
        with self._house.people.reading() as desk:
            wishing = list(ways_wished(desk, Kind.SUN))
        facts = same({"start_s": start_s, "end_s": end_s})
        return [Cause(Kind.SUN, tomorrow.isoformat(), "sun", wishing, facts)]

    def _fresh_runs(self, office: Office, states: Sequence[State]) -> list[Run]:
        since_s = self._house.clock.now_s() - FRESH_S
        with office.reading() as books:
            return [
                run
                for run in runs(books)
                if run.state in states and _reached_s(run, states) > since_s
            ]


def tell(house: House, cause: Cause) -> int:
    """Write a cause down for everybody who wishes to be told, and return how many are new."""
    counter = Counter.of(house)
    with house.people.reading() as desk:
        wished = ways_wished(desk, cause.kind)
        wanted = [
            (account, way)
            for account in cause.accounts
            for way in wished.get(account, ())
            if way in counter.ways and not is_known(desk, _key(cause, account, way))
        ]
    if not wanted:
        return 0
    made = 0
    with house.people.writing() as desk:
        for account, way in wanted:
            reader = reader_of(desk, house.office, account)
            if reader is None or (way is Channel.EMAIL and not reader.email):
                continue
            facts = cause.facts(spoken(reader.language).tag)
            key = _key(cause, account, way)
            message = Message(key, cause.kind, way, account, reader.party, cause.subject, facts)
            made += queue(desk, message)
    return made


def silent_homes(house: House) -> dict[str, EpochS]:
    """Return the homes whose meter has told nothing for a day, and when it last did [s].

    A meter that never told anything is not silent: it is not there yet.
    """
    by_meter = {
        DeviceKey(each.gateway, each.meter): name
        for name, each in house.community.connections.items()
    }
    newest: dict[str, EpochS] = {}
    for latest in house.store.latest(list(by_meter)):
        home = by_meter[latest.key]
        newest[home] = max(latest.at_s, newest.get(home, 0))
    before_s = house.clock.now_s() - SILENT_S
    return {home: at_s for home, at_s in sorted(newest.items()) if at_s <= before_s}


def residents(house: House) -> dict[str, list[str]]:
    """Return the accounts that live in each home now."""
    living: dict[str, list[str]] = {}
    registry = house.people.registry
    with house.people.reading() as desk:
        for account in accounts(desk):
            own: Sequence[Stay]
            if account.party and registry is not None:
                own = registry.stays(account.party)
            else:
                own = _stays(desk, account.id)
            for home in {stay.home for stay in own if stay.holds(desk.at_s)}:
                living.setdefault(home, []).append(account.id)
    return living


def board_accounts(house: House, office: Office) -> list[str]:
    """Return the accounts of the board and its treasurer."""
    with house.people.reading() as desk:
        officers = [(each.id, each.officer) for each in accounts(desk) if each.officer]
        granted = [
            each.account for each in live_grants(desk) if each.role in (Role.BOARD, Role.TREASURER)
        ]
    serving = [account for account, officer in officers if office.roles(officer)]
    return sorted({*serving, *granted})


def same(facts: Mapping[str, Json]) -> Facts:
    """Return facts that are the same in every language."""
    return lambda _: facts


def with_sentence(facts: Mapping[str, Json], finding: Finding) -> Facts:
    """Return facts with what a check found, in the reader's language."""
    return lambda language: {
        **facts,
        "first": sentence(finding, language if language in LANGUAGES else FIRST),
    }


def _key(cause: Cause, account: str, way: Channel) -> str:
    return f"{cause.kind}:{cause.name}:{account}:{way}"


def _reached_s(run: Run, states: Sequence[State]) -> EpochS:
    """Return when a run first came to one of some states [s]; to computed, the last time."""
    reached = [step.at_s for step in run.steps if step.state in states]
    return reached[-1] if State.COMPUTED in states else reached[0]


def _stays(desk: PeopleDesk, account: str) -> list[Stay]:
    rows = desk.session.scalars(select(StayRow).where(StayRow.account == account))
    return [Stay(row.home, row.from_s, row.until_s) for row in rows]
