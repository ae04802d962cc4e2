"""What stands on paper: every number is the statement's, and the law's fields are there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from api.cooperative.errors import BooksError
from api.cooperative.papers.legal import credit_of, invoice_of, purchase_of
from api.cooperative.papers.letter import iban_in_fours, worked_example
from api.cooperative.papers.pdf import legal_html, statement_html
from api.cooperative.statement import Charge, Statement
from tests.api.cooperative import example_statements as examples
from tests.api.cooperative.printed import (
    ON_PAPER,
    STATEMENTS,
    amounts_in,
    energies_in,
    legal_of,
    legal_papers,
    letter_of,
    page_text,
    text_of,
)


def cents(*amounts: int) -> set[Decimal]:
    return {Decimal(amount).scaleb(-2) for amount in amounts}


def amounts_of(statement: Statement) -> set[Decimal]:
    """Every amount a letter may name: of lines, prices, VAT, sums, and the worked example."""
    by_charge = {
        charge: sum(line.amount_cents for line in statement.lines if line.charge is charge)
        for charge in Charge
    }
    told = cents(
        *(line.amount_cents for line in statement.lines),
        *by_charge.values(),
        *(part.base_cents for part in statement.vat),
        *(part.vat_cents for part in statement.vat),
        statement.net_cents,
        statement.vat_cents,
        statement.owed_cents,
        statement.earned_cents,
        statement.earned_vat_cents,
        statement.earned_gross_cents,
        abs(statement.to_pay_cents),
    )
    told |= {Decimal(line.price_eur) for line in statement.lines}
    if statement.correction is not None:
        told |= cents(abs(statement.correction.delta_cents), statement.correction.previous_cents)
    example = worked_example(statement)
    if example is not None:
        exact = example.exact_eur
        told.add(Decimal(exact.numerator) / Decimal(exact.denominator))
    return told


def energies_of(statement: Statement) -> set[int]:
    """Every energy a letter may name."""
    told = {line.energy_wh for line in statement.lines if line.energy_wh is not None}
    for charge in Charge:
        told.add(sum(line.energy_wh or 0 for line in statement.lines if line.charge is charge))
    for part in statement.connections:
        columns = [
            [day.import_wh for day in part.days],
            [day.bought_wh for day in part.days],
            [day.export_wh for day in part.days],
            [day.sold_wh for day in part.days],
            [day.to_battery_wh for day in part.days],
        ]
        told.add(sum(day.quarters for day in part.days))
        told |= {wh for column in columns for wh in column} | {sum(column) for column in columns}
        imported, bought, exported, sold, battery = (sum(column) for column in columns)
        told |= {imported - bought, exported - sold - battery}
        for meter in part.meters:
            stands = (
                meter.import_opening_wh,
                meter.import_closing_wh,
                meter.export_opening_wh,
                meter.export_closing_wh,
            )
            told |= {stand for stand in stands if stand is not None}
    return told | {line.quarters for line in statement.lines}


def letter_text(party: str) -> str:
    return page_text(statement_html(STATEMENTS[party]))


def legal_text(party: str, number: str) -> str:
    statement = STATEMENTS[party]
    (paper,) = (paper for paper in legal_papers(statement) if paper.number == number)
    return page_text(legal_html(paper, statement))


@pytest.mark.parametrize("party", STATEMENTS)
def test_every_amount_and_energy_in_a_letter_is_the_statements(party: str) -> None:
    statement = STATEMENTS[party]

    text, english = letter_text(party), party == "lid-031"

    amounts = amounts_in(text, english=english)
    assert amounts - amounts_of(statement) == set()
    assert energies_in(text, english=english) - energies_of(statement) == set()
    assert cents(abs(statement.to_pay_cents)) <= amounts or not statement.lines
    assert cents(*(line.amount_cents for line in statement.lines)) <= amounts


@pytest.mark.parametrize("party", ON_PAPER)
def test_a_printed_letter_says_what_its_page_says(party: str) -> None:
    page, text = letter_text(party), text_of(letter_of(party))

    assert amounts_in(text) == amounts_in(page)
    assert energies_in(text) == energies_in(page)


@pytest.mark.parametrize("party", ["lid-014", "lid-031", "lid-040", "school-01"])
def test_every_amount_on_a_legal_paper_is_the_statements_and_a_credit_notes_is_its_mirror(
    party: str,
) -> None:
    statement = STATEMENTS[party]
    known = amounts_of(statement)

    for paper in legal_papers(statement):
        page = legal_html(paper, statement)
        told = amounts_in(page_text(page), english='lang="en' in page)
        mirrored = {-amount for amount in known} if paper.is_credit else set()
        assert told - known - mirrored == set(), paper.number


def test_the_first_thing_a_letter_says_is_what_it_comes_to() -> None:
    get, pay, nothing = (letter_text(name) for name in ("lid-014", "lid-022", "lid-050"))

    assert "Uw afrekening van juli 2026 Definitief U krijgt € 7,13" in get
    assert "Wij maken dit bedrag rond 19 augustus 2026 over naar uw rekening …3000." in get
    assert "U betaalt € 29,85 Wij schrijven dit bedrag rond 19 augustus 2026 af" in pay
    assert "machtiging ZH-0022-2025. Ons incassantnummer is NL32ZZZ876543210000" in pay
    assert "U hoeft niets te betalen U hoeft niets te doen." in nothing


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (replace(examples.final(), due=None), "Wij maken dit bedrag over naar uw rekening …3000."),
        (
            replace(examples.final(), due=None, account=""),
            "Wij maken dit bedrag over naar uw rekening.",
        ),
        (
            replace(examples.final(), account=""),
            "Wij maken dit bedrag rond 19 augustus 2026 over naar uw rekening.",
        ),
        (
            replace(examples.owing(), due=None),
            "Wij schrijven dit bedrag af van uw rekening …6789. U krijgt vooraf bericht",
        ),
        (
            replace(examples.owing(), mandate=""),
            "over naar NL70 TRIO 0123 4567 89? Zet erbij: F2026-0022.",
        ),
        (
            replace(examples.owing(), mandate="", coop=replace(examples.COOP, iban="")),
            "Wij laten u weten hoe u dit bedrag betaalt.",
        ),
    ],
)
def test_a_letter_says_how_the_amount_is_paid(statement: Statement, told: str) -> None:
    assert told in page_text(statement_html(statement))


def test_a_letter_names_tariff_key_decisions_and_the_share_of_estimated_quarters() -> None:
    text = letter_text("lid-014")

    assert "tarief tarief-2026, geldig vanaf 1 januari 2026, besluit ALV-2025-07" in text
    assert "sleutel sleutel-2026, besluit ALV-2025-08 · 0,2 % van 2.976 kwartieren geschat" in text
    assert "53,832 kWh \N{MULTIPLICATION SIGN} € 0,18 = € 9,68976" in text
    assert "Dat is € 9,68976, afgerond op hele centen € 9,69." in text
    assert "Btw 21 % over € 12,73" in text


def test_an_english_speaker_reads_english_and_an_unknown_language_dutch() -> None:
    english = letter_text("lid-031")
    polish = replace(examples.final(), party=replace(examples.RESIDENT, language="pl"))

    assert "Your statement for July 2026 Final You receive €12.10" in english
    assert "How do we arrive at this?" in english
    assert "Uw afrekening van juli 2026" in statement_html(polish)


def test_a_provisional_letter_says_so_and_bears_the_word_concept_on_every_page() -> None:
    provisional = statement_html(examples.provisional())

    assert "concept%3C/text" in provisional
    assert "draft%3C/text" in statement_html(examples.english())
    assert "%3C/text" not in statement_html(examples.final())
    text = letter_text("lid-027")
    assert "Voorlopig U betaalt € 6,79 Dit bedrag is voorlopig." in text
    assert "De belastingregels voor gedeelde stroom zijn nog niet bevestigd." in text
    assert "Datum nog niet" in text


def test_a_corrected_letter_shows_old_new_difference_and_reason() -> None:
    text = letter_text("lid-033")

    assert "De reden: De eindstand van uw oude meter kwam later binnen." in text
    assert "Eerst U betaalt € 8,01 Nu U betaalt € 7,59 Verschil € 0,42" in text
    assert "U betaalt € 0,42 minder dan eerst. Komt in de plaats van F2026-0033 en I2026-" in text
    assert "Wij maken het verschil van € 0,42 rond 21 september 2026 over naar uw rekening." in text
    assert "Op 14 juli is uw meter vervangen." in text
    assert "E0003000111222333 1.800,250 1.853,212" in text


def test_a_price_below_zero_turns_the_sign_of_its_line() -> None:
    statement = STATEMENTS["lid-040"]
    (below,) = (
        line
        for line in statement.lines
        if line.charge is Charge.BUY and Fraction(line.price_eur) < 0
    )

    text = letter_text("lid-040")

    assert below.amount_cents < 0
    assert "€ -0,02 per kWh" in text
    assert f"€ -0,{-below.amount_cents:02d}" in text


def test_an_invoice_has_the_fields_of_the_law() -> None:
    text = text_of(legal_of("school-01")["F2026-0007"])

    for told in (
        "Factuur F2026-0007",
        "Factuurdatum 5 augustus 2026",
        "Geleverd in juli 2026",
        "Leverancier Energiecoöperatie De Zonnehof U.A. Meidoornstraat 12 3581 AB Utrecht",
        "KvK-nummer 87654321 Btw-nummer NL850000002B01",
        "Afnemer Stichting Openbaar Onderwijs Zonnehof Schoolplein 3 3581 GH Utrecht",
        "KvK-nummer 76543210 Btw-nummer NL850000014B01",
        "Totaal zonder btw € 176,66",
        "Btw 21 % over € 176,66 € 37,10",
        "Totaal met btw € 213,76",
        iban_in_fours("NL70TRIO0123456789").replace("\xa0", " "),
    ):
        assert told in text


def test_a_self_billed_note_says_who_wrote_it_and_why_there_is_no_vat() -> None:
    school = text_of(legal_of("school-01")["I2026-0007"])
    small = legal_text("lid-031", "I2026-0031")
    private = legal_text("lid-014", "I2026-0014")

    assert "Factuur uitgereikt door afnemer" in school
    assert "Leverancier Stichting Openbaar Onderwijs Zonnehof" in school
    assert "Btw 21 % over € 358,74 € 75,34" in school
    assert "Self-billing (Factuur uitgereikt door afnemer)" in small
    assert "article 25 Wet op de omzetbelasting 1968" in small
    assert "Er is geen btw berekend." in private


def test_a_credit_note_names_the_original_and_takes_it_back_to_the_cent() -> None:
    text = text_of(legal_of("school-01")["C2026-0001"])

    assert "Creditfactuur C2026-0001" in text
    assert "Deze creditfactuur draait F2026-0007 van 5 augustus 2026 helemaal terug." in text
    assert "De reden: De meterstand was niet goed." in text
    assert "Totaal dat wij terugdraaien, met btw € -213,76" in text


def test_papers_without_a_number_are_not_made() -> None:
    statement = examples.provisional()

    assert invoice_of(statement) is None
    assert purchase_of(statement) is None


def test_a_credit_note_cannot_be_credited() -> None:
    note = legal_papers(examples.final())[-1]

    with pytest.raises(BooksError, match="is a credit note and cannot be credited"):
        credit_of(note, "C2026-0009", note.issued, "nog eens")


def test_an_invoice_whose_lines_do_not_add_up_is_refused() -> None:
    statement = replace(examples.final(), net_cents=1)

    with pytest.raises(BooksError, match=r"1273 cents and 267 cents VAT, the statement says 1 "):
        invoice_of(statement)


def test_what_a_member_is_called_is_text_and_not_part_of_the_page() -> None:
    name = "<script>alert(1)</script> & {{ 7*7 }}"
    hostile = replace(examples.final(), party=replace(examples.RESIDENT, name=name))

    page = statement_html(hostile)

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7*7 }}" in page
