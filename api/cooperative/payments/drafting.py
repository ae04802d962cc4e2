"""Payment files drafted from what a run's papers leave open, and laid before a second person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select

from api.cooperative import registry
from api.cooperative.books import Journal, post
from api.cooperative.canonical import digest
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.documents import Document, documents
from api.cooperative.errors import StateError
from api.cooperative.four_eyes import Matter, propose
from api.cooperative.officers import CLERKS
from api.cooperative.payments.files import (
    FileState,
    PaymentFile,
    content_hash,
    file_body,
    payment_file,
    seal_content,
    take_step,
)
from api.cooperative.payments.items import OpenItem, Part, account_lines
from api.cooperative.payments.open_book import attempts, came_back, open_items, reserved, settle
from api.cooperative.payments.paying_day import last_due, paying_day
from api.cooperative.payments.planning import ByHand, Payer, Plan, Planned, plan
from api.cooperative.payments.sepa import (
    LIMIT_CENTS,
    Direction,
    Instruction,
    MandatePart,
    Order,
    Sequence,
)
from api.cooperative.payments.sepa_reading import check_against
from api.cooperative.payments.sepa_xml import pain_document
from api.cooperative.periods import open_day
from api.cooperative.settings import CoopSettings
from api.cooperative.stamp import stamp
from api.cooperative.tables.payments import (
    PaymentFileRow,
    PaymentInstructionRow,
    PaymentPartRow,
)
from kwartier.interval import day_of
from kwartier.ledger import Account, Entry, Line


@dataclass(frozen=True, slots=True)
class Draft:
    """What became of a run's open papers.

    Attributes:
        files: The payment files, each waiting for a second person.
        by_hand: Who pays or is paid by hand, and why.
        set_off: Parties whose papers came to nothing together and were closed.
    """

    files: tuple[PaymentFile, ...]
    by_hand: tuple[ByHand, ...]
    set_off: tuple[str, ...]


def draft(
    desk: Desk,
    settings: CoopSettings,
    run: str,
    day: date | None = None,
    *,
    again: bool = False,
    limit_cents: int = LIMIT_CENTS,
) -> Draft:
    """Draft the payment files of a run: one to collect, one to pay out.

    What is open on papers of the run's month is taken together per member, so a correction nets
    the old papers with the new ones. A member of whom a paper stands in a file that waits is left
    out until that file is released or withdrawn, so nothing is collected twice.

    Args:
        desk: Where, by whom and when.
        settings: The cooperative.
        run: The run, such as ``2026-07/1``.
        day: When the money is to move; when left out, the latest due day of the papers that are
            taken up, or as soon as a bank can.
        again: Whether what the bank took back is tried once more.
        limit_cents: The most that one instruction may move [cents].

    Raises:
        BooksError: The day is past, or an instruction is refused; nothing is drafted.
        StateError: Nothing is open.
    """
    desk.officer.need(*CLERKS)
    today = day_of(desk.at_s)
    if day is not None and day < today:
        raise StateError(f"{day} is past: name a day on which a bank can still move money")
    free = _free_items(desk, run, again=again)
    if day is None:
        day = paying_day(last_due(_papers(desk, free)), today)
    found = _plan(desk, run, day, free)
    if found == Plan((), (), (), ()):
        raise StateError(f"run {run}: nothing is open that stands in no file yet")
    for items in found.set_off:
        _set_off(desk, items)
    files = tuple(
        _draft_file(desk, settings, run, day, planned, limit_cents)
        for planned in (found.collect, found.pay_out)
        if planned
    )
    return Draft(files, found.by_hand, tuple(items[0].party for items in found.set_off))


def collect(desk: Desk, settings: CoopSettings, run: str, day: date) -> PaymentFile:
    """Draft the direct debits of a run (pain.008); see ``draft`` for both files at once.

    Raises:
        StateError: There is nothing to collect.
    """
    return _one_way(desk, settings, run, day, Direction.COLLECT)


def pay_out(desk: Desk, settings: CoopSettings, run: str, day: date) -> PaymentFile:
    """Draft the transfers of a run (pain.001); see ``draft`` for both files at once.

    Raises:
        StateError: There is nothing to pay out.
    """
    return _one_way(desk, settings, run, day, Direction.PAY_OUT)


def payers(desk: Desk, parties: Iterable[str], day: date) -> dict[str, Payer]:
    """Return parties as far as money goes, with the mandates of a day."""
    names = sorted(set(parties))
    known, ibans = registry.parties_of(desk, names), registry.ibans_to_pay(desk, names)
    mandates = registry.mandates_on(desk, names, day)
    found = {}
    for party in names:
        each, mandate = known[party], mandates.get(party)
        payer = Payer(party, each.name, each.address, iban=ibans.get(party, ""))
        if mandate is not None:
            part = MandatePart(mandate.reference, mandate.signed_on, Sequence(mandate.sequence))
            payer = replace(payer, mandate=part, mandate_iban=mandate.iban)
        found[party] = payer
    return found


def _one_way(
    desk: Desk, settings: CoopSettings, run: str, day: date, direction: Direction
) -> PaymentFile:
    desk.officer.need(*CLERKS)
    found = _plan(desk, run, day, _free_items(desk, run, again=False))
    planned = found.collect if direction is Direction.COLLECT else found.pay_out
    if not planned:
        raise StateError(f"run {run}: nothing is open to {direction.value}")
    return _draft_file(desk, settings, run, day, planned, LIMIT_CENTS)


def _free_items(desk: Desk, run: str, *, again: bool) -> list[OpenItem]:
    """Return a month's open papers; who stands in a waiting file is left out."""
    month = run.partition("/")[0]
    waiting, returned = reserved(desk), frozenset() if again else came_back(desk)
    items = [item for item in open_items(desk) if item.run.partition("/")[0] == month]
    waits = {item.party for item in items if (item.document, item.account) in waiting}
    return [
        item
        for item in items
        if item.party not in waits and (item.document, item.account) not in returned
    ]


def _papers(desk: Desk, items: Iterable[OpenItem]) -> list[Document]:
    """Return the papers that are open, as they were numbered."""
    numbers = {item.document: item.run for item in items}
    runs = sorted(set(numbers.values()))
    return [paper for run in runs for paper in documents(desk, run=run) if paper.number in numbers]


def _plan(desk: Desk, run: str, day: date, free: list[OpenItem]) -> Plan:
    """Return what becomes of a month's open papers."""
    known = payers(desk, (item.party for item in free), day)
    subject = f"Afrekening {run.partition('/')[0]}"
    return plan(free, known, attempts(desk), subject, day)


def _draft_file(
    desk: Desk,
    settings: CoopSettings,
    run: str,
    day: date,
    planned: tuple[Planned, ...],
    limit_cents: int,
) -> PaymentFile:
    number = (desk.session.scalar(select(func.max(PaymentFileRow.number))) or 0) + 1
    order = _order(desk, settings, number, day, tuple(each.instruction for each in planned))
    content = pain_document(order, limit_cents)
    check_against(order, content)
    desk.session.add(
        PaymentFileRow(
            number=number,
            message=order.message,
            direction=order.direction,
            run=run,
            day=day,
            sha256=content_hash(content),
            instructions=len(planned),
            cents=order.cents,
            **stamp(desk),
        )
    )
    desk.session.flush()
    seal_content(desk, number, content)
    _write_instructions(desk, number, planned)
    take_step(desk, number, FileState.DRAFTED)
    made = payment_file(desk, number)
    propose(desk, Matter.PAYMENT, made.message, file_body(made))
    record(desk, "payment.draft", made.message, file_body(made))
    return made


def _order(
    desk: Desk,
    settings: CoopSettings,
    number: int,
    day: date,
    instructions: tuple[Instruction, ...],
) -> Order:
    paid_out = instructions[0].mandate is None
    return Order(
        Direction.PAY_OUT if paid_out else Direction.COLLECT,
        f"{settings.coop[:16].rstrip('-')}-{day:%Y%m%d}-{number}",
        desk.at_s,
        day,
        settings.name,
        settings.address,
        settings.iban,
        "" if paid_out else settings.creditor_id,
        instructions,
    )


def _write_instructions(desk: Desk, number: int, planned: tuple[Planned, ...]) -> None:
    before = attempts(desk)
    rows = [_instruction_row(number, each.instruction) for each in planned]
    desk.session.add_all(rows)
    desk.session.flush()
    desk.session.add_all(
        _part_row(row.id, part, before)
        for row, each in zip(rows, planned, strict=True)
        for part in each.parts
    )
    desk.session.flush()


def _instruction_row(file: int, instruction: Instruction) -> PaymentInstructionRow:
    mandate = instruction.mandate
    return PaymentInstructionRow(
        file=file,
        party=instruction.party,
        end_to_end=instruction.end_to_end,
        mandate=mandate.reference if mandate else "",
        cents=instruction.cents,
    )


def _part_row(
    instruction: int, part: Part, before: Mapping[tuple[str, str], int]
) -> PaymentPartRow:
    item = part.item
    return PaymentPartRow(
        instruction=instruction,
        document=item.document,
        account=item.account,
        attempt=before.get((item.document, item.account), 0) + 1,
        cents=part.cents,
    )


def _set_off(desk: Desk, items: tuple[OpenItem, ...]) -> None:
    """Close papers of one party that come to nothing together: no money moves."""
    parts = tuple(Part(item, item.rest) for item in items)
    key = digest([[part.item.document, part.item.account, part.cents] for part in parts])
    lines = account_lines(parts)
    party = items[0].party
    if not lines:
        # An invoice and its credit note stand on one account, which holds nothing of them.
        first = Account(items[0].account)
        lines = (Line(first, -items[0].rest), Line(first, items[0].rest))
    entry = Entry(f"set-off {party}", lines)
    day = open_day(desk, day_of(desk.at_s))
    posted = post(desk, Journal("set-off", key, day, entry, "papers that come to nothing"))
    settle(desk, parts, "set_off", key, posted.id)
    record(desk, "payment.set_off", party, {"documents": [item.document for item in items]})
