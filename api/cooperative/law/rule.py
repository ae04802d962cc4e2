"""What a rule is: a name, a kind of value, dated values with their sources, perhaps a remark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from kwartier.errors import ContractError
from kwartier.interval import epoch_s, parse_instant
from kwartier.units import EpochS

MAX_VALUE = 200
"""The longest value [characters]."""
UNCONFIRMED = "unconfirmed"
"""The value of a rule that somebody still has to confirm."""
UNKNOWN = "unknown"
"""The value of a figure that is not published."""


class Mark(StrEnum):
    """How sure a rule is."""

    SOURCE = "S"
    """Read in the named source."""
    KNOWN = "K"
    """Known, to be checked before anybody relies on it."""
    UNCERTAIN = "U"
    """Uncertain or contested: papers carry a remark."""


class Kind(StrEnum):
    """What sort of value a rule has."""

    WHOLE = "whole number"
    EXACT = "exact number of 0 or more, such as 0.5 or 1/2"
    YES_NO = "yes or no"
    NAME = "short name of a-z, 0-9 and '-', or empty"
    WORDS = "text of who confirmed what, when and where it is kept"


_FORMS = {
    Kind.WHOLE: re.compile(r"[0-9]{1,9}", re.ASCII),
    Kind.EXACT: re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}|/[1-9][0-9]{0,8})?|unknown", re.ASCII),
    Kind.YES_NO: re.compile(r"yes|no"),
    Kind.NAME: re.compile(r"[a-z0-9][a-z0-9-]{0,31}|", re.ASCII),
    Kind.WORDS: re.compile(r"\S.*\S"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """The value of a rule from an instant on.

    Attributes:
        name: The rule, such as ``correction_months``.
        start_s: From when the value holds [s].
        value: Numbers as exact text; ``yes`` and ``no``; words.
        mark: How sure it is.
        source: Where it was read.
        decision: The decision that set it; empty for the law itself.
    """

    name: str
    start_s: EpochS
    value: str
    mark: Mark
    source: str
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule the books know.

    Attributes:
        name: Its name.
        kind: What sort of value it has.
        meaning: What it is, in one line, with its unit.
        steps: Its values as the law or this program's own default has them.
        remark: The key of what papers must say while its value is ``unconfirmed``; empty for
            nothing.
        most: The largest value of a whole number.
    """

    name: str
    kind: Kind
    meaning: str
    steps: tuple[Parameter, ...]
    remark: str = ""
    most: int = 999_999_999

    def check(self, value: str) -> None:
        """Refuse a value of another kind.

        Raises:
            ContractError: It is none; the message says what one is.
        """
        fits = _FORMS[self.kind].fullmatch(value) is not None
        if not fits or len(value) > MAX_VALUE or not value.isprintable():
            raise ContractError(f"rule {self.name}: {value[:40]!r} is no {self.kind}")
        if self.kind is Kind.WHOLE and int(value) > self.most:
            raise ContractError(f"rule {self.name}: {value} is too many: {self.most} at the most")


def since(name: str, *steps: tuple[str, str, Mark, str]) -> tuple[Parameter, ...]:
    """Return dated values: each from an ISO instant, with value, mark and source."""
    return tuple(
        Parameter(name, epoch_s(parse_instant(start)), value, mark, source)
        for start, value, mark, source in steps
    )
