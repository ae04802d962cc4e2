"""Who is collected from, who is paid out, who pays by hand: decided from what is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from api.cooperative.payments.items import OpenItem, Part, net, take
from api.cooperative.payments.sepa import Instruction, MandatePart
from api.cooperative.settings import Address

_LONGEST_TEXT = 140


@dataclass(frozen=True, slots=True)
class Payer:
    """A party as far as money goes.

    Attributes:
        party: Its id.
        name: Its name. Personal, as are address and account.
        address: Where it is.
        mandate: The mandate that holds on the day of payment; None without one.
        mandate_iban: The account of that mandate; empty without one.
        iban: The account to pay it on; empty while none was approved.
    """

    party: str
    name: str
    address: Address
    mandate: MandatePart | None = None
    mandate_iban: str = ""
    iban: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """An instruction, and what it takes of which items."""

    instruction: Instruction
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ByHand:
    """What no file can move.

    Attributes:
        party: Whose.
        cents: What the party has to pay; below zero what it is to be paid.
        reason: Why: ``no_mandate`` or ``no_account``.
        reference: What the transfer should name: a paper's number.
    """

    party: str
    cents: int
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of some open items.

    Attributes:
        collect: To be collected.
        pay_out: To be paid out.
        by_hand: To be paid by hand, the largest first.
        set_off: Items of parties whose papers come to nothing together.
    """

    collect: tuple[Planned, ...]
    pay_out: tuple[Planned, ...]
    by_hand: tuple[ByHand, ...]
    set_off: tuple[tuple[OpenItem, ...], ...]


def plan(
    items: Iterable[OpenItem],
    payers: Mapping[str, Payer],
    attempts: Mapping[tuple[str, str], int],
    subject: str,
    day: date,
) -> Plan:
    """Return what becomes of what is open: one amount per party, never below zero.

    Args:
        items: What is open and stands in no file.
        payers: The parties.
        attempts: How often each paper was taken up in a file before, by paper and account.
        subject: What the holder reads first, such as ``Afrekening 2026-07``.
        day: The day of payment.
    """
    of_party: dict[str, list[OpenItem]] = {}
    for item in items:
        of_party.setdefault(item.party, []).append(item)
    collect, pay_out, by_hand, set_off = [], [], [], []
    for party, held in sorted(of_party.items()):
        cents, payer = net(held), payers[party]
        mandate = payer.mandate if payer.mandate and payer.mandate.signed <= day else None
        if cents == 0:
            set_off.append(tuple(held))
        elif cents > 0 and mandate is not None:
            collect.append(_planned(payer, payer.mandate_iban, held, attempts, subject, mandate))
        elif cents < 0 and payer.iban:
            pay_out.append(_planned(payer, payer.iban, held, attempts, subject, None))
        else:
            reason = "no_mandate" if cents > 0 else "no_account"
            by_hand.append(ByHand(party, cents, reason, _main(held, cents).document))
    by_hand.sort(key=lambda each: (-abs(each.cents), each.party))
    return Plan(tuple(collect), tuple(pay_out), tuple(by_hand), tuple(set_off))


def _planned(
    payer: Payer,
    iban: str,
    items: list[OpenItem],
    attempts: Mapping[tuple[str, str], int],
    subject: str,
    mandate: MandatePart | None,
) -> Planned:
    cents = net(items)
    main = _main(items, cents)
    attempt = attempts.get((main.document, main.account), 0) + 1
    numbers = " ".join(item.document for item in items)
    instruction = Instruction(
        main.document if attempt == 1 else f"{main.document}-{attempt}",
        payer.party,
        payer.name,
        payer.address,
        iban,
        abs(cents),
        f"{subject} {numbers}"[:_LONGEST_TEXT],
        mandate,
    )
    return Planned(instruction, take(items, cents))


def _main(items: list[OpenItem], cents: int) -> OpenItem:
    """Return the item that gives a payment its name: the largest that goes its way."""
    same = [item for item in items if item.rest * cents > 0]
    return max(same, key=lambda item: (abs(item.rest), item.document))
