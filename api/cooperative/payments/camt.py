"""A bank's statement read: camt.053.001.02 and camt.053.001.08, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from api.cooperative.errors import BooksError
from api.cooperative.payments.amounts import cents_of
from api.cooperative.payments.xml_safely import parsed

NAMESPACES = tuple(f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{v}" for v in ("02", "08"))
"""The forms that are read."""
MOST_BYTES = 20 * 1024 * 1024
"""The largest statement file [bytes]."""
MOST_LINES = 100_000
"""The most amounts in one file."""
_NOT_GIVEN = frozenset({"NOTPROVIDED", "NONREF", "NOT PROVIDED"})
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class BankLine:
    """One amount on a statement.

    Attributes:
        booked: The day the bank booked it.
        cents: How much; into the account is above zero.
        end_to_end: The reference of who ordered it; empty when none came back.
        mandate: The mandate's reference; empty without one.
        batch: Name of the payment file or the group in it; empty without one.
        reference: The bank's own reference; empty without one.
        part: Its place among the amounts that were booked as one; 0 for one booked alone.
        name: Who stands at the other side. Personal data, as are the next two.
        iban: The account at the other side.
        text: What was written with it.
        returned: Whether it takes an earlier payment back.
        reason: Why, as the bank's code, such as ``AM04``.
    """

    booked: date
    cents: int
    end_to_end: str = ""
    mandate: str = ""
    batch: str = ""
    reference: str = ""
    part: int = 0
    name: str = ""
    iban: str = ""
    text: str = ""
    returned: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BankStatement:
    """What happened on one account: what it began with plus its lines is what it ended with.

    Attributes:
        name: The statement's name at the bank.
        iban: The account.
        first: Its first day.
        last: Its last day.
        opening_cents: What was on the account before.
        closing_cents: What is on it after.
        lines: What was booked.
    """

    name: str
    iban: str
    first: date
    last: date
    opening_cents: int
    closing_cents: int
    lines: tuple[BankLine, ...]


def read_statements(content: bytes, iban: str) -> tuple[BankStatement, ...]:
    """Return the statements in a file.

    Args:
        content: The file.
        iban: The cooperative's account; a statement of another one is refused.

    Raises:
        BooksError: It is no camt.053 in a known form, too large, cut off, of another account, in
            another currency, or its amounts do not add up. The message says which and where.
    """
    root = parsed(content, MOST_BYTES, "the bank's file")
    space = root.tag[1:].partition("}")[0]
    if space not in NAMESPACES or root.tag != f"{{{space}}}Document":
        raise BooksError(f"the bank's file is {root.tag[:80]!r}: {' and '.join(NAMESPACES)} can be")
    body = _Node(root, f"{{{space}}}").need("BkToCstmrStmt")
    statements = tuple(_statement(node, iban) for node in body.all("Stmt"))
    if not statements:
        raise BooksError("the bank's file has no statement in it")
    if sum(len(statement.lines) for statement in statements) > MOST_LINES:
        raise BooksError(f"the bank's file has more than {MOST_LINES} lines: ask for less days")
    return statements


@dataclass(frozen=True, slots=True)
class _Node:
    element: Element
    space: str

    def all(self, path: str) -> Iterator[_Node]:
        steps = "/".join(f"{self.space}{name}" for name in path.split("/"))
        return (_Node(found, self.space) for found in self.element.findall(steps))

    def first(self, path: str) -> _Node | None:
        return next(self.all(path), None)

    def need(self, path: str) -> _Node:
        found = self.first(path)
        if found is None:
            raise BooksError(f"the bank's file has no {path} in {self.name}")
        return found

    def text(self, *paths: str) -> str:
        """Return the first text of some places; empty when there is none."""
        for path in paths:
            found = self.first(path)
            if found is not None and (found.element.text or "").strip():
                return (found.element.text or "").strip()
        return ""

    @property
    def name(self) -> str:
        return self.element.tag.removeprefix(self.space)


def _statement(node: _Node, iban: str) -> BankStatement:
    name = node.text("Id")
    place = f"statement {name!r}"
    if not 1 <= len(name) <= 35:
        raise BooksError(f"{place}: its Id is not 1 to 35 characters")
    found = node.text("Acct/Id/IBAN").replace(" ", "").upper()
    if found != iban:
        raise BooksError(f"{place} is of an account that is not the cooperative's")
    if node.text("Acct/Ccy") not in ("", "EUR"):
        raise BooksError(f"{place} is in {node.text('Acct/Ccy')[:3]}: euros only")
    opening, opened = _balance(node, place, "OPBD", "PRCD")
    closing, last = _balance(node, place, "CLBD")
    lines = tuple(
        line
        for number, entry in enumerate(node.all("Ntry"), start=1)
        for line in _lines(entry, f"{place}, line {number}")
    )
    _check_count(node, place)
    moved = sum(line.cents for line in lines)
    if opening + moved != closing:
        raise BooksError(
            f"{place}: {opening} cents and {moved} on its lines is not the {closing} it ends with"
        )
    started = node.text("FrToDt/FrDtTm")
    days = [line.booked for line in lines] + [_day(started, place) if started else last]
    return BankStatement(name, found, min(days), max(last, opened), opening, closing, lines)


def _balance(node: _Node, place: str, *codes: str) -> tuple[int, date]:
    """Return a balance of a statement and its day."""
    for balance in node.all("Bal"):
        if balance.text("Tp/CdOrPrtry/Cd") in codes:
            day = _day(balance.text("Dt/Dt", "Dt/DtTm"), place)
            return _signed(balance, f"{place}, balance {codes[0]}"), day
    raise BooksError(f"{place} has no balance {' or '.join(codes)}")


def _check_count(node: _Node, place: str) -> None:
    """Refuse a statement that says it has other entries than it has."""
    said = node.text("TxsSummry/TtlNtries/NbOfNtries")
    count = sum(1 for _ in node.all("Ntry"))
    if said and said != str(count):
        raise BooksError(f"{place} says {said[:15]} entries and has {count}: it was cut off")


def _lines(entry: _Node, place: str) -> list[BankLine]:
    """Return what one booking holds: itself, or the amounts it was made of."""
    if entry.text("Sts/Cd", "Sts") != "BOOK":
        return []
    whole = _signed(entry, place)
    details = list(entry.all("NtryDtls/TxDtls"))
    amounts = [_detail_cents(detail, entry, place) for detail in details]
    if len(details) > 1 and None not in amounts:
        parts = [cents for cents in amounts if cents is not None]
        if sum(parts) != whole:
            raise BooksError(f"{place}: its {len(parts)} parts are {sum(parts)} cents, not {whole}")
        pairs = zip(details, parts, strict=True)
        return [
            _line(entry, detail, cents, number, place)
            for number, (detail, cents) in enumerate(pairs, start=1)
            if cents
        ]
    detail = details[0] if len(details) == 1 else _Node(Element("none"), entry.space)
    return [_line(entry, detail, whole, 0, place)] if whole else []


def _line(entry: _Node, detail: _Node, cents: int, part: int, place: str) -> BankLine:
    other = "Dbtr" if cents > 0 else "Cdtr"
    reason = detail.text("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    returned = bool(reason) or detail.first("RtrInf") is not None
    returned = returned or entry.text("RvslInd") in ("true", "1")
    if returned:
        # A returned payment keeps the sides it had on its way out.
        other = "Cdtr" if cents > 0 else "Dbtr"
    words = [node.element.text or "" for node in detail.all("RmtInf/Ustrd")]
    words += [detail.text("RmtInf/Strd/CdtrRefInf/Ref"), entry.text("AddtlNtryInf")]
    return BankLine(
        _day(entry.text("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"), place),
        cents,
        _reference(detail.text("Refs/EndToEndId")),
        _reference(detail.text("Refs/MndtId")),
        _reference(
            detail.text("Refs/PmtInfId", "Refs/MsgId")
            or entry.text("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
        ),
        _reference(entry.text("AcctSvcrRef")),
        part,
        detail.text(f"RltdPties/{other}/Pty/Nm", f"RltdPties/{other}/Nm")[:140],
        detail.text(f"RltdPties/{other}Acct/Id/IBAN").replace(" ", "").upper()[:34],
        " ".join(word.strip() for word in words if word.strip())[:_LONGEST_TEXT],
        returned,
        reason[:35],
    )


def _signed(node: _Node, place: str) -> int:
    """Return an amount with the sign of its side."""
    amount = node.need("Amt")
    if amount.element.get("Ccy") != "EUR":
        raise BooksError(f"{place} is in {(amount.element.get('Ccy') or '?')[:3]}: euros only")
    try:
        return cents_of(amount.element.text or "") * _side(node, place)
    except BooksError as error:
        raise BooksError(f"{place}: {error}") from None


def _side(node: _Node, place: str) -> int:
    side = node.text("CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise BooksError(f"{place}: {side[:8]!r} is neither CRDT nor DBIT")
    return 1 if side == "CRDT" else -1


def _detail_cents(detail: _Node, entry: _Node, place: str) -> int | None:
    """Return the amount of a part of a booking; None where the bank gives none in euros."""
    side = _side(detail if detail.text("CdtDbtInd") else entry, place)
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        amount = detail.first(path)
        if amount is not None and amount.element.get("Ccy") == "EUR":
            return cents_of(amount.element.text or "") * side
    return None


def _reference(text: str) -> str:
    return "" if text.upper() in _NOT_GIVEN else text[:35]


def _day(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BooksError(f"{place}: {text[:25]!r} is no day") from None
