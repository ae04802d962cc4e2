"""What a run's papers are made of, out of the open books."""

from __future__ import annotations

from dataclasses import dataclass, replace

from api.cooperative.database import Desk
from api.cooperative.documents import Document, Series, document, documents
from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.papers.legal import credit_of, invoice_of, purchase_of
from api.cooperative.papers.printing import CreditNote
from api.cooperative.runs import statements
from api.cooperative.runs.papers import stated
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Statement


@dataclass(frozen=True, slots=True)
class RunPapers:
    """A run's papers before they are printed.

    Attributes:
        statements: Every member's statement.
        credit_notes: The credit notes that were issued with the run.
        numbers: The invoices and purchase notes that were issued with the run; a member whose
            amounts a correction left alone keeps the papers of the run before.
    """

    statements: tuple[Statement, ...]
    credit_notes: tuple[CreditNote, ...]
    numbers: frozenset[str]

    def of_member(self, party: str) -> RunPapers:
        """Return what is one member's.

        Raises:
            BooksError: The member has no statement in the run.
        """
        own = tuple(each for each in self.statements if each.party.id == party)
        if not own:
            raise BooksError(
                f"member {party[:40]!r} has no statement in this run: see the registry"
            )
        notes = tuple(note for note in self.credit_notes if note.original.party.id == party)
        return RunPapers(own, notes, self.numbers)


def papers_of_run(desk: Desk, settings: CoopSettings, run: str) -> RunPapers:
    """Return what a run's papers are made of."""
    issued = documents(desk, run=run)
    notes = [each for each in issued if each.series is Series.CREDIT]
    return RunPapers(
        tuple(statements(desk, settings, run)),
        tuple(_credit_note(desk, each) for each in notes),
        frozenset(each.number for each in issued if each.series is not Series.CREDIT),
    )


def _credit_note(desk: Desk, note: Document) -> CreditNote:
    """Return a credit note as the mirror of the paper it takes back."""
    taken = document(desk, note.replaces)
    invoiced = taken.series is Series.INVOICE
    original = replace(
        stated(desk, taken),
        invoice_number=taken.number if invoiced else "",
        purchase_number="" if invoiced else taken.number,
        issued=taken.day,
    )
    paper = invoice_of(original) if invoiced else purchase_of(original)
    reason = note.body.get("reason") if isinstance(note.body, dict) else None
    if paper is None or paper.total_cents != -note.amount_cents or not isinstance(reason, str):
        raise TamperedError(
            f"credit note {note.number} is not the mirror of {taken.number}: stop and look"
        )
    return CreditNote(credit_of(paper, note.number, note.day, reason), original)
