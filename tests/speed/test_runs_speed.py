"""How long each step of a month takes for 100, 300 and 1,000 homes, and that it grows like them."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from api.cooperative.database import Books, Desk
from api.cooperative.four_eyes import Proposal
from api.cooperative.four_eyes import approve as approve_proposal
from api.cooperative.keys import make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.payments import Direction, draft, import_statement, release
from api.cooperative.payments.camt import BankLine
from api.cooperative.registry import propose_iban, sign_mandate
from api.cooperative.runs import approve, close, compute, invoice, post, propose, run_of
from api.cooperative.runs.frozen import case_of
from api.cooperative.runs.gathering import gather
from api.cooperative.schema import bring_up_to_date
from api.cooperative.settings import CoopSettings
from api.cooperative.tables.payments import PaymentFileRow, PaymentInstructionRow
from kwartier.clock import VirtualClock
from optimizer.month import settle_month
from tests.api.cooperative.paying import camt, iban, settings
from tests.api.cooperative.street import NOVEMBER_S, OCTOBER, PERIOD, set_up

pytestmark = [pytest.mark.speed, pytest.mark.timeout(900)]
TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
BOARD = Officer("board", "bram", frozenset({Role.BOARD}))
RUN = f"{PERIOD}/1"
STREETS = (100, 300, 1_000)
SIGNED, PAY_DAY, BANK_DAY = date(2026, 9, 1), date(2026, 11, 16), date(2026, 11, 17)
WITHOUT_ADDRESS = ("lid-3", "lid-8")
"""Their homes change hands in October, so they pay by hand."""
UNDER_THE_LOCK_S = 30
"""How long another writer waits [s]: no step may keep it waiting longer."""


@dataclass(slots=True)
class Month:
    """A street's month in books of its own, and the processor time of each step [s]."""

    books: Books
    settings: CoopSettings
    homes: int
    seconds: dict[str, float] = field(default_factory=dict)

    def step(self, name: str, officer: Officer, act: Callable[[Desk], object]) -> None:
        """Do a step in one transaction, and note what it and its commit took."""
        began = time.process_time()
        with self.books.desk(officer) as desk:
            act(desk)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began


def test_every_step_of_a_month_grows_like_its_homes(tmp_path: Path) -> None:
    spent, peaks = {}, {}
    for homes in STREETS:
        month = settled(tmp_path / str(homes), homes)
        paid(month)
        month.books.close()
        spent[homes] = month.seconds
        peaks[homes] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    print(f"\n{'seconds of processor time':<28}" + "".join(f"{homes:>9}" for homes in STREETS))
    for name in spent[STREETS[0]]:
        cells = "".join(f"{spent[homes][name]:>9.2f}" for homes in STREETS)
        each = "".join(f"{1000 * spent[homes][name] / homes:>8.2f}" for homes in STREETS)
        print(f"{name:<28}{cells}   ms a home{each}")
    print(f"{'peak memory so far [MiB]':<28}" + "".join(f"{peaks[homes]:>9}" for homes in STREETS))
    few, many = STREETS[1], STREETS[-1]
    for name, seconds in spent[many].items():
        # A step that looks at everything for each home would take eleven times as long.
        assert seconds < 0.2 + 2 * (many / few) * spent[few][name], name
        assert seconds < UNDER_THE_LOCK_S, name


def settled(folder: Path, homes: int) -> Month:
    """Take a street's October from its readings to a closed run, each step by the clock."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'books.db'}"
    bring_up_to_date(url)
    books = Books(url, make_keys(folder / "keys"), VirtualClock(NOVEMBER_S))
    month = Month(books, settings(folder), homes)
    set_up(books, TREASURER, BOARD, homes=tuple(f"home-{each}" for each in range(1, homes + 1)))
    with books.reading(TREASURER) as desk:
        gathered = gather(desk, OCTOBER)
        began = time.process_time()
        settle_month(case_of(gathered.inputs, gathered.readings))
        month.seconds["the engine alone"] = time.process_time() - began

    month.step("compute", TREASURER, lambda desk: compute(desk, month.settings, PERIOD))
    month.step("compute again", TREASURER, lambda desk: compute(desk, month.settings, PERIOD))
    month.step("propose", TREASURER, lambda desk: propose(desk, RUN))
    with books.reading(BOARD) as desk:
        body_hash = run_of(desk, RUN).last.body_hash
    month.step("approve", BOARD, lambda desk: approve(desk, RUN, body_hash))
    month.step("post", TREASURER, lambda desk: post(desk, RUN))
    month.step("invoice", TREASURER, lambda desk: invoice(desk, month.settings, RUN))
    month.step("close", TREASURER, lambda desk: close(desk, RUN))
    return month


def paid(month: Month) -> None:
    """Sign mandates, send the files, and import two statements of single lines."""
    waiting: list[Proposal] = []
    month.step(
        "mandates and accounts", TREASURER, lambda desk: waiting.extend(_signed(desk, month))
    )
    month.step("approve accounts", BOARD, lambda desk: _approved(desk, waiting))
    month.step("draft files", TREASURER, lambda desk: draft(desk, month.settings, RUN, PAY_DAY))
    with month.books.reading(BOARD) as desk:
        numbers = list(desk.session.scalars(select(PaymentFileRow.number)))
    month.step("release files", BOARD, lambda desk: [release(desk, each) for each in numbers])
    with month.books.reading(TREASURER) as desk:
        shown = _shown(desk)
    known = camt(shown, name="known", day=BANK_DAY)
    strange = camt(_strange(month.homes), name="strange", day=BANK_DAY)
    month.step("import what was sent", TREASURER, lambda desk: _imported(desk, month, known))
    month.step("import what is strange", TREASURER, lambda desk: _imported(desk, month, strange))
    month.step("import it again", TREASURER, lambda desk: _imported(desk, month, known))


def _imported(desk: Desk, month: Month, content: bytes) -> None:
    told = import_statement(desk, month.settings, content)
    assert told.lines + told.known >= month.homes - len(WITHOUT_ADDRESS)


def _signed(desk: Desk, month: Month) -> list[Proposal]:
    proposals = []
    for number in range(1, month.homes + 1):
        party = f"lid-{number}"
        if party not in WITHOUT_ADDRESS:
            sign_mandate(desk, party, f"M-{number:04d}", iban(number), SIGNED)
            proposals.append(propose_iban(desk, party, iban(number)))
    return proposals


def _approved(desk: Desk, waiting: list[Proposal]) -> None:
    for proposal in waiting:
        approve_proposal(desk, proposal.id, proposal.body_hash)


def _shown(desk: Desk) -> list[BankLine]:
    """Return every instruction as a line of its own, known by its id or by words in its text."""
    rows = desk.session.execute(
        select(PaymentInstructionRow, PaymentFileRow.direction)
        .join(PaymentFileRow, PaymentFileRow.number == PaymentInstructionRow.file)
        .order_by(PaymentInstructionRow.id)
    )
    lines = []
    for number, (sent, direction) in enumerate(rows, 1):
        cents = sent.cents if direction == Direction.COLLECT else -sent.cents
        by_id = not sent.mandate or number % 2 == 0
        lines.append(
            BankLine(
                BANK_DAY,
                cents,
                sent.end_to_end if by_id else "",
                reference=f"B{number}",
                name="Bewoner",
                iban=iban(number),
                text=f"betaling {number}" if by_id else f"incasso {sent.mandate} dank",
            )
        )
    return lines


def _strange(count: int) -> list[BankLine]:
    """Return lines that nobody knows."""
    return [
        BankLine(
            BANK_DAY,
            100_000 + number,
            reference=f"C{number}",
            name="Iemand",
            iban=iban(500_000 + number),
            text=f"lidmaatschap van nummer {number}",
        )
        for number in range(count)
    ]
