"""Papers on disk: written whole or not at all, with a manifest of their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from api.cooperative.papers.legal import LegalPaper
from api.cooperative.statement import Statement


class Format(StrEnum):
    """What can be printed."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"
    UBL = "ubl"


@dataclass(frozen=True, slots=True)
class Printed:
    """One file that was written.

    Attributes:
        name: Its name in the folder; without personal data.
        paper: What it is, such as ``statement`` or ``invoice``.
        party: Whose it is, by id; empty for what is about everybody.
        sha256: Its hash, in hex.
        size: Its size in bytes.
    """

    name: str
    paper: str
    party: str
    sha256: str
    size: int


def print_papers(
    statements: Sequence[Statement],
    credit_notes: Sequence[tuple[Statement, LegalPaper]],
    formats: frozenset[Format],
    folder: Path,
) -> tuple[Printed, ...]:
    """Write a run's papers and their manifest; twice the same run gives the same bytes."""
    raise NotImplementedError
