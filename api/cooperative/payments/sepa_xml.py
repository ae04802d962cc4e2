"""The door to sepaxml: orders written as pain.008.001.08 and pain.001.001.09.

What the library leaves open is shut here: it invents the file's name and time, so that the same
order would give other bytes; it takes amounts of zero and below; it checks no account; it cleans
texts to ASCII and not to SEPA's set; it changes what it is handed; and each further export of one
object counts everything again.
"""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from lxml import etree
from sepaxml import SepaDD, SepaTransfer

from api.cooperative.errors import BooksError
from api.cooperative.payments.sepa import (
    LIMIT_CENTS,
    Direction,
    Instruction,
    Order,
    account_number,
    check_order,
)
from api.cooperative.payments.sepa_text import sepa_text
from api.cooperative.settings import Address

SCHEMAS = {Direction.COLLECT: "pain.008.001.08", Direction.PAY_OUT: "pain.001.001.09"}
"""The formats Dutch banks take from 2026 on."""


def pain_document(order: Order, limit_cents: int = LIMIT_CENTS) -> bytes:
    """Return an order as the XML a bank takes; the same order always gives the same bytes.

    Args:
        order: What to write.
        limit_cents: The most that one instruction may move [cents].

    Raises:
        BooksError: The order is refused, or what came out does not follow its schema.
    """
    check_order(order, limit_cents)
    root = etree.fromstring(_written(order))
    _stamp(root, order)
    schema = _schema(SCHEMAS[order.direction])
    if not schema.validate(root):
        raise BooksError(f"file {order.message} does not follow {SCHEMAS[order.direction]}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _written(order: Order) -> bytes:
    config: dict[str, object] = {
        "name": _text(order.name, 70, "the cooperative's name"),
        "IBAN": account_number(order.iban, "the cooperative's own account"),
        "batch": True,
        "currency": "EUR",
        "address": _address(order.address),
    }
    with warnings.catch_warnings():
        # It asks an element whether it is true, which newer Pythons warn about.
        warnings.simplefilter("ignore", DeprecationWarning)
        if order.direction is Direction.COLLECT:
            config["creditor_id"] = order.creditor_id
            file = SepaDD(config, schema=SCHEMAS[order.direction], clean=False)
        else:
            file = SepaTransfer(config, schema=SCHEMAS[order.direction], clean=False)
        for instruction in order.instructions:
            file.add_payment(_payment(order, instruction))
        written: bytes = file.export(validate=False)
    return written


def _payment(order: Order, instruction: Instruction) -> dict[str, object]:
    payment: dict[str, object] = {
        "name": _text(instruction.name, 70, f"the name of {instruction.party}"),
        "IBAN": account_number(instruction.iban, instruction.party),
        "amount": instruction.cents,
        "description": _text(instruction.text, 140, f"the text for {instruction.party}"),
        "endtoend_id": instruction.end_to_end,
        "address": _address(instruction.address),
    }
    mandate = instruction.mandate
    if order.direction is Direction.PAY_OUT or mandate is None:
        return payment | {"execution_date": order.day}
    return payment | {
        "type": str(mandate.sequence),
        "collection_date": order.day,
        "mandate_id": mandate.reference,
        "mandate_date": mandate.signed,
    }


def _address(address: Address) -> dict[str, str]:
    """Return a structured address; a bank refuses one in loose lines."""
    return {
        "street_name": sepa_text(address.street, 70),
        "building_number": sepa_text(address.number, 16),
        "postcode": sepa_text(address.postcode, 16),
        "town": _text(address.town, 35, "the town"),
        "country": address.country,
    }


def _text(text: str, longest: int, what: str) -> str:
    plain = sepa_text(text, longest)
    if not any(letter.isalnum() for letter in plain):
        raise BooksError(f"{what} has no letter that a bank can read: write it in Latin script")
    return plain


def _stamp(root: etree._Element, order: Order) -> None:
    """Put the order's own name and time where the library invented some."""
    space = f"{{{etree.QName(root).namespace}}}"
    made = datetime.fromtimestamp(order.made_s, UTC).replace(tzinfo=None)
    for element in root.iter(f"{space}MsgId"):
        element.text = order.message
    for element in root.iter(f"{space}CreDtTm"):
        element.text = f"{made.isoformat()}Z"
    for place, element in enumerate(root.iter(f"{space}PmtInfId"), start=1):
        element.text = f"{order.message}-{place}"
    for agent in root.iter(f"{space}FinInstnId"):
        if len(agent) == 0:
            other = etree.SubElement(agent, f"{space}Othr")
            etree.SubElement(other, f"{space}Id").text = "NOTPROVIDED"


@cache
def _schema(name: str) -> etree.XMLSchema:
    file = files("sepaxml") / "schemas" / f"{name}.xsd"
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))
