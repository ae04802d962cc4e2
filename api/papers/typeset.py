"""A page of HTML as PDF, or one sentence that says what is not installed."""

from __future__ import annotations

from api.cooperative.papers.typeset import pdf_of
from kwartier.errors import SettingsError


def pdf(html: str) -> bytes:
    """Return a page as tagged PDF (PDF/UA-1).

    Raises:
        SettingsError: What sets letters is not installed; the message says what to install.
    """
    try:
        return pdf_of(html)
    except ImportError as error:
        raise SettingsError("PDF needs WeasyPrint: pip install 'kwartier[coop]'") from error
