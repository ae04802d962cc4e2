"""What comes from outside: a webhook's receiver, reports of bounced mail, settings, the command."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from api.people.accounts import SYSTEM, add_account
from api.people.book import PeopleBook
from api.people.mail_links import set_email
from api.people.opening import open_people
from api.people.tables import MessageRow
from api.people.wishes import Channel, Kind, set_wishes
from api.post.bounces import MOST_BYTES, read_report, take_in
from api.post.counter import Counter
from api.post.folder import FolderMailer
from api.post.hook import Hook, HookDownError, HookRefusedError, Note, signature
from api.post.outbox import Message, State, end, queue
from api.post.sender import Outcome, Sender
from api.post.settings import WebhookSettings, read_mail, read_webhook
from kwartier.cli import main
from kwartier.clock import SystemClock, VirtualClock
from kwartier.errors import ContractError, SettingsError
from kwartier.settings import Table
from kwartier.wire import Json
from tests.api.mail_server import MailServer, mail_server

NOON_S = 1_793_617_200
SECRET = b"een-geheim-van-een-test"
NOTE = Note("m-1", "sun", "a-1", "nl", "Morgen is er veel zon", "Tussen 11 en 15.", "https://w/")


@dataclass
class Receiver:
    """What a webhook's receiver answers, and what it got."""

    url: str
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(running.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Receiver(f"http://127.0.0.1:{server.server_address[1]}/in")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleBook]:
    book = open_people(tmp_path / "state", VirtualClock(NOON_S))
    yield book
    book.close()


@contextmanager
def hook_to(url: str) -> Iterator[Hook]:
    hook = Hook(WebhookSettings(url, SECRET), VirtualClock(NOON_S), silence_s=1.0)
    yield hook
    hook.close()


def test_a_note_is_signed_so_that_its_receiver_knows_it(receiver: Receiver) -> None:
    with hook_to(receiver.url) as hook:
        hook.post(NOTE)

    [(headers, body)] = receiver.got
    assert headers["webhook-id"] == "m-1"
    assert headers["webhook-timestamp"] == str(NOON_S)
    assert headers["webhook-signature"] == signature(SECRET, "m-1", str(NOON_S), body)
    assert json.loads(body)["title"] == "Morgen is er veel zon"


def test_the_signature_is_that_of_the_standard() -> None:
    # The example of the Standard Webhooks test suite: secret, id, time and payload.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'

    told = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)

    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [301, 307, 408, 429, 500, 503])
def test_a_receiver_that_is_busy_or_elsewhere_is_tried_later(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status

    with hook_to(receiver.url) as hook, pytest.raises(HookDownError, match=str(status)):
        hook.post(NOTE)

    assert len(receiver.got) == 1, "no redirect is followed"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_receiver_that_refuses_refuses_for_good(receiver: Receiver, status: int) -> None:
    receiver.status = status

    with hook_to(receiver.url) as hook, pytest.raises(HookRefusedError):
        hook.post(NOTE)


def test_a_receiver_that_is_away_is_tried_later() -> None:
    with hook_to("http://127.0.0.1:1/in") as hook, pytest.raises(HookDownError):
        hook.post(NOTE)


def test_another_machine_gets_no_amount_and_no_address(
    people: PeopleBook, receiver: Receiver
) -> None:
    statement: dict[str, Json] = {"run": "2026-10/1", "month": "2026-10-01", "to_pay_cents": -614}
    with people.writing() as desk:
        account = add_account(desk, SYSTEM, name="Jan")
        set_email(desk, SYSTEM, account, "jan@example.nl")
        way = (Kind.STATEMENT, Channel.WEBHOOK)
        set_wishes(desk, account, account, [way], [Kind.STATEMENT])
        queue(desk, Message("k", *way, account, "", "2026-10/1", statement))
    with hook_to(receiver.url) as hook:
        outcome = Sender(Counter(people, None, None, hook, "https://w", "Straat")).send_due()

    [(_, body)] = receiver.got
    assert outcome == Outcome(sent=1)
    assert json.loads(body)["text"] == "Uw afrekening van oktober 2026 staat klaar"
    assert b"6,14" not in body
    assert b"jan" not in body.lower()


def bounce(
    mail_id: str, *, action: str = "failed", status: str = "5.1.1", whole: bool = True
) -> str:
    """Return a delivery report as mail servers write it."""
    third = "message/rfc822" if whole else "text/rfc822-headers"
    return f"""From: MAILER-DAEMON@example.nl
To: post@wijk.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your mail to <jan@example.nl>.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.nl
Arrival-Date: Mon, 2 Nov 2026 12:00:00 +0100

Final-Recipient: rfc822; jan@example.nl
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <jan@example.nl>: no such user
--b
Content-Type: {third}

From: De Straat <post@wijk.example>
Message-ID: <{mail_id}@wijk.example>
Subject: Uw afrekening

U krijgt
--b--
"""


@pytest.fixture
def sent(people: PeopleBook) -> str:
    """The name of a letter that was sent."""
    with people.writing() as desk:
        queue(desk, Message("k", Kind.SUN, Channel.EMAIL, "a-1", "", "sun", {}))
        row = desk.session.scalars(select(MessageRow)).one()
        end(desk, row.id, State.SENT)
        return row.mail_id


def state_of(people: PeopleBook) -> tuple[str, str]:
    with people.reading() as desk:
        row = desk.session.scalars(select(MessageRow)).one()
        return row.state, row.remark


@pytest.mark.parametrize("whole", [True, False])
def test_a_report_tells_which_letter_came_back_and_why(
    people: PeopleBook, sent: str, *, whole: bool
) -> None:
    report = read_report(bounce(sent, whole=whole).encode())
    with people.writing() as desk:
        assert take_in(desk, report)
    with people.writing() as desk:
        assert not take_in(desk, report), "the same report twice is one bounce"

    assert state_of(people) == ("bounced", "bounced 5.1.1")


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", ""])
def test_a_report_of_anything_but_failure_changes_nothing(
    people: PeopleBook, sent: str, action: str
) -> None:
    with people.writing() as desk:
        assert not take_in(desk, read_report(bounce(sent, action=action).encode()))

    assert state_of(people) == ("sent", "")


def test_a_report_about_a_letter_nobody_sent_changes_nothing(people: PeopleBook, sent: str) -> None:
    other = "m-" + "0" * 24
    assert other != sent

    with people.writing() as desk:
        assert not take_in(desk, read_report(bounce(other).encode()))

    assert state_of(people) == ("sent", "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: hello\n\nhello",
        b"\xff" * 1000,
        b"x" * (MOST_BYTES + 1),
        bounce("m-x").encode(),
        bounce("m-" + "0" * 24).replace("delivery-status\n", "x-status\n").encode(),
        b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\n" * 150_000,
        b"Content-Type: message/rfc822\n\n" * 30_000,
        b"Content-Type: message/rfc822\n\n" * 50,
    ],
)
def test_what_is_no_report_of_ours_is_refused_in_a_sentence(raw: bytes) -> None:
    with pytest.raises(ContractError):
        read_report(raw)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"host": "mail.example", "sender": "a@b.nl", "tls": "none"}, "in the clear"),
        ({"host": "mail.example", "sender": "a@b.nl", "tls": "ssl"}, "starttls, tls or none"),
        ({"host": "mail.example", "sender": "niemand"}, "mail.sender"),
        ({"host": "mail.example", "sender": "a@b.nl\r\nBcc: c@d.nl"}, "mail.sender"),
        ({"host": "mail.example", "sender": "a@b.nl", "reply_to": "x"}, "mail.reply_to"),
        ({"host": "mail.example", "sender": "a@b.nl", "username": "a"}, "password_file"),
        ({"host": "mail.example", "sender": "a@b.nl", "ca_file": "away.pem"}, "away.pem"),
        ({"sender": "a@b.nl"}, "host"),
    ],
)
def test_wrong_mail_settings_are_refused(
    tmp_path: Path, table: dict[str, object], wrong: str
) -> None:
    with pytest.raises(SettingsError, match=wrong):
        read_mail(Table(table, "mail."), tmp_path)


def test_a_sender_may_have_a_name() -> None:
    table = Table({"host": "127.0.0.1", "tls": "none", "sender": "De Straat <post@wijk.example>"})

    settings = read_mail(table, Path())

    assert str(settings.sender) == "De Straat <post@wijk.example>"
    assert settings.port == 25


@pytest.mark.parametrize(
    ("url", "secret", "wrong"),
    [
        ("http://wijk.example/x", "een-geheim-van-een-test", "https"),
        ("https://user:pw@wijk.example/x", "een-geheim-van-een-test", "https"),
        ("file:///etc/passwd", "een-geheim-van-een-test", "https"),
        ("https://wijk.example/x", "kort", "16 letters"),
        ("https://wijk.example/x", "whsec_not base64!", "16 letters"),
    ],
)
def test_wrong_webhook_settings_are_refused_without_the_secret(
    tmp_path: Path, url: str, secret: str, wrong: str
) -> None:
    (tmp_path / "secret").write_text(secret)

    with pytest.raises(SettingsError, match=wrong) as refused:
        read_webhook(Table({"url": url, "secret_file": "secret"}, "webhook."), tmp_path)

    assert secret not in str(refused.value)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[tuple[Path, MailServer]]:
    """Settings of a server that sends through a real mail server."""
    homes = '[[connection]]\nid = "huis-01"\nmember = "lid-01"\ngateway = "gw-01"\n'
    (tmp_path / "wijk.toml").write_text(f'coop = "straat"\nname = "De Straat"\n{homes}')
    with mail_server() as server:
        (tmp_path / "serve.toml").write_text(
            'community = "wijk.toml"\nstore = "record.db"\nstate = "state"\n'
            f'[mail]\nhost = "127.0.0.1"\nport = {server.settings.port}\ntls = "none"\n'
            'sender = "De Straat <post@wijk.example>"\n'
        )
        yield tmp_path / "serve.toml", server


def test_the_command_sends_lists_and_takes_in(
    config: tuple[Path, MailServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, server = config
    book = open_people(path.parent / "state", SystemClock())
    with book.writing() as desk:
        account = add_account(desk, SYSTEM, name="Jan")
        set_email(desk, SYSTEM, account, "jan@example.nl")
        queue(desk, Message("k", Kind.TEST, Channel.EMAIL, account, "", "", {}))
    options = ["--config", str(path)]

    assert main(["messages", "send", *options]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == 1
    [letter] = server.counter.to("jan@example.nl")
    name = letter["Message-ID"].strip("<>").split("@")[0]
    (path.parent / "report.eml").write_text(bounce(name))
    assert main(["messages", "bounced", *options, str(path.parent / "report.eml")]) == 0
    assert json.loads(capsys.readouterr().out)["bounced"] is True
    assert main(["messages", "list", *options]) == 0
    told = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Subject: no\n\nreport")))
    assert main(["messages", "bounced", *options, "-"]) == 1

    [row] = json.loads(told)
    assert (row["kind"], row["state"], row["remark"]) == ("test", "bounced", "bounced 5.1.1")
    assert "jan" not in told.lower().replace("january", "")
    assert "RFC 3464" in capsys.readouterr().err
    book.close()


def test_the_demo_keeps_its_letters_in_a_folder(people: PeopleBook, tmp_path: Path) -> None:
    with people.writing() as desk:
        account = add_account(desk, SYSTEM, name="Jan")
        set_email(desk, SYSTEM, account, "jan@example.nl")
        queue(desk, Message("k", Kind.TEST, Channel.EMAIL, account, "", "", {}))
    mailer = FolderMailer(tmp_path / "letters", VirtualClock(NOON_S))

    Sender(Counter(people, None, mailer, None, "https://w", "Straat")).send_due()

    [file] = (tmp_path / "letters").iterdir()
    assert "Subject: Dit is een proefbericht" in file.read_text()
