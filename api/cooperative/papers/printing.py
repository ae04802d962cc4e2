"""Papers on disk: each written whole or not at all, with a manifest of their hashes.

Names hold numbers and hashes, never a person's name or id. The same run gives the same bytes, so
printing again proves that nothing has changed; a file that is there with other bytes is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from api.cooperative.canonical import canonical
from api.cooperative.errors import ConflictError
from api.cooperative.papers.legal import LegalPaper, invoice_of, purchase_of
from api.cooperative.papers.machine import machine_csv, statement_json
from api.cooperative.statement import Statement
from kwartier.durable import replace_file
from kwartier.errors import SettingsError
from kwartier.wire import Json

MANIFEST = "manifest.json"
"""The list of what was printed, with the SHA-256 of each."""

MOST_WORKERS = 8
"""How many processes set letters at the most; each takes about 100 MB."""
MANY = 16
"""From how many members on it pays to start processes."""


class Format(StrEnum):
    """What can be printed."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"
    UBL = "ubl"


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit note, and the statement whose paper it takes back."""

    paper: LegalPaper
    original: Statement


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


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One paper before it is on disk."""

    name: str
    paper: str
    party: str
    body: bytes


def print_papers(
    statements: Sequence[Statement],
    credit_notes: Sequence[CreditNote],
    formats: frozenset[Format],
    folder: Path,
    numbers: frozenset[str] | None = None,
    *,
    whole_run: bool = True,
) -> tuple[Printed, ...]:
    """Write a run's papers and their manifest, and return what was written.

    Args:
        statements: The run's statements.
        numbers: Of the invoices and purchase notes only these, because the others were issued
            with an earlier run; None for all.
        credit_notes: The run's credit notes.
        formats: What to print.
        folder: Where to; made when it is not there, open to its owner alone.
        whole_run: Whether these are all members; the sheets of a few bear no run's name.

    Raises:
        ConflictError: A file is there with other bytes: somebody printed something else there.
        SettingsError: The folder cannot be written, Pango is missing, or a process was stopped.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        papers = _papers(statements, credit_notes, formats, numbers, whole_run=whole_run)
        printed = tuple(_kept(folder, one) for one in papers)
        replace_file(folder / MANIFEST, _manifest(folder, printed).encode(), 0o600)
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be written: {error.strerror}") from error
    except BrokenProcessPool as error:
        raise SettingsError(
            "a process that sets letters was stopped, perhaps for want of memory: try again"
        ) from error
    return printed


def statement_name(statement: Statement) -> str:
    """Return a statement's name without who it is about: a hash of run, result and party."""
    about = f"{statement.run}\n{statement.run_hash}\n{statement.party.id}"
    return f"statement-{hashlib.sha256(about.encode()).hexdigest()[:16]}"


def _papers(
    statements: Sequence[Statement],
    credit_notes: Sequence[CreditNote],
    formats: frozenset[Format],
    numbers: frozenset[str] | None,
    *,
    whole_run: bool,
) -> Iterator[_Sheet]:
    run = f"run-{statements[0].run.replace('/', '-')}" if statements else "run-empty"
    if statements and not whole_run:
        run = statement_name(statements[0])
    if Format.XLSX in formats:
        from api.cooperative.papers.sheet import run_xlsx

        yield _Sheet(f"{run}.xlsx", "run", "", run_xlsx(statements))
    if Format.CSV in formats:
        from api.cooperative.papers.sheet import statement_csv

        yield _Sheet(f"{run}.csv", "run", "", statement_csv(statements))
        yield _Sheet(f"{run}.machine.csv", "run", "", machine_csv(statements))
    for sheets in _of_members(statements, formats, numbers):
        yield from sheets
    for note in credit_notes:
        yield from _legal(note.paper, note.original, formats)


def _of_members(
    statements: Sequence[Statement],
    formats: frozenset[Format],
    numbers: frozenset[str] | None,
) -> Iterator[list[_Sheet]]:
    """Yield each member's papers in order; many letters are set on every processor at once."""
    make = partial(_of_member, formats=formats, numbers=numbers)
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    if Format.PDF not in formats or workers == 1 or len(statements) < MANY:
        yield from map(make, statements)
        return
    # A fresh process each: one that was forked would share the books' open files.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make, statements, chunksize=4)


def _of_member(
    statement: Statement, formats: frozenset[Format], numbers: frozenset[str] | None
) -> list[_Sheet]:
    return list(_sheets_of_member(statement, formats, numbers))


def _sheets_of_member(
    statement: Statement, formats: frozenset[Format], numbers: frozenset[str] | None
) -> Iterator[_Sheet]:
    name, party = statement_name(statement), statement.party.id
    if Format.JSON in formats:
        yield _Sheet(f"{name}.json", "statement", party, statement_json(statement).encode())
    if Format.PDF in formats:
        from api.cooperative.papers.pdf import statement_pdf

        yield _Sheet(f"{name}.pdf", "statement", party, statement_pdf(statement))
    for paper in (invoice_of(statement), purchase_of(statement)):
        if paper is not None and (numbers is None or paper.number in numbers):
            yield from _legal(paper, statement, formats)


def _legal(paper: LegalPaper, statement: Statement, formats: frozenset[Format]) -> Iterator[_Sheet]:
    name, party = f"{paper.kind}-{paper.number}", statement.party.id
    if Format.PDF in formats:
        from api.cooperative.papers.pdf import legal_pdf

        yield _Sheet(f"{name}.pdf", paper.kind, party, legal_pdf(paper, statement))
    if Format.UBL in formats:
        from api.cooperative.papers.ubl import takes_e_invoice, ubl_xml

        if takes_e_invoice(paper):
            yield _Sheet(f"{name}.xml", paper.kind, party, ubl_xml(paper))


def _manifest(folder: Path, printed: Sequence[Printed]) -> str:
    """Return the list of a folder's papers: those printed now, and those printed before."""
    before = folder / MANIFEST
    listed: dict[str, Json] = {}
    if before.exists():
        try:
            listed = {one["name"]: one for one in json.loads(before.read_text("utf-8"))["files"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ConflictError(
                f"{before}: no list of papers; print into an empty folder"
            ) from error
    for one in printed:
        listed[one.name] = {
            "name": one.name,
            "paper": one.paper,
            "party": one.party,
            "sha256": one.sha256,
            "size": one.size,
        }
    files: list[Json] = [listed[name] for name in sorted(listed)]
    return canonical({"format": "kwartier.papers/1", "files": files}) + "\n"


def _kept(folder: Path, sheet: _Sheet) -> Printed:
    """Write a paper; the same bytes again are left alone, other bytes are refused."""
    path = folder / sheet.name
    told = Printed(
        sheet.name,
        sheet.paper,
        sheet.party,
        hashlib.sha256(sheet.body).hexdigest(),
        len(sheet.body),
    )
    if path.exists():
        if hashlib.sha256(path.read_bytes()).hexdigest() != told.sha256:
            raise ConflictError(
                f"{path}: there is another paper of this name; print into an empty folder and "
                "compare the two"
            )
        return told
    replace_file(path, sheet.body, 0o600)
    return told
