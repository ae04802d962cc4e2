"""Letters by SMTP: encrypted and verified, with a time-out on every step.

A letter keeps its Message-ID however often it is sent, so that a reader's mail program shows it
once. The server's words are not passed on, for they quote the address; its codes are.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from api.mail import Mail, MailDownError, MailRefusedError, address_parts, one_line
from api.post.settings import MailSettings, Security
from kwartier.clock import Clock

TIMEOUT_S = 20.0
"""How long the server may be silent at any step [s]."""
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


class SmtpMailer:
    """Sends letters through one mail server; safe to share between threads."""

    def __init__(
        self, settings: MailSettings, clock: Clock, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Prepare to send; nothing is opened yet.

        Args:
            settings: The server, and who sends.
            clock: For the date of a letter.
            timeout_s: How long the server may be silent [s].
        """
        self._settings = settings
        self._clock = clock
        self._timeout_s = timeout_s
        self._context = settings.context()

    def send(self, mail: Mail) -> str:
        """Hand a letter over, and return its Message-ID.

        Raises:
            MailRefusedError: It is refused for good.
            MailDownError: The server cannot be reached or is busy: try again later.
        """
        local, domain = address_parts(mail.to)
        to, sender = f"{local}@{domain}", self._settings.sender
        name = f"<{mail.name}@{sender.domain}>" if mail.name else make_msgid(domain=sender.domain)
        letter = letter_bytes(mail, self._settings, self._clock.now_s(), name)
        options = () if to.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
        with _translated(), self._opened() as server:
            server.ehlo_or_helo_if_needed()
            if options and not server.has_extn("smtputf8"):
                raise MailRefusedError("the mail server knows no such addresses", "smtputf8")
            server.sendmail(sender.addr_spec, [to], letter, options)
        return name

    @contextmanager
    def _opened(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            if self._settings.security is Security.STARTTLS:
                server.starttls(context=self._context)
            if self._settings.username:
                _log_in(server, self._settings)
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()  # the letter is theirs by now, whatever becomes of the goodbye
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        name = settings.sender.domain
        if settings.security is Security.TLS:
            assert self._context is not None
            return smtplib.SMTP_SSL(
                settings.host,
                settings.port,
                local_hostname=name,
                timeout=self._timeout_s,
                context=self._context,
            )
        return smtplib.SMTP(
            settings.host, settings.port, local_hostname=name, timeout=self._timeout_s
        )


def _log_in(server: smtplib.SMTP, settings: MailSettings) -> None:
    try:
        server.login(settings.username, settings.password)
    except (smtplib.SMTPNotSupportedError, UnicodeError):
        raise MailDownError("login") from None  # none knows letters beyond ASCII in a password


def letter_bytes(mail: Mail, settings: MailSettings, now_s: float, name: str) -> bytes:
    """Return a letter as it goes over the wire.

    Args:
        mail: The letter.
        settings: Who sends it.
        now_s: Its date [s].
        name: Its Message-ID.

    Raises:
        MailRefusedError: The address is none.
    """
    local, domain = address_parts(mail.to)
    letter: EmailMessage[object, object] = EmailMessage(SMTP)
    letter.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    for each in mail.attachments:
        main, _, sub = each.media_type.partition("/")
        letter.add_attachment(each.body, main, sub, filename=one_line(each.name, 100))
    letter["From"] = settings.sender
    letter["To"] = Address(username=local, domain=domain)
    if settings.reply_to:
        letter["Reply-To"] = settings.reply_to
    letter["Subject"] = one_line(mail.subject)
    letter["Date"] = datetime.fromtimestamp(int(now_s), UTC)
    letter["Message-ID"] = name
    letter["Content-Language"] = mail.language
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    if mail.stop_url:
        letter["List-Unsubscribe"] = f"<{mail.stop_url}>"
    # An address is never folded: a mail program would not find it again.
    return letter.as_bytes(policy=SMTP.clone(max_line_length=900, utf8=not local.isascii()))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        (code, words), *_ = error.recipients.values()
        raise _refused_or_busy(code, words) from None
    except smtplib.SMTPDataError as error:
        raise _refused_or_busy(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPAuthenticationError as error:
        raise MailDownError("login", _code(error.smtp_code, error.smtp_error)) from None
    except smtplib.SMTPSenderRefused as error:
        raise MailDownError("sender", _code(error.smtp_code, error.smtp_error)) from None
    except smtplib.SMTPNotSupportedError:
        raise MailDownError("no_tls") from None
    except smtplib.SMTPResponseException as error:
        raise MailDownError("busy", _code(error.smtp_code, error.smtp_error)) from None
    except ssl.SSLError as error:
        raise MailDownError("certificate") from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailDownError("unreachable") from error


def _refused_or_busy(code: int, words: bytes | str) -> MailRefusedError | MailDownError:
    told = _code(code, words)
    if 500 <= code < 600:
        return MailRefusedError(f"the mail server refuses this letter: {told}", told)
    return MailDownError("busy", told)


def _code(code: int, words: bytes | str) -> str:
    """Return the server's codes, such as ``550 5.1.1``, without its words."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    enhanced = _ENHANCED.match(text.strip())
    return f"{code} {enhanced[1]}" if enhanced else str(code)
