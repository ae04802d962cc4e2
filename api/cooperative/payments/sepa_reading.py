"""A payment file read back without the library that wrote it: what would the bank see?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from api.cooperative.errors import BooksError, TamperedError
from api.cooperative.payments.amounts import cents_of
from api.cooperative.payments.sepa import Direction, Order
from api.cooperative.payments.xml_safely import parsed

_NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:"
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One instruction as it stands in a file.

    Attributes:
        end_to_end: Its reference.
        cents: How much.
        iban: The other account.
        name: The other account's holder.
        town: Where the holder lives.
        country: And in which country.
        day: When it is to move.
        mandate: The mandate's reference; empty when paying out.
        signed: The mandate's day, as text; empty when paying out.
        sequence: FRST or RCUR; empty when paying out.
        text: What the holder reads.
    """

    end_to_end: str
    cents: int
    iban: str
    name: str
    town: str
    country: str
    day: date
    mandate: str
    signed: str
    sequence: str
    text: str


@dataclass(frozen=True, slots=True)
class OrderRead:
    """A payment file as it stands: its own figures, and its lines."""

    schema: str
    direction: Direction
    message: str
    count: int
    control_cents: int
    iban: str
    lines: tuple[MoneyLine, ...]


def read_order(content: bytes) -> OrderRead:
    """Return what a payment file says.

    Raises:
        BooksError: It is no pain.008 or pain.001 as written here.
        TamperedError: Its counts or control sums are not those of its lines.
    """
    root = parsed(content, _MOST_BYTES, "the payment file")
    schema = root.tag.removeprefix(_NAMESPACE).partition("}")[0]
    collects = schema.startswith("pain.008")
    if not collects and not schema.startswith("pain.001"):
        raise BooksError(f"{root.tag!r} is neither a direct debit nor a transfer file")
    file = _Tree(root, f"{_NAMESPACE}{schema}}}")
    body = file.one("CstmrDrctDbtInitn" if collects else "CstmrCdtTrfInitn")
    groups = [_group(group, collects=collects) for group in body.all("PmtInf")]
    lines = tuple(line for _, group in groups for line in group)
    head = body.one("GrpHdr")
    count, control_cents = int(head.text("NbOfTxs")), cents_of(head.text("CtrlSum"))
    if count != len(lines) or control_cents != sum(line.cents for line in lines):
        raise TamperedError(f"file {head.text('MsgId')}: its control sum is not that of its lines")
    own = sorted({iban for iban, _ in groups})
    if len(own) != 1:
        raise TamperedError(f"file {head.text('MsgId')}: it moves money of {len(own)} accounts")
    direction = Direction.COLLECT if collects else Direction.PAY_OUT
    return OrderRead(schema, direction, head.text("MsgId"), count, control_cents, own[0], lines)


def check_against(order: Order, content: bytes) -> None:
    """Refuse a file that does not say to the cent and the account what was ordered.

    Raises:
        TamperedError: It says something else.
    """
    read = read_order(content)
    wanted = sorted((each.end_to_end, each.cents, each.iban) for each in order.instructions)
    found = sorted((line.end_to_end, line.cents, line.iban) for line in read.lines)
    if (read.message, read.direction, wanted) != (order.message, order.direction, found):
        raise TamperedError(f"file {order.message} does not say what was ordered: stop and look")


@dataclass(frozen=True, slots=True)
class _Tree:
    element: Element
    space: str

    def all(self, name: str) -> Iterator[_Tree]:
        for found in self.element.findall(f"{self.space}{name}"):
            yield _Tree(found, self.space)

    def one(self, path: str) -> _Tree:
        tree = self
        for name in path.split("/"):
            found = list(tree.all(name))
            if len(found) != 1:
                raise BooksError(f"the payment file has {len(found)} times {path}, must be 1")
            tree = found[0]
        return tree

    def text(self, path: str) -> str:
        return (self.one(path).element.text or "").strip()


def _group(group: _Tree, *, collects: bool) -> tuple[str, list[MoneyLine]]:
    day = group.text("ReqdColltnDt" if collects else "ReqdExctnDt/Dt")
    sequence = group.text("PmtTpInf/SeqTp") if collects else ""
    lines = [
        _line(each, date.fromisoformat(day), sequence)
        for each in group.all("DrctDbtTxInf" if collects else "CdtTrfTxInf")
    ]
    if int(group.text("NbOfTxs")) != len(lines):
        raise TamperedError(f"group {group.text('PmtInfId')}: it counts other lines than it has")
    if cents_of(group.text("CtrlSum")) != sum(line.cents for line in lines):
        raise TamperedError(f"group {group.text('PmtInfId')}: its control sum is not its lines'")
    return group.text("CdtrAcct/Id/IBAN" if collects else "DbtrAcct/Id/IBAN"), lines


def _line(line: _Tree, day: date, sequence: str) -> MoneyLine:
    other = "Dbtr" if sequence else "Cdtr"
    amount = line.one("InstdAmt" if sequence else "Amt/InstdAmt")
    if amount.element.get("Ccy") != "EUR":
        raise BooksError(f"the payment file moves {amount.element.get('Ccy')}: euros only")
    mandate = line.one("DrctDbtTx/MndtRltdInf") if sequence else None
    return MoneyLine(
        line.text("PmtId/EndToEndId"),
        cents_of(amount.element.text or ""),
        line.text(f"{other}Acct/Id/IBAN"),
        line.text(f"{other}/Nm"),
        line.text(f"{other}/PstlAdr/TwnNm"),
        line.text(f"{other}/PstlAdr/Ctry"),
        day,
        mandate.text("MndtId") if mandate else "",
        mandate.text("DtOfSgntr") if mandate else "",
        sequence,
        line.text("RmtInf/Ustrd"),
    )
