"""The door to python-stdnum: numbers of banks, tax office and government, checked and compact."""

from __future__ import annotations

import re

from stdnum import iban
from stdnum.eu import at_02, vat
from stdnum.exceptions import ValidationError

from kwartier.errors import ContractError

_KVK = re.compile(r"[0-9]{8}", re.ASCII)
_OIN = re.compile(r"0000000[1-9][0-9]{12}", re.ASCII)
_REFERENCE = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/?:().,'+-]{1,35}(?<!/)", re.ASCII)
MAX_CHARACTERS = 64
"""More than this is no number of any kind."""


def checked_iban(text: str) -> str:
    """Return an IBAN without spaces, or refuse it; the number is in no message.

    Source:
        ISO 13616, with each country's length and the Dutch bank's own check.
    """
    try:
        return iban.validate(_short(text, "IBAN"))
    except ValidationError:
        raise ContractError("IBAN is not right: compare it with the bank card") from None


def checked_vat_number(text: str) -> str:
    """Return a VAT number of a country of the Union without dots and spaces, or refuse it."""
    try:
        return vat.validate(_short(text, "VAT number"))
    except ValidationError:
        raise ContractError(
            "VAT number is not right: write it with its country, such as NL…B01"
        ) from None


def checked_kvk(text: str) -> str:
    """Return a number of the Dutch trade register, 8 digits, or refuse it."""
    compact = _short(text, "KvK number").replace(" ", "").replace(".", "")
    if _KVK.fullmatch(compact) is None:
        raise ContractError("KvK number is not 8 digits: compare it with the extract")
    return compact


def checked_oin(text: str) -> str:
    """Return a Dutch government organisation's number, 20 digits, or refuse it.

    Source:
        Logius, OIN register: 8 digits of prefix (00000001 to 00000009), then 12.
    """
    compact = _short(text, "OIN").replace(" ", "")
    if _OIN.fullmatch(compact) is None:
        raise ContractError("OIN is not 20 digits that begin with 0000000: look it up")
    return compact


def checked_creditor_id(text: str) -> str:
    """Return a SEPA creditor identifier, or refuse it.

    Source:
        EPC262-08, AT-02: check digits modulo 97 over country and national part.
    """
    try:
        return at_02.validate(_short(text, "creditor identifier"))
    except ValidationError:
        raise ContractError(
            "creditor identifier is not right: copy it from the bank's letter"
        ) from None


def checked_reference(text: str) -> str:
    """Return the reference of a SEPA mandate, or refuse it.

    Source:
        EPC130-08, AT-01: up to 35 characters of the SEPA set; no slash at the ends, nor two.
    """
    if _REFERENCE.fullmatch(text) is None:
        raise ContractError(
            f"mandate reference {text[:40]!r}: use 1 to 35 of a-z, A-Z, 0-9 and "
            "/ - ? : ( ) . , ' +, without spaces, and no / at its ends"
        )
    return text


def _short(text: str, what: str) -> str:
    if not text.strip() or len(text) > MAX_CHARACTERS or not text.isascii():
        raise ContractError(f"{what} is empty, too long or has letters no number has")
    return text
