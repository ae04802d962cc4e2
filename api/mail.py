"""A letter by electronic mail, and what takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kwartier.errors import InputError


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
    """

    to: str
    subject: str
    text: str
    language: str
    attachments: tuple[Attachment, ...] = ()


class MailRefusedError(InputError):
    """The other side will not take this letter, now or later: the address is wrong."""


class Mailer(Protocol):
    """Takes letters away."""

    def send(self, mail: Mail) -> str:
        """Hand a letter over, and return its Message-ID.

        Raises:
            MailRefusedError: It is refused for good.
            LinkDownError: The server cannot be reached or is busy: try again later.
        """
