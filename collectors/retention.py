"""How long what stays: one table of classes, which docs/settings.md repeats."""

from __future__ import annotations

from dataclasses import dataclass

from kwartier.units import EpochS

DAY_S = 86_400
YEAR_S = 365 * DAY_S

DETAIL_DAYS = 31
"""Single readings in the record [days], unless the settings say otherwise."""
MONTHS_KEPT = 24
"""Closed months as files [months], unless the settings say otherwise."""
QUARTERS_AFTER_S = 2 * YEAR_S
"""Quarters, after the settlement of their month is final [s]."""
EVENTS_S = 2 * YEAR_S
"""What happened on gateways [s]."""
DEAD_LETTERS_S = 90 * DAY_S
"""Messages that could not be taken in [s]."""
JOURNAL_S = 31 * DAY_S
"""Blocks as they came, for a database that is behind [s]."""


@dataclass(frozen=True, slots=True)
class Class:
    """One kind of what is kept.

    Attributes:
        name: What it is called.
        keep: How long, in words.
        where: Where it lies, or which book keeps it by rules of its own.
    """

    name: str
    keep: str
    where: str


CLASSES = (
    Class("single readings", "`detail_days`: 31 days, and on to the end of their month", "record"),
    Class("closed months", "`months_kept`: 24 months", "month files"),
    Class(
        "quarter-hours", "2 years after their settlement is final; until then for ever", "record"
    ),
    Class("rollups for charts", "as long as quarter-hours", "record"),
    Class("blocks as they came", "31 days", "record"),
    Class("events of gateways", "2 years", "record"),
    Class("dead letters", "90 days, at most 10000", "record"),
    Class("who looked", "1 year", "book of people"),
    Class("entries, papers, runs", "as the law asks, 7 years or longer", "books"),
)
"""Every class there is."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long one record keeps what can be chosen.

    Attributes:
        detail_s: Single readings in the record [s].
        months: Closed months as files; 0 for no files at all.
    """

    detail_s: EpochS = DETAIL_DAYS * DAY_S
    months: int = MONTHS_KEPT
