"""VAT codes and their rates as dated records: the law's own, and those that were approved since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import select

from api.cooperative.canonical import canonical
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, Proposal, propose
from api.cooperative.law.decision import adopted_decision
from api.cooperative.law.dutch import VAT_RATES
from api.cooperative.law.rule import Mark
from api.cooperative.law.versions import is_approved
from api.cooperative.officers import DECIDERS
from api.cooperative.stamp import stamp
from api.cooperative.tables.law import VatCodeRow
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import epoch_s, instant_text, parse_instant
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part


class VatStatus(StrEnum):
    """How a party stands to VAT on what it sells."""

    NONE = "none"
    """It is no entrepreneur for VAT."""
    KOR = "kor"
    """It uses the small-business scheme."""
    REGISTERED = "registered"
    REVERSE_CHARGE = "reverse_charge"
    """Whoever buys from it owes the VAT."""


@dataclass(frozen=True, slots=True)
class VatCode:
    """The rate of a code from an instant on.

    Attributes:
        code: Its name, such as ``high``.
        from_s: From when it holds [s].
        rate: As a part, such as 21/100.
        mark: How sure it is.
        source: Where it was read.
        decision: The decision that took it into the books; empty for the law's own.
    """

    code: str
    from_s: EpochS
    rate: Fraction
    mark: Mark
    source: str
    decision: str = ""

    @property
    def id(self) -> str:
        """What the record is approved by: code and instant."""
        return f"{self.code}@{instant_text(self.from_s)}"

    @property
    def body(self) -> dict[str, Json]:
        """All of it as JSON, as it is approved."""
        return {
            "code": self.code,
            "from": instant_text(self.from_s),
            "rate": str(self.rate),
            "mark": self.mark.value,
            "source": self.source,
            "decision": self.decision,
        }


OF_LAW = tuple(
    VatCode(code, epoch_s(parse_instant(start)), Fraction(rate), mark, source)
    for code, start, rate, mark, source in VAT_RATES
)
"""What holds without anybody's approval."""


def add_vat_code(desk: Desk, code: VatCode) -> Proposal:
    """Write down the rate of a code and propose it; it holds once another officer approved.

    Raises:
        BooksError: There is no such decision, or the rate is no part of 1.
    """
    desk.officer.need(*DECIDERS)
    checked_name(code.code, "VAT code")
    if not 0 <= code.rate <= 1:
        raise ContractError(f"VAT code {code.code}: rate {code.rate}: use 0 to 1, such as 21/100")
    adopted_decision(desk, code.decision, code.from_s, f"VAT code {code.code}")
    if code not in _written(desk):
        desk.session.add(
            VatCodeRow(
                code=code.code,
                start_s=code.from_s,
                body=canonical(code.body),
                decision=code.decision,
                **stamp(desk),
            )
        )
        desk.session.flush()
        record(desk, "vat.add", code.id, code.body)
    return propose(desk, Matter.VAT, code.id, code.body)


def vat_codes(desk: Desk) -> list[VatCode]:
    """Return every record that holds, the law's own first, in order of writing."""
    approved = [
        code for code in _written(desk) if is_approved(desk, Matter.VAT, code.id, code.body)
    ]
    return [*OF_LAW, *approved]


def vat_code(desk: Desk, code: str, at_s: EpochS) -> VatCode:
    """Return the record of a code that holds at an instant [s].

    Raises:
        BooksError: There is none.
    """
    begun = [found for found in vat_codes(desk) if found.code == code and found.from_s <= at_s]
    if not begun:
        known = ", ".join(sorted({found.code for found in vat_codes(desk)}))
        raise BooksError(
            f"VAT code {code[:40]!r} has no rate at {instant_text(at_s)}; there are: {known}"
        )
    # max keeps the first of equals, and the record written last is to win.
    return max(reversed(begun), key=lambda found: found.from_s)


def rate_on_sales(desk: Desk, status: VatStatus, code: str, at_s: EpochS) -> Fraction:
    """Return the VAT rate a member charges on what it sells, by how it stands to VAT.

    Only who is registered charges any; under reverse charge the buyer owes it instead.
    """
    if status is not VatStatus.REGISTERED:
        return Fraction()
    return vat_code(desk, code, at_s).rate


def _written(desk: Desk) -> list[VatCode]:
    rows = desk.session.scalars(select(VatCodeRow).order_by(VatCodeRow.id))
    return [_code(row) for row in rows]


def _code(row: VatCodeRow) -> VatCode:
    body: Json = json.loads(row.body)
    parts = Part(body).names()
    return VatCode(
        row.code,
        row.start_s,
        parts["rate"].fraction("21/100"),
        parts["mark"].choice(Mark),
        str(parts["source"].value),
        row.decision,
    )
