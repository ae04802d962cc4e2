"""SEPA orders: what is collected and paid out, refused here before a bank could refuse it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from api.cooperative.errors import BooksError
from api.cooperative.registry.numbers import checked_creditor_id, checked_iban
from api.cooperative.settings import Address
from kwartier.errors import ContractError
from kwartier.units import EpochS

LIMIT_CENTS = 500_000
"""The most that one instruction moves unless the treasurer says otherwise [cents]."""
MOST_INSTRUCTIONS = 10_000
"""The most that one file holds."""
_REFERENCE = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9+?/:().,' -]{1,35}(?<!/)", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Direction(StrEnum):
    """Which way the money goes."""

    COLLECT = "collect"
    """From members, by their mandates (pain.008)."""
    PAY_OUT = "pay_out"
    """To members (pain.001)."""


class Sequence(StrEnum):
    """Where a collection stands in its mandate's life."""

    FIRST = "FRST"
    RECURRENT = "RCUR"


@dataclass(frozen=True, slots=True)
class MandatePart:
    """The mandate under which is collected."""

    reference: str
    signed: date
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class Instruction:
    """One amount to one account, or from it.

    Attributes:
        end_to_end: What comes back on the bank's statement, at most 35 characters.
        party: Whose.
        name: The account's holder.
        address: Where the holder lives; town and country at the least.
        iban: The account.
        cents: How much, above zero.
        text: What the holder reads.
        mandate: Under which mandate; None when paying out.
    """

    end_to_end: str
    party: str
    name: str
    address: Address
    iban: str
    cents: int
    text: str
    mandate: MandatePart | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One payment file, before it is written.

    Attributes:
        direction: Which way the money goes.
        message: The file's own name at the bank, at most 32 characters.
        made_s: When it was made [s].
        day: When the money is to move.
        name: The cooperative.
        address: Where it sits.
        iban: Its account.
        creditor_id: Its SEPA creditor identifier; empty when paying out.
        instructions: What is moved, in order.
    """

    direction: Direction
    message: str
    made_s: EpochS
    day: date
    name: str
    address: Address
    iban: str
    creditor_id: str
    instructions: tuple[Instruction, ...]

    @property
    def cents(self) -> int:
        """What it moves in all."""
        return sum(instruction.cents for instruction in self.instructions)


def check_order(order: Order, limit_cents: int = LIMIT_CENTS) -> None:
    """Refuse an order that a bank would refuse, or that no treasurer means.

    Raises:
        BooksError: It is empty or too long, an amount is not above zero or above the limit, an
            IBAN, address, mandate or reference is wrong, or a reference stands there twice. The
            message names the party's id and no name, address or account.
    """
    count = len(order.instructions)
    if not 1 <= count <= MOST_INSTRUCTIONS:
        raise BooksError(f"file {order.message}: {count} instructions; 1 to {MOST_INSTRUCTIONS}")
    place = f"file {order.message}"
    _check_reference(order.message, f"{place}: its name", longest=32)
    account_number(order.iban, f"{place}: the cooperative's own account, in books.toml")
    _check_address(order.address, f"{place}: the cooperative's own address, in books.toml")
    if order.direction is Direction.COLLECT:
        with _at(f"{place}, creditor_id in books.toml"):
            checked_creditor_id(order.creditor_id)
    for instruction in order.instructions:
        _check_instruction(order, instruction, f"{place}, {instruction.party}", limit_cents)
    _refuse_twice((each.end_to_end for each in order.instructions), place)


def account_number(text: str, what: str) -> str:
    """Return an IBAN without spaces, or refuse it; the number is in no message."""
    with _at(what):
        return checked_iban(text)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Put a place in front of what is refused."""
    try:
        yield
    except ContractError as error:
        raise BooksError(f"{place}: {error}") from None


def _check_instruction(
    order: Order, instruction: Instruction, place: str, limit_cents: int
) -> None:
    if type(instruction.cents) is not int or instruction.cents <= 0:
        raise BooksError(f"{place}: {instruction.cents} cents: an amount is above zero")
    if instruction.cents > limit_cents:
        raise BooksError(
            f"{place}: {instruction.cents} cents is above the limit of {limit_cents}: "
            "look at the run, or name a higher limit"
        )
    account_number(instruction.iban, place)
    _check_address(instruction.address, place)
    _check_reference(instruction.end_to_end, f"{place}: end-to-end id")
    mandate = instruction.mandate
    if order.direction is Direction.PAY_OUT:
        return
    if mandate is None:
        raise BooksError(f"{place}: there is no mandate: let it be signed, or paid by hand")
    _check_reference(mandate.reference, f"{place}: mandate reference")
    if mandate.signed > order.day:
        raise BooksError(f"{place}: the mandate was signed after {order.day}, the day of payment")


def _check_reference(text: str, what: str, longest: int = 35) -> None:
    if _REFERENCE.fullmatch(text) is None or len(text) > longest:
        raise BooksError(
            f"{what} {text!r} is not 1 to {longest} characters of SEPA's set without '//' and "
            "without '/' at either end"
        )


def _check_address(address: Address, place: str) -> None:
    if not address.town.strip() or _COUNTRY.fullmatch(address.country) is None:
        raise BooksError(f"{place}: the address needs a town and a country of two capitals")


def _refuse_twice(references: Iterable[str], place: str) -> None:
    seen: set[str] = set()
    for reference in references:
        if reference in seen:
            raise BooksError(f"{place}: end-to-end id {reference!r} stands there twice")
        seen.add(reference)
