"""The sender: takes what is due out of the outbox, one at a time, and sends it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from api.mail import Mail, MailDownError, MailRefusedError
from api.people.book import PeopleDesk
from api.people.errors import UnknownError
from api.people.tables import MessageRow
from api.people.wishes import STATEMENTS, Channel, Kind, wants
from api.post.counter import Counter, Reader, reader_of
from api.post.hook import HookDownError, HookRefusedError, Note
from api.post.hours import ASKED_FOR, MOST_TRIES, due_at, is_stale
from api.post.letters import letter_of, spoken, whole_text
from api.post.outbox import Message, State, end, facts_of, put_back, queue, take_next
from api.post.stopping import Stop, stop_link
from kwartier.errors import LinkDownError
from kwartier.wire import Json

_log = logging.getLogger(__name__)

REST_S = 60.0
"""How long a way is left alone after its server was away [s]."""


@dataclass(slots=True)
class Outcome:
    """What came of one round."""

    sent: int = 0
    bounced: int = 0
    failed: int = 0
    cancelled: int = 0
    put_back: int = 0


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A message with its reader, ready to go."""

    row: MessageRow
    reader: Reader
    facts: dict[str, Json]
    stop_url: str


class Sender:
    """Sends what is due; one for each process, and another process does no harm."""

    def __init__(self, counter: Counter) -> None:
        """Prepare to send; nothing is sent yet."""
        self._counter = counter
        self._rests_until: dict[Channel, float] = {}
        self._away: dict[Channel, str] = {}

    def send_due(self, stopping: threading.Event | None = None) -> Outcome:
        """Send everything that is due now, and return what came of it."""
        outcome = Outcome()
        while stopping is None or not stopping.is_set():
            parcel = self._take(outcome)
            if parcel is None:
                return outcome
            if isinstance(parcel, _Parcel):
                self._deliver(parcel, outcome)
        return outcome

    def _take(self, outcome: Outcome) -> _Parcel | bool | None:
        """Return the next parcel; True for a message that ends here, None when all is done."""
        with self._counter.people.writing() as desk:
            row = take_next(desk, self._resting())
            if row is None:
                return None
            if row.tries > MOST_TRIES:
                end(desk, row.id, State.FAILED, "given_up")
                outcome.failed += 1
                return True
            kind = Kind(row.kind)
            unwanted, reader = self._reader(desk, row)
            if is_stale(kind, due_at(kind, row.made_at_s), desk.at_s):
                unwanted, reader = "late", None
            if reader is None:
                end(desk, row.id, State.CANCELLED, unwanted)
                outcome.cancelled += 1
                return True
            stop_url = ""
            if kind not in ASKED_FOR:
                stop = Stop(row.account, kind, Channel(row.channel))
                stop_url = stop_link(desk.keys, self._counter.public_url, stop)
            return _Parcel(row, reader, facts_of(desk, row), stop_url)

    def _reader(self, desk: PeopleDesk, row: MessageRow) -> tuple[str, Reader | None]:
        """Return who gets a message; or why nobody does, and then a statement goes by post."""
        kind, channel = Kind(row.kind), Channel(row.channel)
        try:
            reader = reader_of(desk, self._counter.office, row.account)
        except UnknownError:
            reader = None
        why = ""
        if reader is None:
            why = "no_account"
        elif kind not in ASKED_FOR and not wants(desk, row.account, kind, channel):
            why = "not_wanted"
        elif channel is Channel.EMAIL and not reader.email:
            why = "no_address"
        if not why:
            return "", reader
        if kind in STATEMENTS and channel is Channel.EMAIL:
            key, account = f"{row.key}:{Channel.PAPER}", "" if reader is None else row.account
            facts = facts_of(desk, row)
            queue(desk, Message(key, kind, Channel.PAPER, account, row.party, row.subject, facts))
        return why, None

    def _deliver(self, parcel: _Parcel, outcome: Outcome) -> None:
        number, channel = parcel.row.id, Channel(parcel.row.channel)
        try:
            if channel is Channel.EMAIL:
                self._mail(parcel)
            else:
                self._post(parcel)
        except (MailRefusedError, HookRefusedError) as error:
            code = error.code if isinstance(error, MailRefusedError) else str(error.status)
            with self._counter.people.writing() as desk:
                end(desk, number, State.BOUNCED, f"refused {code}".rstrip())
            outcome.bounced += 1
            return
        except LinkDownError as error:
            self._again(number, channel, _reason(error), outcome)
            return
        with self._counter.people.writing() as desk:
            end(desk, number, State.SENT)
        outcome.sent += 1
        if self._away.pop(channel, None) is not None:
            _log.warning("messages by %s go out again", channel)

    def _again(self, number: int, channel: Channel, reason: str, outcome: Outcome) -> None:
        with self._counter.people.writing() as desk:
            goes_on = put_back(desk, number, reason)
        outcome.put_back += goes_on
        outcome.failed += not goes_on
        if reason.startswith("busy"):
            return  # that may be about this one reader: others are tried
        now_s = self._counter.people.clock.monotonic_s()
        self._rests_until[channel] = now_s + REST_S
        if self._away.get(channel) != reason:
            _log.warning("messages by %s wait: %s", channel, reason)
            self._away[channel] = reason

    def _mail(self, parcel: _Parcel) -> None:
        mailer, reader = self._counter.mailer, parcel.reader
        assert mailer is not None
        lang = spoken(reader.language)
        letter = letter_of(Kind(parcel.row.kind), parcel.facts, lang)
        public_url, name = self._counter.public_url, self._counter.name
        text = whole_text(letter, lang, public_url, name, parcel.stop_url)
        mailer.send(
            Mail(
                reader.email,
                letter.title,
                text,
                lang.tag,
                name=parcel.row.mail_id,
                stop_url=parcel.stop_url,
            )
        )

    def _post(self, parcel: _Parcel) -> None:
        hook = self._counter.hook
        assert hook is not None
        lang = spoken(parcel.reader.language)
        letter = letter_of(Kind(parcel.row.kind), parcel.facts, lang)
        hook.post(
            Note(
                parcel.row.mail_id,
                parcel.row.kind,
                parcel.row.account,
                lang.tag,
                letter.title,
                letter.title if letter.private else " ".join(letter.sentences),
                f"{self._counter.public_url}{letter.path}",
            )
        )

    def _resting(self) -> frozenset[Channel]:
        """Return the ways that are closed, or left alone for now."""
        now_s = self._counter.people.clock.monotonic_s()
        open_ways = self._counter.ways
        resting = {way for way, until_s in self._rests_until.items() if now_s < until_s}
        return frozenset(way for way in Channel if way not in open_ways or way in resting)


def _reason(error: LinkDownError) -> str:
    if isinstance(error, MailDownError):
        return f"{error.reason} {error.code}".rstrip()
    if isinstance(error, HookDownError):
        return error.reason
    return "unreachable"
