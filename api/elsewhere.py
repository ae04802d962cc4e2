"""Logging in elsewhere: what the door needs of another service that knows people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """A service that speaks OpenID Connect, and who we are there.

    Attributes:
        issuer: Its address.
        client_id: Our name there.
        client_secret: Never in a log or a message.
        name: What people call it.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str

    def __repr__(self) -> str:
        return f"OidcSettings({self.issuer!r})"


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that has begun.

    Attributes:
        address: Where the browser goes.
        kept: What the browser brings back with it, sealed.
    """

    address: str
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """Whom the service knows.

    Attributes:
        email: Their mail address, which the service verified. Personal.
        strong: Whether they showed more than one factor there.
    """

    email: str
    strong: bool


class Elsewhere(Protocol):
    """A service at which people log in."""

    @property
    def name(self) -> str:
        """What people call it."""

    def begin(self) -> Begun:
        """Begin a login.

        Raises:
            LinkDownError: The service cannot be reached.
        """

    def finish(self, kept: Mapping[str, str], answer: str) -> Known:
        """Return whom the service knows.

        Args:
            kept: What was kept when it began.
            answer: The address with which the browser came back, whole.

        Raises:
            DeniedError: The service or the browser did not answer what was asked.
            LinkDownError: The service cannot be reached.
        """
