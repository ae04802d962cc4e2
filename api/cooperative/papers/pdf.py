"""PDF/UA: the letter to a member, and the legal papers that come with it."""

from __future__ import annotations

from api.cooperative.papers.legal import LegalPaper
from api.cooperative.statement import Statement


def statement_pdf(statement: Statement) -> bytes:
    """Return a member's letter as tagged PDF; the same statement gives the same bytes.

    Raises:
        SettingsError: Pango, which draws the letters, is not installed.
    """
    raise NotImplementedError


def legal_pdf(paper: LegalPaper, statement: Statement) -> bytes:
    """Return an invoice, self-billed note or credit note as tagged PDF, likewise."""
    raise NotImplementedError
