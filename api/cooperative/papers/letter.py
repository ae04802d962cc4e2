"""What a letter says, worked out from a statement: the sentences, the rest, the worked example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.papers.legal import EARNED
from api.cooperative.papers.wording import Wording
from api.cooperative.settings import Address
from api.cooperative.statement import (
    Charge,
    ConnectionPart,
    Statement,
    StatementLine,
    StatementState,
)
from kwartier.units import Wh

UNCONFIRMED_TAX = "tax_unconfirmed"
"""The warning under which every paper is a draft."""


@dataclass(frozen=True, slots=True)
class Residual:
    """What of a connection's energy was shared, and what the supplier still bills [Wh]."""

    part: ConnectionPart
    import_wh: Wh
    bought_wh: Wh
    export_wh: Wh
    sold_wh: Wh
    battery_wh: Wh

    @property
    def import_left_wh(self) -> Wh:
        """What the supplier still sells [Wh]."""
        return self.import_wh - self.bought_wh

    @property
    def export_left_wh(self) -> Wh:
        """What the supplier still buys [Wh]."""
        return self.export_wh - self.sold_wh - self.battery_wh


@dataclass(frozen=True, slots=True)
class ChargeTotal:
    """All lines of one charge together; no energy for the fee."""

    charge: Charge
    energy_wh: Wh | None
    cents: int


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """One line, reckoned before the reader's eyes."""

    line: StatementLine
    energy_wh: Wh
    exact_eur: Fraction

    @property
    def ending(self) -> str:
        """How its cents came about: ``round.exact``, ``round``, or ``round.shared`` with others."""
        off = abs(self.line.amount_cents - self.exact_eur * 100)
        if off == 0:
            return "round.exact"
        return "round" if off <= Fraction(1, 2) else "round.shared"


def is_draft(statement: Statement) -> bool:
    """Return whether a paper is marked as a draft on every page."""
    provisional = statement.state is StatementState.PROVISIONAL
    return provisional or UNCONFIRMED_TAX in statement.warnings


def total_sentence(words: Wording, cents: int) -> str:
    """Return what it comes to in one sentence; below zero is what the member gets."""
    if cents == 0:
        return words.say("total.none")
    return words.say("total.get" if cents < 0 else "total.pay", amount=words.euro(abs(cents)))


def total_word(words: Wording, cents: int) -> str:
    """Return what stands before the total in a table."""
    return words.say(
        "total.none.word" if not cents else "total.get.word" if cents < 0 else "total.pay.word"
    )


def payment_sentences(words: Wording, statement: Statement) -> list[str]:
    """Return how the amount, or the difference of a correction, is paid."""
    if statement.state is StatementState.PROVISIONAL:
        return [words.say("how.provisional")]
    cents, what = statement.to_pay_cents, words.say("what.amount")
    if statement.correction is not None:
        cents = statement.correction.delta_cents
        what = words.say("what.difference", amount=words.euro(abs(cents)))
    if cents == 0:
        return [words.say("how.none" if statement.correction is None else "how.corrected.none")]
    day = "" if statement.due is None else words.day(statement.due)
    account = statement.account
    if cents < 0:
        key = ".account" if day and account else ".day" if day else ".number" if account else ""
        return [words.say(f"how.get{key}", what=what, day=day, account=account)]
    if statement.mandate:
        key = "how.pay.mandate" if day else "how.pay.mandate.soon"
        told = words.say(key, what=what, day=day, account=account)
        return [
            told.replace(" .", "."),
            words.say(
                "how.pay.mandate.under",
                mandate=statement.mandate,
                creditor=statement.coop.creditor_id,
            ),
        ]
    if not statement.coop.iban:
        return [words.say("how.pay.soon", what=what)]
    return [
        words.say(
            "how.pay.day" if day else "how.pay",
            what=what,
            day=day,
            iban=iban_in_fours(statement.coop.iban),
            number=statement.invoice_number or statement.run,
        )
    ]


def period_sentences(words: Wording, statement: Statement) -> list[str]:
    """Return what was shared, in one or two sentences."""
    energy = {total.charge: total.energy_wh or 0 for total in charge_totals(statement.lines)}
    told = []
    if energy.get(Charge.BUY):
        told.append(words.say("short.used", kwh=words.kwh(energy[Charge.BUY])))
    sold, battery = energy.get(Charge.SELL, 0), energy.get(Charge.BATTERY, 0)
    if sold or battery:
        key = "short.given" if battery else "short.given.neighbours"
        told.append(words.say(key, sold=words.kwh(sold), battery=words.kwh(battery)))
    return told or [words.say("short.nothing")]


def correction_sentence(words: Wording, to_pay_cents: int, delta_cents: int) -> str:
    """Return what a correction changed, seen from what is paid or received now."""
    if delta_cents == 0:
        return words.say("correction.same")
    key = "correction.more" if delta_cents > 0 else "correction.less"
    if to_pay_cents < 0:
        key += ".get"
    return words.say(key, amount=words.euro(abs(delta_cents)))


def warning_sentences(words: Wording, statement: Statement) -> list[str]:
    """Return the remarks that must stand on the paper, the provisional state first."""
    keys = [*statement.warnings]
    if statement.state is StatementState.PROVISIONAL:
        keys.insert(0, "provisional")
    return [
        words.say(f"warning.{key}")
        if words.knows(f"warning.{key}")
        else words.say("warning.other", key=key)
        for key in dict.fromkeys(keys)
    ]


def question_sentence(words: Wording, statement: Statement) -> str:
    """Return whom a member asks, by what the cooperative has: telephone, e-mail, both, neither."""
    phone, email = statement.coop.phone, statement.coop.email
    key = "text" if phone and email else "phone" if phone else "email" if email else "none"
    return words.say(f"questions.{key}", phone=phone, email=email, run=statement.run)


def charge_totals(lines: Sequence[StatementLine]) -> list[ChargeTotal]:
    """Return the lines by charge, in the order of :class:`Charge`."""
    told = []
    for charge in Charge:
        of_charge = [line for line in lines if line.charge is charge]
        if of_charge:
            energy_wh = [line.energy_wh for line in of_charge if line.energy_wh is not None]
            told.append(
                ChargeTotal(
                    charge,
                    sum(energy_wh) if energy_wh else None,
                    sum(line.amount_cents for line in of_charge),
                )
            )
    return told


def owed(statement: Statement) -> list[StatementLine]:
    """Return the lines the member pays."""
    return [line for line in statement.lines if line.charge not in EARNED]


def earned(statement: Statement) -> list[StatementLine]:
    """Return the lines the member is paid for."""
    return [line for line in statement.lines if line.charge in EARNED]


def residual_of(part: ConnectionPart) -> Residual:
    """Return what of a connection the supplier still bills."""
    return Residual(
        part,
        sum(day.import_wh for day in part.days),
        sum(day.bought_wh for day in part.days),
        sum(day.export_wh for day in part.days),
        sum(day.sold_wh for day in part.days),
        sum(day.to_battery_wh for day in part.days),
    )


def worked_example(statement: Statement) -> WorkedExample | None:
    """Return the line that is explained: the largest of shared solar, else of what there is."""
    with_energy = [line for line in statement.lines if line.energy_wh]
    if not with_energy:
        return None
    bought = [line for line in with_energy if line.charge is Charge.BUY]
    line = max(bought or with_energy, key=lambda line: line.energy_wh or 0)
    energy_wh = line.energy_wh or 0
    return WorkedExample(line, energy_wh, Fraction(energy_wh, 1000) * Fraction(line.price_eur))


def estimated_part(line: StatementLine) -> Fraction:
    """Return which part of a line's quarters was estimated or missing."""
    return Fraction(line.estimated, line.quarters) if line.quarters else Fraction(0)


def address_lines(address: Address) -> list[str]:
    """Return an address as it stands on an envelope; the country only when it is another."""
    lines = [
        f"{address.street} {address.number}".strip(),
        f"{address.postcode}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}{address.town}".strip(),
    ]
    if address.country not in {"", "NL"}:
        lines.append(address.country)
    return [line for line in lines if line]


def iban_in_fours(iban: str) -> str:
    """Return an IBAN in groups of four, as people read it."""
    plain = iban.replace(" ", "")
    return "\N{NO-BREAK SPACE}".join(plain[at : at + 4] for at in range(0, len(plain), 4))
