"""The PDF is one that everybody can read: tagged, named, with its letters inside, always alike."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import (
    ArrayObject,
    ContentStream,
    DictionaryObject,
    PdfObject,
    StreamObject,
)

from api.cooperative.papers.pdf import statement_pdf
from tests.api.cooperative import example_statements as examples
from tests.api.cooperative.printed import entry, legal_of, letter_of, parts_of

PAINTING = {b"Tj", b"TJ", b"f", b"f*", b"S", b"s", b"B", b"B*", b"b", b"Do", b"sh"}
"""Operators that leave something on the page (ISO 32000-1, 8.5.3, 8.8, 9.4.3)."""
PAPERS = [
    ("letter", "lid-031"),
    ("letter", "school-01"),
    ("invoice", "school-01"),
]


def paper(kind: str, party: str) -> bytes:
    return letter_of(party) if kind == "letter" else legal_of(party)["F2026-0007"]


@pytest.mark.parametrize(("kind", "party"), PAPERS)
def test_a_paper_is_tagged_and_says_its_language_and_title(kind: str, party: str) -> None:
    reader = PdfReader(io.BytesIO(paper(kind, party)))
    root = entry(reader.trailer, "/Root")
    english = party == "lid-031"

    assert str(entry(root, "/MarkInfo", "/Marked")).lower() == "true"
    assert str(entry(root, "/Lang")) == ("en-GB" if english else "nl-NL")
    assert str(entry(root, "/ViewerPreferences", "/DisplayDocTitle")).lower() == "true"
    described = entry(root, "/Metadata")
    assert isinstance(described, StreamObject)
    assert b'pdfuaid:part="1"' in described.get_data()
    assert reader.metadata is not None
    dutch = "Factuur F2026-0007" if kind == "invoice" else "Uw afrekening van juli 2026"
    assert reader.metadata.title == ("Your statement for July 2026" if english else dutch)


@pytest.mark.parametrize(("kind", "party"), PAPERS)
def test_headings_follow_each_other_pictures_are_told_and_tables_have_heads(
    kind: str, party: str
) -> None:
    parts = parts_of(paper(kind, party))
    kinds = [str(part["/S"]) for part in parts]

    headings = [kind for kind in kinds if kind in {"/H1", "/H2", "/H3"}]
    assert headings[0] == "/H1"
    assert headings.count("/H1") == 1
    assert "/H3" not in headings
    assert all("/Alt" in part for part, kind in zip(parts, kinds, strict=True) if kind == "/Figure")
    assert kinds.count("/Table") >= 1
    cells = [part for part, kind in zip(parts, kinds, strict=True) if kind == "/TD"]
    assert all(entry(cell, "/A", "/Headers") for cell in cells)


@pytest.mark.parametrize(("kind", "party"), PAPERS)
def test_whatever_is_drawn_is_read_aloud_or_marked_as_decoration(kind: str, party: str) -> None:
    for page in PdfReader(io.BytesIO(paper(kind, party))).pages:
        assert unmarked(page) == []


@pytest.mark.parametrize(("kind", "party"), PAPERS)
def test_every_letter_is_in_the_file(kind: str, party: str) -> None:
    fonts = fonts_of(paper(kind, party))

    assert fonts
    for font in fonts:
        descriptor = entry(font, "/FontDescriptor")
        assert isinstance(descriptor, DictionaryObject)
        assert descriptor.keys() & {"/FontFile", "/FontFile2", "/FontFile3"}


def test_the_same_statement_gives_the_same_bytes_and_nothing_is_left_to_complain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        again = statement_pdf(examples.english())

    assert again == letter_of("lid-031")
    assert caplog.messages == []


def test_without_pango_the_message_names_debians_packages(tmp_path: Path) -> None:
    # What importing WeasyPrint does on a machine without Pango.
    (tmp_path / "weasyprint.py").write_text(
        "raise OSError(\"cannot load library 'libpango-1.0-0'\")\n"
    )
    ask = "from api.cooperative.papers.typeset import pdf_of\npdf_of('<p>')\n"
    root = Path(__file__).resolve().parents[3]

    told = subprocess.run(
        [sys.executable, "-c", ask],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{root}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "SettingsError: PDF needs Pango" in told.stderr
    assert "apt-get install libpango-1.0-0" in told.stderr


def unmarked(page: PageObject) -> list[bytes]:
    """Return what is painted outside of marked content."""
    content = page.get_contents()
    assert isinstance(content, ContentStream)
    depth, found = 0, []
    for _, operator in content.operations:
        if operator in {b"BDC", b"BMC"}:
            depth += 1
        elif operator == b"EMC":
            depth -= 1
        elif operator in PAINTING and depth == 0:
            found.append(operator)
    return found


def fonts_of(pdf: bytes) -> list[PdfObject]:
    """Return every font of every page, as it is described."""
    found: list[PdfObject] = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        fonts = entry(page, "/Resources", "/Font")
        assert isinstance(fonts, DictionaryObject)
        for name in fonts:
            kids = entry(fonts, name, "/DescendantFonts")
            assert isinstance(kids, ArrayObject)
            found += [kid.get_object() for kid in kids]
    return found
