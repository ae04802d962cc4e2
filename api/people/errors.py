"""What the book of people refuses.

::

    PeopleError            refused; the message names place, value and remedy
    ├── UnknownError       there is no such thing, or not for this person
    ├── DeniedError        the proof was wrong, or has run out
    └── TooOftenError      too many tries; it says how long to wait
"""

from __future__ import annotations

from kwartier.errors import InputError


class PeopleError(InputError):
    """The book of people refuses something."""


class UnknownError(PeopleError):
    """There is no such thing, or not for this person: both look the same."""


class DeniedError(PeopleError):
    """The proof was wrong, used before, or has run out; it does not say which."""


class TooOftenError(PeopleError):
    """Too many tries."""

    def __init__(self, wait_s: float) -> None:
        """Say how long to wait [s]."""
        super().__init__(f"too many tries: try again in {int(wait_s) + 1} seconds")
        self.wait_s = wait_s
