"""What gives cause for a message: each cause once, only to who wants it, never about others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from api.mail import Mail
from api.people.accounts import SYSTEM, account_of_party, add_account, grant
from api.people.mail_links import set_email
from api.people.tables import MessageRow, QuestionRow, WishRow
from api.people.visitor import Role
from api.people.wishes import Channel, Kind, set_wishes
from api.plans import NeighbourhoodPlan
from api.post.counter import Counter
from api.post.letters import letter_of, spoken, whole_text
from api.post.loop import PostLoop
from api.post.outbox import Message, facts_of, queue
from api.post.triggers import Triggers, silent_homes
from kwartier.clock import VirtualClock
from kwartier.interval import day_of
from kwartier.wire import Json
from tests.api.blocked_town import town_with_blockers
from tests.api.cooperative.stages import Stage
from tests.api.street import plan_of
from tests.api.town import Town, Towns

DAY_S = 86_400


class Letterbox:
    """Takes no letter anywhere; it only shows that a mail server is set."""

    def send(self, mail: object) -> str:
        """Take nothing."""
        raise AssertionError(mail)


@pytest.fixture(scope="module")
def computed(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with towns.at(Stage.COMPUTED, tmp_path_factory.mktemp("triggers")) as town:
        yield replace(town, house=replace(town.house, mailer=Letterbox()))


@pytest.fixture
def town(computed: Town) -> Town:
    with computed.house.people.writing() as desk:
        desk.session.execute(delete(MessageRow))
        desk.session.execute(delete(WishRow))
    return computed


def wanting(town: Town, party: str, kind: Kind, *, officer: str = "") -> str:
    """Let a party want a kind by e-mail, and return the account."""
    with town.house.people.writing() as desk:
        known = account_of_party(desk, party)
        account = known or add_account(desk, SYSTEM, party=party, officer=officer)
        set_email(desk, SYSTEM, account, f"{party}@example.nl")
        set_wishes(desk, account, account, {(kind, Channel.EMAIL)}, [kind])
    return account


def told(town: Town) -> list[tuple[str, str, str]]:
    """Return what was written down: kind, account and the text's sentences."""
    found = []
    with town.house.people.reading() as desk:
        for row in desk.session.scalars(select(MessageRow).order_by(MessageRow.id)):
            letter = letter_of(Kind(row.kind), facts_of(desk, row), spoken("nl"))
            found.append((row.kind, row.account, " ".join(letter.sentences)))
    return found


def later(town: Town, seconds: int) -> Town:
    """Return the town at a later instant, with what nobody told since."""
    clock = VirtualClock(town.clock.now_s() + seconds)
    return replace(town, clock=clock, house=replace(town.house, clock=clock))


def test_a_meter_that_is_silent_for_a_day_is_told_once_to_who_lives_there(town: Town) -> None:
    one = wanting(town, "lid-1", Kind.METER)
    wanting(town, "lid-2", Kind.STATEMENT)
    last_s = min(each.at_s for each in town.house.store.latest())
    silent = later(town, DAY_S + 3_600)

    homes = silent_homes(silent.house)
    assert set(homes) == set(silent.house.community.connections)
    few = {name: silent.house.community.connections[name] for name in ("home-1", "home-2")}
    street = replace(silent.house.community, connections=few)
    triggers = Triggers(replace(silent.house, community=street))
    assert [triggers.look(), triggers.look()] == [1, 0]

    [(kind, account, text)] = told(town)
    assert (kind, account) == ("meter", one)
    assert "Zit de stekker van het kastje er nog in?" in text
    assert spoken("nl").moment(last_s).split(" ")[0] in text


def test_when_most_meters_are_silent_the_operator_is_told_and_no_resident(town: Town) -> None:
    wanting(town, "lid-1", Kind.METER)
    operator = wanting(town, "anna", Kind.ALERT)
    with town.house.people.writing() as desk:
        grant(desk, SYSTEM, operator, Role.OPERATOR)
    triggers = Triggers(later(town, DAY_S + 3_600).house)

    assert [triggers.look(), triggers.look()] == [1, 0]

    [(kind, account, text)] = told(town)
    assert (kind, account) == ("alert", operator)
    assert "8 huizen zijn stil." in text


def test_a_meter_that_speaks_is_no_news(town: Town) -> None:
    wanting(town, "lid-1", Kind.METER)

    assert silent_homes(town.house) == {}
    assert Triggers(town.house).look() == 0


def test_a_blocked_run_is_told_to_the_board_that_wants_it(towns: Towns, tmp_path: Path) -> None:
    with town_with_blockers(towns, tmp_path) as bare:
        town = replace(bare, house=replace(bare.house, mailer=Letterbox()))
        board = wanting(town, "bram", Kind.BLOCKED, officer="board")
        wanting(town, "lid-1", Kind.BLOCKED)
        triggers = Triggers(town.house)

        assert [triggers.look(), triggers.look()] == [1, 0]
        [(kind, account, text)] = told(town)

    assert (kind, account) == ("blocked", board)
    assert "De afrekening van oktober 2026 kan nog niet verder. Er zijn 2 blokkades." in text
    assert "De eerste: Bij home-5 ontbreken 288 van 2980 kwartieren" in text


def test_a_run_without_blockers_is_no_news(town: Town) -> None:
    wanting(town, "bram", Kind.BLOCKED, officer="board")

    assert Triggers(town.house).look() == 0


def test_an_answer_is_told_once_to_who_asked(town: Town) -> None:
    one = wanting(town, "lid-1", Kind.ANSWER)
    now_s = int(town.clock.now_s())
    with town.house.people.writing() as desk:
        seal = desk.keys.seal("tekst")
        asked = QuestionRow(
            account=one,
            party="lid-1",
            place="2026-10/1",
            text=seal,
            asked_at_s=now_s,
            answer_by=day_of(now_s),
            answer="",
            answered_at_s=None,
            answered_by="",
        )
        desk.session.add(asked)
    triggers = Triggers(town.house)
    assert triggers.look() == 0
    with town.house.people.writing() as desk:
        desk.session.execute(
            update(QuestionRow).values(answer=seal, answered_at_s=now_s, answered_by="bram")
        )

    assert [triggers.look(), triggers.look()] == [1, 0]

    [(kind, account, text)] = told(town)
    assert (kind, account) == ("answer", one)
    assert "tekst" not in text


def evening(now: str, plan: NeighbourhoodPlan, town: Town) -> Town:
    """Return the town at an instant, with a plan of the day after."""
    from api.signals import Signals

    clock = VirtualClock(datetime.fromisoformat(now).timestamp())
    town.house.plans.keep(plan)
    signals = Signals(town.house.plans, town.house.community, clock)
    return replace(town, clock=clock, house=replace(town.house, clock=clock, signals=signals))


@pytest.mark.parametrize(
    ("now", "messages"),
    [
        ("2026-07-01T17:59+02:00", 0),
        ("2026-07-01T18:00+02:00", 1),
        ("2026-07-01T20:59+02:00", 1),
        ("2026-07-01T21:00+02:00", 0),
    ],
)
def test_tomorrows_sun_is_told_in_the_early_evening_once(
    town: Town, now: str, messages: int
) -> None:
    wanting(town, "lid-1", Kind.SUN)
    today = datetime.fromisoformat(now).date()
    both = [plan_of(today), plan_of(today.replace(day=2))]
    quarters = tuple(quarter for plan in both for quarter in plan.quarters)
    bright = tuple(replace(each, solar_wh=each.solar_wh * 3) for each in quarters)
    house = evening(now, replace(both[0], quarters=bright), town).house
    triggers = Triggers(replace(house, community=replace(house.community, connections={})))

    assert [triggers.look(), triggers.look()] == [messages, 0]

    for kind, _, text in told(town):
        assert kind == "sun"
        assert text.startswith("Morgen tussen ")


def test_statements_of_numbered_runs_go_by_themselves(towns: Towns, tmp_path: Path) -> None:
    with towns.at(Stage.INVOICED, tmp_path) as invoiced:
        triggers = Triggers(invoiced.house)

        assert [triggers.look(), triggers.look()] == [10, 0]
        assert Triggers(invoiced.house).look() == 0, "another process tells nothing twice"
        old = replace(invoiced.house, clock=VirtualClock(invoiced.clock.now_s() + 8 * DAY_S))
        with invoiced.house.people.writing() as desk:
            desk.session.execute(delete(MessageRow))
        assert Triggers(replace(old, community=replace(old.community, connections={}))).look() == 0


def test_a_letter_that_cannot_be_made_stops_no_other(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty:
        """Breaks at the first letter, in a way that nobody thought of."""

        def __init__(self) -> None:
            self.sent: list[str] = []
            self.broke = threading.Event()
            self.done = threading.Event()

        def send(self, mail: Mail) -> str:
            if not self.broke.is_set():
                self.broke.set()
                raise ValueError(mail.to)
            self.sent.append(mail.to)
            self.done.set()
            return mail.name

    for party in ("lid-1", "lid-2"):
        account = wanting(town, party, Kind.TEST)
        with town.house.people.writing() as desk:
            queue(desk, Message(party, Kind.TEST, Channel.EMAIL, account, party, "test", {}))
    mailer = Faulty()
    loop = PostLoop(replace(town.house, mailer=mailer), send_s=0.01)

    loop.start()
    mailer.done.wait(10)
    loop.stop()

    assert mailer.sent == ["lid-2@example.nl"]
    assert "a mistake of ours, ValueError" in caplog.text
    assert "lid-1@" not in caplog.text


def test_every_letter_is_whole_in_both_languages() -> None:
    facts: dict[str, Json] = {
        "run": "2026-10/1",
        "month": "2026-10-01",
        "to_pay_cents": 614,
        "delta_cents": -42,
        "reason": "uw meter is vervangen.",
        "last_s": 1_793_617_200,
        "since_s": 1_793_617_200,
        "start_s": int(datetime(2026, 7, 2, 9, tzinfo=UTC).timestamp()),
        "end_s": int(datetime(2026, 7, 2, 13, tzinfo=UTC).timestamp()),
        "question": "7",
        "count": 2,
        "first": "Bij home-2 ontbreken 412 kwartieren.",
    }
    for tag in ("nl", "en"):
        for kind in Kind:
            letter = letter_of(kind, facts, spoken(tag))
            text = whole_text(letter, spoken(tag), "https://w.example", "Straat", "https://w/stop")
            assert "{" not in text
            assert text.count("https://w.example/") == 1
    told_sun = letter_of(Kind.SUN, facts, spoken("nl")).sentences
    assert told_sun[0].startswith("Morgen tussen 11 en 15 uur is er veel zon.")


def test_the_house_gives_the_counter_what_it_has(town: Town) -> None:
    counter = Counter.of(town.house)

    assert counter.ways == {Channel.EMAIL}
    assert counter.name == "Straat"
