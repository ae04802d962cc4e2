"""``kwartier messages``: send what is due, take in what came back, and see how it goes."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import InputError

if TYPE_CHECKING:
    from api.post.counter import Counter


def _configure(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    send = words.add_parser("send", help="send once what is due now, and stop")
    bounced = words.add_parser(
        "bounced",
        help="take in a delivery report (RFC 3464) that a mail server sent back",
        description="Take in a delivery report; exit 1 when it is none, or not about us.",
        epilog="example, as a mail server calls it:\n"
        "  kwartier messages bounced --config serve.toml - < report.eml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bounced.add_argument("file", metavar="FILE", help="the mail as it came; - for standard input")
    listed = words.add_parser("list", help="tell how far the newest messages came, without names")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="how many (%(default)s)")
    for each in (send, bounced, listed):
        each.add_argument("--config", type=Path, required=True, help="the server's settings")


def _run(chosen: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with _opened(chosen.config) as counter:
        if chosen.word == "send":
            return _send(counter)
        if chosen.word == "bounced":
            return _bounced(counter, chosen.file)
        return _list(counter, max(1, min(int(chosen.limit), 1000)))


def _send(counter: Counter) -> int:
    from dataclasses import asdict

    from api.post.sender import Sender

    outcome = Sender(counter).send_due()
    print_json(asdict(outcome))
    return 0


def _bounced(counter: Counter, file: str) -> int:
    from api.post.bounces import MOST_BYTES, read_report, take_in

    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    report = read_report(raw)
    with counter.people.writing() as desk:
        taken = take_in(desk, report)
    print_json({"message": report.mail_id, "status": report.status, "bounced": taken})
    return 0


def _list(counter: Counter, limit: int) -> int:
    from sqlalchemy import select

    from api.people.tables import MessageRow
    from kwartier.interval import instant_text

    with counter.people.reading() as desk:
        newest = select(MessageRow).order_by(MessageRow.id.desc()).limit(limit)
        rows = list(desk.session.scalars(newest))
    print_json(
        [
            {
                "number": row.id,
                "kind": row.kind,
                "channel": row.channel,
                "account": row.account,
                "subject": row.subject,
                "state": row.state,
                "tries": row.tries,
                "due": instant_text(row.due_at_s),
                "done": None if row.done_at_s is None else instant_text(row.done_at_s),
                "remark": row.remark,
            }
            for row in rows
        ]
    )
    return 0


@contextmanager
def _opened(path: Path) -> Iterator[Counter]:
    """Give what sends the messages of a server; the server itself need not run.

    Raises:
        SettingsError: The settings are wrong.
    """
    from contextlib import ExitStack

    from api.commands.serve import office_of
    from api.people.opening import open_people
    from api.post.counter import Counter
    from api.post.hook import Hook
    from api.post.smtp import SmtpMailer
    from api.settings import read_serve_settings
    from kwartier.clock import SystemClock

    settings, clock = read_serve_settings(path), SystemClock()
    with ExitStack() as parts:
        office = None if settings.books is None else office_of(settings.books)
        if office is not None:
            parts.callback(office.close)
        people = open_people(settings.state, clock, office)
        parts.callback(people.close)
        hook = None if settings.webhook is None else Hook(settings.webhook, clock)
        if hook is not None:
            parts.callback(hook.close)
        mailer = None if settings.mail is None else SmtpMailer(settings.mail, clock)
        name = settings.community.name
        yield Counter(people, office, mailer, hook, settings.public_url, name)


MESSAGES = Command(
    summary="send messages that are due, take in those that came back, list them",
    example="kwartier messages send --config serve.toml",
    extra="serve",
    configure=_configure,
    run=_run,
)
