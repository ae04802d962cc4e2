"""What a check found: a code, where, how much it may matter, and the facts for a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from api.cooperative.canonical import digest
from kwartier.interval import Quarter

Fact: TypeAlias = str | int
"""One fact of a finding: text or a whole number."""


class Code(StrEnum):
    """The board's ten checks."""

    MISSING = "A1"
    """Quarters are missing."""
    REGISTER = "A2"
    """A register went back, or a meter was swapped without its last reading."""
    LIMIT = "A3"
    """More than the connection can carry."""
    SUM = "A4"
    """The members together are not the community."""
    ALLOCATION = "A5"
    """More was allocated than used."""
    SIGN = "A6"
    """Import and export look swapped."""
    LIKENESS = "A7"
    """A series stands there twice, or is shifted."""
    IN_FORCE = "A8"
    """No tariff, key or contract on a date."""
    MOVE = "A9"
    """Somebody moved in or out within the period."""
    HISTORY = "A10"
    """Far more than before, or a large amount."""


class Severity(StrEnum):
    """Whether a run may go on."""

    BLOCKER = "blocker"
    """Not without a waiver that gives its reason."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the board should look at.

    Attributes:
        code: Which check.
        kind: What of it, such as ``gap``; its sentence has this name.
        severity: Whether it blocks the run.
        connection: Whose quarter-hours; empty when it is not about one connection.
        member: Whose statement; empty when it is not about one member.
        effect_cents: How much money it may move, estimated, never below zero.
        facts: What the sentence says.
        first: The first quarter to look at; None when there is no such place.
        last: The last quarter to look at.
    """

    code: Code
    kind: str
    severity: Severity
    connection: str
    member: str
    effect_cents: int
    facts: Mapping[str, Fact]
    first: Quarter | None = None
    last: Quarter | None = None

    @property
    def key(self) -> str:
        """What a waiver names: the same as long as nothing about the finding changes.

        More missing quarters, another meter or another sum is another finding; another price
        is not.
        """
        body = digest(
            {
                "kind": self.kind,
                "connection": self.connection,
                "member": self.member,
                "facts": dict(self.facts),
                "first": None if self.first is None else self.first.start_s,
                "last": None if self.last is None else self.last.start_s,
            }
        )
        who = self.connection or self.member or "community"
        return f"{self.code}-{who}-{body[:12]}"
