"""Letters over real SMTP: taken, refused, busy, encrypted; and no header that was not meant."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest

from api.mail import Attachment, Mail, MailDownError, MailRefusedError
from api.post.settings import MailSettings, Security
from api.post.smtp import SmtpMailer
from kwartier.clock import VirtualClock
from tests.api.mail_server import MailServer, mail_server, make_certificate

NOON_S = 1_793_617_200
"""2 November 2026, 12:00 in Amsterdam."""
JAN = "jan@example.nl"
LETTER = Mail(JAN, "Uw afrekening", "U krijgt € 6,14.\n", "nl", name="m-1", stop_url="https://x/s")


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(autouse=True)
def emptied(server: MailServer) -> None:
    server.counter.letters.clear()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def mailer(settings: MailSettings) -> SmtpMailer:
    return SmtpMailer(settings, VirtualClock(NOON_S), timeout_s=2.0)


def only_letter(server: MailServer, to: str = JAN) -> EmailMessage[str, str]:
    [letter] = server.counter.to(to)
    return letter


def test_a_letter_arrives_with_everything_on_it(server: MailServer) -> None:
    name = mailer(server.settings).send(LETTER)

    letter = only_letter(server)
    assert name == "<m-1@wijk.example>" == letter["Message-ID"]
    assert letter["From"] == "De Straat <post@wijk.example>"
    assert letter["Reply-To"] == "bestuur@wijk.example"
    assert letter["To"] == JAN
    assert letter["Subject"] == "Uw afrekening"
    assert letter["Date"] == "Mon, 02 Nov 2026 11:00:00 +0000"
    assert letter["Content-Language"] == "nl"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"] == "<https://x/s>"
    assert letter.get_content().splitlines() == ["U krijgt € 6,14."]


def test_a_letter_that_is_sent_again_has_the_same_name(server: MailServer) -> None:
    mailer(server.settings).send(LETTER)
    mailer(server.settings).send(LETTER)

    assert {each["Message-ID"] for each in server.counter.to(JAN)} == {"<m-1@wijk.example>"}


def test_letters_without_a_name_get_one_each(server: MailServer) -> None:
    names = {mailer(server.settings).send(replace(LETTER, name="")) for _ in range(2)}

    assert len(names) == 2


@pytest.mark.parametrize("field", ["subject", "attachment", "sender"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x00"])
def test_no_name_makes_a_header_of_its_own(server: MailServer, field: str, end: str) -> None:
    evil = f"Jan{end}Bcc: everybody@example.nl{end}X-Evil: yes{end}{end}<p>"
    mail, settings = LETTER, server.settings
    if field == "subject":
        mail = replace(mail, subject=evil)
    elif field == "attachment":
        mail = replace(mail, attachments=(Attachment(evil, "text/plain", b"."),))
    else:
        named = Address(" ".join(evil.split()), "post", "wijk.example")
        settings = replace(settings, sender=named)

    mailer(settings).send(mail)

    letter = only_letter(server)
    assert (letter["Bcc"], letter["X-Evil"]) == (None, None)
    assert server.counter.to("everybody@example.nl") == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jan",
        "jan@",
        "@example.nl",
        "jan@example.nl\r\nRCPT TO:<x@example.nl>",
        "jan@example.nl\nBcc: x@example.nl",
        "jan@example.nl, piet@example.nl",
        "jan@example.nl> SIZE=1",
        "Jan <jan@example.nl>",
        "jan jansen@example.nl",
        "jan@exa mple.nl",
        "jan@-example.nl",
        "jan@example..nl",
        "a" * 65 + "@example.nl",
        "jan@" + "a" * 64 + ".nl",
        "jan\x00@example.nl",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_opened(address: str) -> None:
    nowhere = MailSettings("127.0.0.1", 1, Security.NONE, Address("", "post", "wijk.example"))

    with pytest.raises(MailRefusedError) as refused:
        mailer(nowhere).send(replace(LETTER, to=address))

    assert "example" not in str(refused.value).replace("name@example.nl", "")


def test_a_domain_with_accents_goes_in_letters_of_the_wire(server: MailServer) -> None:
    mailer(server.settings).send(replace(LETTER, to="jan@bücher.example"))

    assert only_letter(server, "jan@xn--bcher-kva.example")["Subject"] == "Uw afrekening"


def test_a_name_with_accents_goes_as_smtputf8_and_only_then(server: MailServer) -> None:
    mailer(server.settings).send(replace(LETTER, to="rené@example.nl"))

    assert only_letter(server, "rené@example.nl")["Subject"] == "Uw afrekening"


def test_an_address_that_is_refused_is_refused_for_good_and_stands_in_no_message(
    server: MailServer,
) -> None:
    server.counter.refused.add("weg@example.nl")

    with pytest.raises(MailRefusedError) as refused:
        mailer(server.settings).send(replace(LETTER, to="weg@example.nl"))

    assert refused.value.code == "550 5.1.1"
    assert "weg@" not in str(refused.value)


def test_a_busy_server_is_tried_later(server: MailServer) -> None:
    server.counter.busy[JAN] = 1

    with pytest.raises(MailDownError) as down:
        mailer(server.settings).send(LETTER)

    assert (down.value.reason, down.value.code) == ("busy", "451 4.7.1")
    assert "jan" not in str(down.value)
    mailer(server.settings).send(LETTER)
    assert len(server.counter.to(JAN)) == 1


def test_a_server_that_hangs_up_is_tried_later(server: MailServer) -> None:
    server.counter.hang_up_after_data = 1

    with pytest.raises(MailDownError, match="unreachable"):
        mailer(server.settings).send(LETTER)


def test_a_server_that_says_nothing_costs_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        settings = MailSettings("127.0.0.1", port, Security.NONE, Address("", "p", "wijk.example"))

        with pytest.raises(MailDownError, match="unreachable"):
            SmtpMailer(settings, VirtualClock(NOON_S), timeout_s=0.2).send(LETTER)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_verified_server_takes_the_password_and_the_letter(
    certificate: tuple[Path, Path], security: Security
) -> None:
    with mail_server(certificate, security=security) as secured:
        mailer(secured.settings).send(LETTER)

        assert len(secured.counter.to(JAN)) == 1


def test_a_server_nobody_vouches_for_gets_neither_password_nor_letter(
    certificate: tuple[Path, Path],
) -> None:
    with mail_server(certificate, security=Security.STARTTLS) as unknown:
        with pytest.raises(MailDownError, match="certificate"):
            mailer(replace(unknown.settings, ca_file=None)).send(LETTER)

        assert unknown.counter.letters == []


def test_a_server_of_another_name_gets_nothing(tmp_path: Path) -> None:
    with mail_server(make_certificate(tmp_path, "127.0.0.9"), security=Security.TLS) as other:
        with pytest.raises(MailDownError, match="certificate"):
            mailer(other.settings).send(LETTER)

        assert other.counter.letters == []


def test_a_server_that_cannot_encrypt_gets_nothing(server: MailServer) -> None:
    with pytest.raises(MailDownError, match="no_tls"):
        mailer(replace(server.settings, security=Security.STARTTLS)).send(LETTER)

    assert server.counter.letters == []


@pytest.mark.parametrize("password", ["another", "geïnd-wachtwoord"])
def test_a_wrong_password_is_our_mistake_and_not_the_readers(
    certificate: tuple[Path, Path], password: str
) -> None:
    with mail_server(certificate, security=Security.STARTTLS) as secured:
        wrong = replace(secured.settings, password=password)

        with pytest.raises(MailDownError) as down:
            mailer(wrong).send(LETTER)

    assert down.value.reason == "login"
    assert password not in str(down.value) + repr(wrong)


def test_threads_may_share_it(server: MailServer) -> None:
    shared = mailer(server.settings)
    threads = [threading.Thread(target=shared.send, args=(LETTER,)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(server.counter.to(JAN)) == 4
