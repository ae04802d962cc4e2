"""How long about a hundred papers take to print."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from api.cooperative.papers.pdf import statement_pdf
from api.cooperative.papers.printing import Format, print_papers
from api.cooperative.papers.typeset import pdf_of
from api.cooperative.statement import Statement
from tests.api.cooperative import example_statements as examples

MEMBERS = 34
BARE = '<html lang="nl"><title>x</title><p>Een bladzijde.</p></html>'
"""The least that WeasyPrint prints: the baseline."""


def members() -> list[Statement]:
    """Residents with panels, each with papers of their own numbers."""
    made = examples.final()
    return [
        replace(
            made,
            party=replace(made.party, id=f"lid-{number:03d}"),
            invoice_number=f"F2026-{number:05d}",
            purchase_number=f"I2026-{number:05d}",
        )
        for number in range(1, MEMBERS + 1)
    ]


@pytest.mark.speed
def test_a_hundred_letters_and_invoices(tmp_path: Path) -> None:
    run = members()
    statement_pdf(run[0])
    began = time.perf_counter()
    for _ in range(5):
        pdf_of(BARE)
    bare_s = (time.perf_counter() - began) / 5
    began = time.perf_counter()
    for statement in run[:5]:
        statement_pdf(statement)
    letter_s = (time.perf_counter() - began) / 5
    formats = frozenset({Format.CSV, Format.JSON, Format.XLSX})
    began = time.perf_counter()
    print_papers(run, (), formats, tmp_path)
    sheets_s = time.perf_counter() - began
    began = time.perf_counter()
    printed = print_papers(run, (), frozenset({Format.PDF}), tmp_path)
    whole_s = time.perf_counter() - began

    print(f"\n{'bare page':<34}{bare_s:8.2f} s")
    print(f"{'letter of three pages':<34}{letter_s:8.2f} s")
    print(f"{'sheets and JSON of 34 members':<34}{sheets_s:8.2f} s")
    print(f"{f'{len(printed)} PDFs of 34 members':<34}{whole_s:8.2f} s")
    assert len(printed) == 3 * MEMBERS
    assert whole_s < 600
