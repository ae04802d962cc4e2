"""The pictures of papers in the guides; ``make picture`` draws them anew."""

from __future__ import annotations

import os
import textwrap
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from lxml import etree

from api.cooperative.checks import CheckCase, Prices, check_all, sentence
from api.cooperative.papers.legal import invoice_of
from api.cooperative.papers.pdf import legal_pdf, statement_pdf
from optimizer.settling.period import Ownership
from tests.api.cooperative import example_statements as examples
from tests.api.cooperative.check_cases import (
    HOMES,
    START_S,
    clean_readings,
    settled,
    with_gap,
)
from tests.house.paper_pictures import first_page, table_svg

DAY_S = 24 * 3600
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
HEADS = ("effect", "severity", "key", "what")
DRAWN = {"findings": "en", "bevindingen": "nl"}
"""The name of each drawing of findings, and its language."""


def two_weeks_with_faults() -> CheckCase:
    """Six homes: two silent meters, a move and a small fuse."""
    case = settled(with_gap(with_gap(clean_readings(), 3, 300, 40), 1, 700, 4))
    return replace(
        case,
        meters=(),
        limits_w={**case.limits_w, HOMES[2]: 3_500},
        ownership=(
            *case.ownership[:5],
            Ownership(HOMES[5], "lid-06", 0, START_S + 10 * DAY_S),
            Ownership(HOMES[5], "lid-07", START_S + 10 * DAY_S),
        ),
        prices=Prices(Fraction("0.19"), Fraction("0.12")),
    )


def findings_svg(name: str) -> str:
    """Return the findings of two weeks as a drawing."""
    rows = [HEADS]
    for each in check_all(two_weeks_with_faults()):
        cents = each.effect_cents
        euro = f"{cents // 100}.{cents % 100:02d}"
        said = textwrap.fill(sentence(each, DRAWN[name]), 62)
        rows.append((euro, each.severity.value, each.key, said))
    return table_svg("kwartier coop run findings 2026-07/1", rows, (9, 11, 28, 62))


@pytest.mark.parametrize("name", DRAWN)
def test_the_drawing_of_findings_shows_what_the_checks_say_today(name: str) -> None:
    drawn = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")

    etree.fromstring(drawn.encode())
    assert drawn == findings_svg(name)


@pytest.mark.skipif(
    not os.environ.get("KWARTIER_PICTURES"), reason="set KWARTIER_PICTURES to a folder for pictures"
)
def test_the_papers_are_drawn() -> None:
    folder = Path(os.environ["KWARTIER_PICTURES"])
    folder.mkdir(parents=True, exist_ok=True)
    statement = examples.final()
    invoice = invoice_of(statement)
    assert invoice is not None

    for name in DRAWN:
        (folder / f"{name}.svg").write_text(findings_svg(name), encoding="utf-8")
    for name, pdf in (
        ("statement", statement_pdf(statement)),
        ("invoice", legal_pdf(invoice, statement)),
    ):
        first_page(pdf, folder / f"{name}.png")
        assert (folder / f"{name}.png").stat().st_size < 150_000
