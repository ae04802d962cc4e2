"""A letter by electronic mail, and what takes it away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from kwartier.errors import InputError, LinkDownError

_LOCAL = r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]{1,64}"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"({_LOCAL})@({_LABEL}(?:\.{_LABEL})*)")
MOST_ADDRESS = 254
"""The most letters of an address (RFC 5321, section 4.5.3)."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One letter to one person.

    Attributes:
        to: The address. Personal; it stands in no log.
        subject: Its subject, one line.
        text: Its text, plain.
        language: Of the text, such as ``nl``.
        attachments: What goes with it.
        name: What the letter is known by when it is sent again; empty for a new one.
        stop_url: Where its reader ends such letters; empty where they cannot.
    """

    to: str
    subject: str
    text: str
    language: str
    attachments: tuple[Attachment, ...] = ()
    name: str = ""
    stop_url: str = ""


class MailRefusedError(InputError):
    """The other side will not take this letter, now or later: the address is wrong."""

    def __init__(self, told: str, code: str = "") -> None:
        """Say what was refused, and the server's code, such as ``550 5.1.1``; no address."""
        super().__init__(told)
        self.code = code


class MailDownError(LinkDownError):
    """The server takes nothing now: away, busy, or it does not know us."""

    def __init__(self, reason: str, code: str = "") -> None:
        """Say why in a word, such as ``unreachable``, with the server's code if it gave one."""
        super().__init__(f"the mail server takes no letter now: {reason} {code}".rstrip())
        self.reason = reason
        self.code = code


class Mailer(Protocol):
    """Takes letters away."""

    def send(self, mail: Mail) -> str:
        """Hand a letter over, and return its Message-ID.

        Raises:
            MailRefusedError: It is refused for good.
            LinkDownError: The server cannot be reached or is busy: try again later.
        """


def address_parts(address: str) -> tuple[str, str]:
    """Return what stands before and after the @, the domain in the letters of the wire.

    Raises:
        MailRefusedError: It is no address of one mailbox; it is not in the message.
    """
    found = _ADDRESS.fullmatch(address) if len(address) <= MOST_ADDRESS else None
    if found is None:
        raise MailRefusedError("this is no e-mail address: write it as name@example.nl", "address")
    try:
        return found[1], found[2].encode("idna").decode("ascii")
    except UnicodeError:
        raise MailRefusedError("this e-mail address has no domain there is", "address") from None


def one_line(text: str, most: int = 200) -> str:
    """Return a text as one line without anything that does not show: fit for a header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:most]
