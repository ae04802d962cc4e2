"""The outbox and its sender against a real mail server: nothing lost, nothing twice, no night."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from api.mail import Mail, MailDownError
from api.people.accounts import SYSTEM, add_account
from api.people.acts import first_broken
from api.people.mail_links import set_email
from api.people.opening import open_people
from api.people.privacy import erase_account
from api.people.tables import MessageRow
from api.people.wishes import FOR_RESIDENTS, Channel, Kind, end_wish, set_wishes
from api.post.counter import Counter
from api.post.hours import MOST_TRIES, due_at, eight, is_day, next_day_start
from api.post.outbox import LEASE_S, PER_MINUTE, Message, State, health_of, queue
from api.post.sender import Outcome, Sender
from api.post.smtp import SmtpMailer
from kwartier.clock import VirtualClock
from tests.api.mail_server import MailServer, mail_server

NOON_S = int(datetime(2026, 11, 2, 11, tzinfo=UTC).timestamp())
"""2 November 2026, 12:00 in Amsterdam."""
JAN = "jan@example.nl"
STATEMENT: dict[str, str | int] = {"run": "2026-10/1", "month": "2026-10-01", "to_pay_cents": -614}


@dataclass
class Post:
    """An outbox with one reader, and a sender with a real mail server."""

    clock: VirtualClock
    counter: Counter
    server: MailServer
    account: str

    @property
    def sender(self) -> Sender:
        """A sender that just started."""
        return Sender(self.counter)

    def put(self, key: str = "k-1", kind: Kind = Kind.STATEMENT, **facts: str | int) -> bool:
        """Write a message down, and return whether it is new."""
        told = facts or (STATEMENT if kind is Kind.STATEMENT else facts)
        message = Message(key, kind, Channel.EMAIL, self.account, "", "2026-10/1", {**told})
        with self.counter.people.writing() as desk:
            return queue(desk, message)

    def rows(self) -> list[MessageRow]:
        """Return every message."""
        with self.counter.people.reading() as desk:
            return list(desk.session.scalars(select(MessageRow).order_by(MessageRow.id)))

    def letters(self) -> list[EmailMessage[str, str]]:
        """Return what the reader got."""
        return self.server.counter.to(JAN)


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def post(tmp_path: Path, server: MailServer) -> Iterator[Post]:
    server.counter.letters.clear()
    server.counter.refused.clear()
    server.counter.busy.clear()
    clock = VirtualClock(NOON_S)
    people = open_people(tmp_path, clock)
    with people.writing() as desk:
        account = add_account(desk, SYSTEM, name="Jan")
        set_email(desk, SYSTEM, account, JAN)
        every = {(kind, Channel.EMAIL) for kind in FOR_RESIDENTS}
        set_wishes(desk, account, account, every, FOR_RESIDENTS)
    mailer = SmtpMailer(server.settings, clock, timeout_s=2.0)
    url = "https://wijk.example"
    yield Post(clock, Counter(people, None, mailer, None, url, "De Straat"), server, account)
    people.close()


def test_a_statement_is_told_in_a_few_words_and_a_link(post: Post) -> None:
    post.put()

    assert post.sender.send_due() == Outcome(sent=1)

    [letter] = post.letters()
    text = letter.get_content()
    assert letter["Subject"] == "Uw afrekening van oktober 2026 staat klaar"
    assert "U krijgt €\xa06,14." in text
    assert "https://wijk.example/afrekening/2026-10/1" in text
    assert letter["List-Unsubscribe"].strip("<>") in text
    assert [row.state for row in post.rows()] == [State.SENT]


def test_who_is_forgotten_while_their_letter_waits_stops_nobody(post: Post) -> None:
    class Away:
        """Is away, and meanwhile the reader has themselves forgotten."""

        def send(self, mail: Mail) -> str:
            assert mail.to == JAN
            with post.counter.people.writing() as desk:
                erase_account(desk, post.account)
            raise MailDownError("unreachable")

    post.put(kind=Kind.METER, last_s=NOON_S)

    outcome = Sender(replace(post.counter, mailer=Away())).send_due()

    assert outcome == Outcome(failed=1)
    assert post.rows() == []


def test_tomorrows_sun_is_not_told_on_the_day_itself(post: Post) -> None:
    post.clock.advance(8 * 3600)  # it is eight in the evening, and the server is away
    post.put("sun", Kind.SUN, start_s=NOON_S + 86_400, end_s=NOON_S + 93_600)
    post.clock.advance(12 * 3600)

    outcome = post.sender.send_due()

    assert outcome == Outcome(cancelled=1)
    assert [(row.state, row.remark) for row in post.rows()] == [(State.CANCELLED, "late")]


def test_one_key_is_one_message(post: Post) -> None:
    assert [post.put(), post.put()] == [True, False]

    post.sender.send_due()
    post.sender.send_due()

    assert len(post.letters()) == 1


def test_facts_do_not_stand_open_in_the_book(post: Post) -> None:
    post.put(
        kind=Kind.CORRECTED, run="2026-10/2", month="2026-10-01", delta_cents=42, reason="rijk"
    )

    [row] = post.rows()
    assert "rijk" not in row.facts


def test_a_sender_that_dies_while_sending_sends_it_again_under_the_same_name(post: Post) -> None:
    class Dying:
        """Hands the letter over, and then the process ends."""

        def send(self, mail: Mail) -> str:
            assert post.counter.mailer is not None
            post.counter.mailer.send(mail)
            raise SystemExit

    post.put()
    with pytest.raises(SystemExit):
        Sender(replace(post.counter, mailer=Dying())).send_due()
    assert [row.state for row in post.rows()] == [State.SENDING]
    assert post.sender.send_due() == Outcome(), "somebody else may still be sending it"

    post.clock.advance(LEASE_S)
    assert post.sender.send_due() == Outcome(sent=1)
    post.clock.advance(LEASE_S)
    post.sender.send_due()

    assert len(post.letters()) == 2
    assert len({letter["Message-ID"] for letter in post.letters()}) == 1


def test_a_letter_the_server_took_without_saying_so_keeps_its_name(post: Post) -> None:
    post.put()
    post.server.counter.hang_up_after_data = 1

    assert post.sender.send_due() == Outcome(put_back=1)
    post.clock.advance(60)
    assert post.sender.send_due() == Outcome(sent=1)

    assert len({letter["Message-ID"] for letter in post.letters()}) == 1


def test_an_address_that_is_refused_bounces_at_once(post: Post) -> None:
    post.server.counter.refused.add(JAN)
    post.put()

    assert post.sender.send_due() == Outcome(bounced=1)

    [row] = post.rows()
    assert (row.state, row.remark, row.tries) == (State.BOUNCED, "refused 550 5.1.1", 1)


def test_a_busy_server_is_tried_in_growing_pauses(post: Post) -> None:
    post.server.counter.busy[JAN] = 3
    post.put()

    waited = []
    for _ in range(3):
        post.sender.send_due()
        [row] = post.rows()
        waited.append(row.due_at_s - int(post.clock.now_s()))
        assert post.sender.send_due() == Outcome(), "not before the pause is over"
        post.clock.advance(waited[-1])
    post.sender.send_due()

    assert waited == [60, 300, 900]
    assert [row.state for row in post.rows()] == [State.SENT]


def test_after_three_days_a_message_is_given_up_with_the_reason(post: Post) -> None:
    post.server.counter.busy[JAN] = 1000
    post.put()

    for _ in range(200):
        post.sender.send_due()
        post.clock.advance(3_600)

    [row] = post.rows()
    assert (row.state, row.remark) == (State.FAILED, "busy 451 4.7.1")
    assert row.tries <= MOST_TRIES
    assert row.done_at_s is not None
    assert 2 * 86_400 < row.done_at_s - NOON_S <= 3 * 86_400 + 12 * 3_600


def test_a_server_that_is_away_is_asked_once_and_costs_no_other_message_a_try(post: Post) -> None:
    post.put("k-1")
    post.put("k-2")
    away = SmtpMailer(replace(post.server.settings, port=1), post.clock, timeout_s=0.5)
    sender = Sender(replace(post.counter, mailer=away))

    assert sender.send_due() == Outcome(put_back=1)

    assert [(row.state, row.tries) for row in post.rows()] == [("queued", 1), ("queued", 0)]
    with post.counter.people.reading() as desk:
        health = health_of(desk, Channel.EMAIL)
    assert (health.last_error, health.last_error_s) == ("unreachable", NOON_S)
    assert (health.last_sent_s, health.waiting) == (None, 2)


def test_no_more_than_so_many_go_in_a_minute(post: Post) -> None:
    for number in range(PER_MINUTE + 5):
        post.put(f"k-{number}")

    sender = post.sender
    assert sender.send_due().sent == PER_MINUTE
    assert sender.send_due().sent == 0
    post.clock.advance(61)
    assert sender.send_due().sent == 5


def test_at_night_only_what_was_asked_for_goes(post: Post) -> None:
    post.clock.advance(9 * 3600)
    post.put("statement")
    post.put("test", Kind.TEST)

    assert post.sender.send_due() == Outcome(sent=1)
    assert post.letters()[0]["Subject"] == "Dit is een proefbericht"
    post.clock.advance(11 * 3600 - 1)
    assert post.sender.send_due() == Outcome()
    post.clock.advance(1)
    assert post.sender.send_due() == Outcome(sent=1)


@pytest.mark.parametrize(
    ("local", "day", "next_start"),
    [
        ("2026-11-02T07:59+01:00", False, "2026-11-02T08:00+01:00"),
        ("2026-11-02T08:00+01:00", True, "2026-11-02T08:00+01:00"),
        ("2026-11-02T20:59+01:00", True, "2026-11-02T20:59+01:00"),
        ("2026-11-02T21:00+01:00", False, "2026-11-03T08:00+01:00"),
        ("2026-03-28T23:00+01:00", False, "2026-03-29T08:00+02:00"),
        ("2026-03-29T01:00+01:00", False, "2026-03-29T08:00+02:00"),
        ("2026-10-24T23:00+02:00", False, "2026-10-25T08:00+01:00"),
        ("2026-12-31T22:00+01:00", False, "2027-01-01T08:00+01:00"),
    ],
)
def test_the_day_is_from_eight_to_nine_in_amsterdam(local: str, day: bool, next_start: str) -> None:
    at_s = int(datetime.fromisoformat(local).timestamp())

    assert is_day(at_s) is day
    assert next_day_start(at_s) == int(datetime.fromisoformat(next_start).timestamp())
    assert due_at(Kind.TEST, at_s) == at_s


def test_eight_is_eight_on_the_day_the_clock_changes() -> None:
    told = datetime.fromtimestamp(eight(date(2026, 10, 25)), UTC)

    assert told == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_what_nobody_wants_any_more_is_not_sent_and_a_statement_goes_by_post(post: Post) -> None:
    post.put("statement")
    post.put("sun", Kind.SUN, start_s=NOON_S, end_s=NOON_S + 7200)
    with post.counter.people.writing() as desk:
        for kind in (Kind.STATEMENT, Kind.SUN):
            end_wish(desk, post.account, post.account, kind, Channel.EMAIL)

    assert post.sender.send_due() == Outcome(cancelled=2)

    assert post.letters() == []
    told = [(row.key, row.channel, row.state, row.remark) for row in post.rows()]
    assert told == [
        ("statement", "email", "cancelled", "not_wanted"),
        ("sun", "email", "cancelled", "not_wanted"),
        ("statement:paper", "paper", "queued", ""),
    ]


def test_the_sun_of_tomorrow_is_not_told_the_day_after(post: Post) -> None:
    post.server.counter.busy[JAN] = 10
    post.put("sun", Kind.SUN, start_s=NOON_S, end_s=NOON_S + 7200)

    for _ in range(6):
        post.sender.send_due()
        post.clock.advance(3_600)

    assert [row.state for row in post.rows()] == [State.FAILED]


def test_no_log_names_a_person(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post.server.counter.refused.add(JAN)
    post.put("k-1")
    post.sender.send_due()
    post.server.counter.refused.clear()
    post.put("k-2")
    away = SmtpMailer(replace(post.server.settings, port=1), post.clock, timeout_s=0.5)
    Sender(replace(post.counter, mailer=away)).send_due()

    ours = " ".join(each.getMessage() for each in caplog.records if each.name.startswith("api."))
    assert "messages by email wait: unreachable" in ours
    assert "jan" not in ours.lower()
    assert "614" not in ours


def test_every_wish_is_an_act_and_the_acts_hang_together(post: Post) -> None:
    with post.counter.people.reading() as desk:
        assert first_broken(desk) is None
