"""The audit file: what the tax office reads is what the ledger holds, to the cent."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
import pyxaf
from pyxaf.findings import Severity
from pyxaf.models import Line as ReadLine
from pyxaf.models import Side

from api.cooperative import registry
from api.cooperative.auditfile import auditfile
from api.cooperative.auditfile.gathering import account_id
from api.cooperative.books import Journal, post, reverse, trial_balance
from api.cooperative.database import Books, Desk
from api.cooperative.errors import BooksError
from api.cooperative.officers import Officer
from api.cooperative.periods import lock
from api.cooperative.registry import Party, PartyKind
from kwartier.ledger import Account, Entry, Line, Unit
from tests.api.cooperative.paying import HOME, OWES, issue_paper, settings


def test_a_first_year_is_read_without_a_fault(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        made = auditfile(desk, settings(tmp_path), 2026)

    report = pyxaf.validate(io.BytesIO(made), xsd=True)
    assert report.ok, str(report)
    assert {"L4x", "L5", "L6", "L7"} <= {layer.partition(" ")[0] for layer in report.checked}
    assert [each for each in report.findings if each.severity > Severity.INFO] == []


def test_a_year_comes_to_what_the_ledger_holds(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        _second_year(desk)
        for year in (2026, 2027):
            made = auditfile(desk, settings(tmp_path), year)
            _check_totals(desk, made, year)


def test_a_second_year_opens_with_what_the_first_left(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        _second_year(desk)
        made = auditfile(desk, settings(tmp_path), 2027)

    report = pyxaf.validate(io.BytesIO(made), xsd=True)
    assert report.ok, str(report)
    opening = {name: cents for name, cents in _amounts(_opening_lines(made)).items() if cents}
    # 12.10 owed by huis-1 and 25.00 by the school; 2.10 VAT; the rest was earned in 2026.
    assert opening == {"receivable": 3710, "tax:vat_due": -210, "equity:result": -3500}


def test_a_corrected_month_shows_both_entries_in_the_month_they_were_booked(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        lock(desk, "2026-07")
        reverse(desk, 1, date(2026, 9, 3), "wrong reading")
        made = auditfile(desk, settings(tmp_path), 2026)
        _check_totals(desk, made, 2026)

    with pyxaf.open(io.BytesIO(made)) as file:
        booked = [
            (each.journal_id, each.period_key, each.description) for each in file.transactions()
        ]
    assert booked == [
        ("reversal", "9", "reversal of F huis-1, over 2026-07"),
        ("run", "7", "F huis-1"),
        ("run", "7", "F school"),
    ]


def test_persons_stand_in_it_by_their_ids_only(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        made = auditfile(desk, settings(tmp_path), 2026).decode()

    assert "huis-1" in made
    assert "De Wit" not in made
    assert "Zonstraat" not in made
    assert "<custSupName>Openbare school De Zon</custSupName>" in made


def test_only_euros_stand_in_it(books: Books, treasurer: Officer, tmp_path: Path) -> None:
    with books.desk(treasurer) as desk:
        _first_year(desk)
        before = auditfile(desk, settings(tmp_path), 2026)
        wijk = (
            Line(Account("wijk:issued", Unit.WIJK_CENT), 500),
            Line(Account("wijk:huis-1", Unit.WIJK_CENT), -500),
        )
        entry = Entry("vouchers", wijk)
        post(desk, Journal("wijk", "1", date(2026, 8, 1), entry, "vouchers sold"))
        made = auditfile(desk, settings(tmp_path), 2026)

    assert _amounts(_lines(made)) == _amounts(_lines(before))


def test_a_year_in_which_nothing_was_booked_is_refused(
    books: Books, treasurer: Officer, tmp_path: Path
) -> None:
    refused = pytest.raises(BooksError, match="nothing was booked in 2031")
    with refused, books.reading(treasurer) as desk:
        auditfile(desk, settings(tmp_path), 2031)


def test_an_account_with_a_long_name_gets_a_short_id_of_its_own() -> None:
    one, other = (account_id(f"fund:{'a' * 31}{letter}") for letter in "bc")

    assert len(one) == len(other) == 35
    assert one != other
    assert account_id("fund:levy") == "fund:levy"
    assert account_id("receivable:huis-1") == "receivable"


def _first_year(desk: Desk) -> None:
    """July 2026: huis-1 owes 12.10 of which 2.10 VAT, a school owes 25.00."""
    registry.add_party(desk, Party("huis-1", PartyKind.RESIDENT, "Fam. De Wit", HOME))
    registry.add_party(desk, Party("school", PartyKind.SCHOOL, "Openbare school De Zon", HOME))
    lines = (
        Line(Account("receivable:huis-1"), 1210),
        Line(Account("coop:energy_sales"), -1000),
        Line(Account("tax:vat_due"), -210),
    )
    post(desk, Journal("run", "1", date(2026, 7, 31), Entry("F huis-1", lines), "July"))
    issue_paper(desk, OWES, "school", 2500, "2026-07/1", date(2026, 7, 31))


def _second_year(desk: Desk) -> None:
    """January 2027: the school pays and owes again."""
    paid = (Line(Account("bank:main"), 2500), Line(Account("receivable:school"), -2500))
    post(desk, Journal("bank", "1", date(2027, 1, 4), Entry("bank", paid), "paid"))
    issue_paper(desk, OWES, "school", 990, "2027-01/1", date(2027, 1, 31))


def _check_totals(desk: Desk, made: bytes, year: int) -> None:
    """Opening plus transactions of each account is what the ledger holds at the year's end."""
    held: dict[str, int] = {}
    for account, cents in trial_balance(desk, date(year, 12, 31)).items():
        held[account_id(account.name)] = held.get(account_id(account.name), 0) + cents
    before = trial_balance(desk, date(year - 1, 12, 31))
    results = ("coop:energy_sales", "coop:energy_purchase", "coop:fees")
    found = _amounts([*_opening_lines(made), *_lines(made)])
    for name in results:
        # What earlier years earned stands in the opening balance as their result.
        earned = before.get(Account(name), 0)
        held[name] = held.get(name, 0) - earned
        held["equity:result"] = held.get("equity:result", 0) + earned
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in held.items() if v}


def _opening_lines(made: bytes) -> list[ReadLine]:
    with pyxaf.open(io.BytesIO(made)) as file:
        return list(file.opening_balance("element").lines)


def _lines(made: bytes) -> list[ReadLine]:
    with pyxaf.open(io.BytesIO(made)) as file:
        return [line for each in file.transactions() for line in each.lines]


def _amounts(lines: list[ReadLine]) -> dict[str, int]:
    """Return what some lines come to by account; debit is above zero [cents]."""
    found: dict[str, int] = {}
    for line in lines:
        assert line.account_id is not None
        found[line.account_id] = found.get(line.account_id, 0) + _cents(line)
    return found


def _cents(line: ReadLine) -> int:
    assert line.amount is not None
    return int(line.amount * 100) * (1 if line.side is Side.DEBIT else -1)
