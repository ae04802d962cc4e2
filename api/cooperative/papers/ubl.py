"""E-invoices for organisations: UBL 2.1 as Peppol BIS Billing 3.0 and NLCIUS (SI-UBL 2.0)."""

from __future__ import annotations

from dataclasses import dataclass

from api.cooperative.papers.legal import LegalPaper


@dataclass(frozen=True, slots=True)
class Remark:
    """What an e-invoice breaks.

    Attributes:
        rule: The rule's published name, such as ``BR-CO-10``.
        place: Where in the paper.
        told: What is wrong and what to do.
    """

    rule: str
    place: str
    told: str


def takes_e_invoice(paper: LegalPaper) -> bool:
    """Return whether the member's side can be addressed: it has a KvK number or an OIN."""
    raise NotImplementedError


def ubl_xml(paper: LegalPaper) -> bytes:
    """Return the e-invoice or credit note.

    Raises:
        BooksError: It would break a rule; the message names rule, place and remedy.
    """
    raise NotImplementedError


def remarks(xml: bytes) -> list[Remark]:
    """Return what an e-invoice breaks of the rules that are checked here."""
    raise NotImplementedError
