"""A corrected month tells which later months began with other claims on the battery."""

from __future__ import annotations

import pytest

from api.cooperative.checks import Code, Finding, Severity
from api.cooperative.checks.finding import Fact
from api.cooperative.checks.sentences import sentence
from api.cooperative.database import Books
from api.cooperative.officers import Officer
from api.cooperative.readings import store_days
from api.cooperative.runs import (
    approve,
    compute,
    correct,
    findings,
    invoice,
    post,
    propose,
    run_document,
)
from api.cooperative.runs.month import Month
from kwartier.clock import VirtualClock
from optimizer.settling.battery_models import BatteryModel
from tests.api.cooperative.stages import REASON, SMALL
from tests.api.cooperative.street import OCTOBER, PERIOD, SETTINGS, one_day, readings, set_up

NOVEMBER = Month.parse("2026-11")


class Street:
    """Two months of a small street, both in the books, and a reading of the first that changed."""

    def __init__(
        self, books: Books, officers: tuple[Officer, Officer], model: BatteryModel
    ) -> None:
        """Settle both months, then read a meter by hand at every noon."""
        self.books = books
        self.treasurer, self.board = officers
        set_up(books, *officers, homes=SMALL, model=model)
        with books.desk(self.treasurer) as desk:
            store_days(desk, readings(SMALL, NOVEMBER))
        for period in (PERIOD, str(NOVEMBER)):
            with books.desk(self.treasurer) as desk:
                run = compute(desk, SETTINGS, period)
            self.to_papers(run)
        with books.desk(self.treasurer) as desk:
            store_days(desk, [one_day("home-4", day, 40_000) for day in OCTOBER.days])

    def to_papers(self, run: str) -> None:
        """Take a computed run to its papers."""
        with self.books.desk(self.treasurer) as desk:
            proposal = propose(desk, run)
        with self.books.desk(self.board) as desk:
            approve(desk, run, proposal.body_hash)
        with self.books.desk(self.treasurer) as desk:
            post(desk, run)
            invoice(desk, SETTINGS, run)

    def corrected(self, period: str) -> list[Finding]:
        """Begin to correct a month, and return what is told of later months."""
        with self.books.desk(self.treasurer) as desk:
            run = correct(desk, SETTINGS, period, REASON)
            found = [each.finding for each in findings(desk, run)]
        return [each for each in found if each.kind == "later_claims"]

    def claims_milliwh(self, run: str) -> dict[str, int]:
        """Return the claims that a run left."""
        with self.books.reading(self.treasurer) as desk:
            document = run_document(desk, run)
        assert isinstance(document, dict)
        result = document["result"]
        assert isinstance(result, dict)
        battery = result["battery"]
        assert isinstance(battery, dict)
        claims = battery["claims_after_milliwh"]
        assert isinstance(claims, dict)
        return {name: int(str(milliwh)) for name, milliwh in claims.items()}


@pytest.fixture
def december(clock: VirtualClock) -> None:
    """Let both months be over."""
    clock.advance(NOVEMBER.end_s + 9 * 3600 - clock.now_s())


@pytest.mark.usefixtures("december")
def test_a_correction_tells_of_the_months_that_began_with_other_claims(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    street = Street(books, (treasurer, board), BatteryModel.OWNER_CARRY)

    (told,) = street.corrected(PERIOD)

    first, second = (street.claims_milliwh(f"{PERIOD}/{version}") for version in (1, 2))
    apart = {name: abs(first.get(name, 0) - second.get(name, 0)) for name in {*first, *second}}
    assert (told.code, told.severity) == (Code.SUM, Severity.WARNING)
    assert told.facts["months"] == "2026-11"
    assert told.facts["difference_wh"] == -(-sum(apart.values()) // 1000)
    # The last price of October is 0.13 EUR/kWh, and 0.9 of a claim comes out.
    of_members = sum(moved for name, moved in apart.items() if name != "coop")
    assert of_members > 0
    assert abs(told.effect_cents - of_members * 0.9 * 0.13 / 10_000) <= 0.5

    street.to_papers(f"{PERIOD}/2")
    assert street.corrected(str(NOVEMBER)) == []
    street.to_papers("2026-11/2")
    assert street.corrected(PERIOD) == []


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("december")
def test_where_the_cooperative_owns_all_claims_no_later_month_changes(
    books: Books, treasurer: Officer, board: Officer
) -> None:
    street = Street(books, (treasurer, board), BatteryModel.COOP_BUYS)

    assert street.corrected(PERIOD) == []


def test_the_months_are_told_in_words_and_in_their_order() -> None:
    facts: dict[str, Fact] = {
        "month": "2026-11",
        "months": "2026-11 2026-12",
        "difference_wh": 1234,
    }
    told = Finding(Code.SUM, "later_claims", Severity.WARNING, "", "", 0, facts)

    assert sentence(told, "nl") == (
        "De tegoeden in de batterij zijn nu 1,234 kWh anders dan waarmee november 2026 begon. "
        "Corrigeer ook, in deze volgorde: november 2026, december 2026."
    )
    assert sentence(told, "en") == (
        "Claims on the battery now differ by 1.234 kWh from those with which November 2026 began. "
        "Correct these too, in this order: November 2026, December 2026."
    )


def test_a_day_in_a_sentence_is_written_as_people_write_it() -> None:
    facts = {"day": "2026-10-16", "leaving": "lid-3", "coming": "lid-3b"}
    told = Finding(Code.MOVE, "handed_over", Severity.WARNING, "home-3", "", 0, facts)

    assert sentence(told, "nl") == (
        "home-3 ging op 16 oktober 2026 over van lid-3 naar lid-3b. Klopt de datum?"
    )
    assert sentence(told, "en") == (
        "home-3 passed from lid-3 to lid-3b on 16 October 2026. Is the date right?"
    )
