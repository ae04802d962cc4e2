"""Papers on disk: whole or not at all, the same bytes again, no names in names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api.cooperative.errors import ConflictError
from api.cooperative.papers.legal import credit_of, invoice_of
from api.cooperative.papers.machine import read_statement
from api.cooperative.papers.printing import (
    MANIFEST,
    CreditNote,
    Format,
    Printed,
    print_papers,
)
from kwartier.errors import SettingsError
from tests.api.cooperative import example_statements as examples

RUN = (examples.final(), examples.organisation(), examples.provisional())
QUICK = frozenset({Format.CSV, Format.JSON, Format.UBL, Format.XLSX})


def listed(folder: Path) -> dict[str, str]:
    files = json.loads((folder / MANIFEST).read_text())["files"]
    return {each["name"]: each["sha256"] for each in files}


def hashes(folder: Path) -> dict[str, str]:
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.iterdir()
        if each.name != MANIFEST
    }


def kinds(printed: tuple[Printed, ...]) -> list[tuple[str, str]]:
    return [(each.paper, each.name.partition(".")[2]) for each in printed]


def test_every_paper_of_a_run_is_printed_with_its_hash(tmp_path: Path) -> None:
    printed = print_papers([examples.owing()], (), frozenset(Format), tmp_path)

    assert kinds(printed) == [
        ("run", "xlsx"),
        ("run", "csv"),
        ("run", "machine.csv"),
        ("statement", "json"),
        ("statement", "pdf"),
        ("invoice", "pdf"),
    ]
    assert listed(tmp_path) == hashes(tmp_path)
    assert {each.name: each.sha256 for each in printed} == hashes(tmp_path)


def test_an_organisation_gets_e_invoices_and_a_provisional_run_no_invoice(tmp_path: Path) -> None:
    printed = print_papers(RUN, (), QUICK, tmp_path)

    assert [each.name for each in printed if each.name.endswith(".xml")] == [
        "invoice-F2026-0007.xml",
        "purchase-I2026-0007.xml",
    ]
    assert [each.paper for each in printed if each.party == "lid-027"] == ["statement"]


def test_printing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    run = [examples.nothing(), examples.organisation()]
    first = print_papers(run, (), QUICK, tmp_path / "first")
    manifest = (tmp_path / "first" / MANIFEST).read_bytes()

    again = print_papers(run, (), QUICK, tmp_path / "first")
    elsewhere = print_papers(run, (), QUICK, tmp_path / "second")

    assert first == again == elsewhere
    assert (tmp_path / "first" / MANIFEST).read_bytes() == manifest
    assert (tmp_path / "second" / MANIFEST).read_bytes() == manifest


def test_printing_pdf_again_leaves_what_is_there(tmp_path: Path) -> None:
    first = print_papers([examples.nothing()], (), frozenset({Format.PDF}), tmp_path)

    assert print_papers([examples.nothing()], (), frozenset({Format.PDF}), tmp_path) == first


def test_no_name_of_a_file_tells_who_it_is_about(tmp_path: Path) -> None:
    printed = print_papers(RUN, (), QUICK, tmp_path)

    names = " ".join(each.name for each in printed)
    for statement in RUN:
        assert statement.party.id not in names
        assert statement.party.name not in names


def test_another_paper_of_the_same_name_is_not_written_over(tmp_path: Path) -> None:
    print_papers(RUN[:1], (), QUICK, tmp_path)
    changed = replace(RUN[0], waivers=("later",))

    with pytest.raises(ConflictError, match="there is another paper of this name"):
        print_papers([changed], (), QUICK, tmp_path)

    assert listed(tmp_path) == hashes(tmp_path)


def test_one_member_first_and_all_after_leaves_one_list(tmp_path: Path) -> None:
    json_only = frozenset({Format.JSON})
    print_papers(RUN[:1], (), json_only, tmp_path)

    print_papers(RUN[1:], (), json_only, tmp_path)

    assert len(listed(tmp_path)) == 3
    assert listed(tmp_path) == hashes(tmp_path)


def test_invoices_that_were_issued_with_an_earlier_run_are_left_out(tmp_path: Path) -> None:
    printed = print_papers(
        [examples.organisation()], (), frozenset({Format.UBL}), tmp_path, frozenset({"I2026-0007"})
    )

    assert [each.name for each in printed] == ["purchase-I2026-0007.xml"]


def test_a_credit_note_is_printed_beside_the_run_it_belongs_to(tmp_path: Path) -> None:
    original = examples.organisation()
    paper = invoice_of(original)
    assert paper is not None
    note = credit_of(paper, "C2026-0001", date(2026, 9, 7), "De meterstand was niet goed.")

    printed = print_papers(
        [], [CreditNote(note, original)], frozenset({Format.PDF, Format.UBL}), tmp_path
    )

    assert [(each.name, each.party) for each in printed] == [
        ("invoice-credit-C2026-0001.pdf", "school-01"),
        ("invoice-credit-C2026-0001.xml", "school-01"),
    ]


def test_the_printed_json_is_the_statement(tmp_path: Path) -> None:
    (printed,) = print_papers([examples.corrected()], (), frozenset({Format.JSON}), tmp_path)

    assert read_statement((tmp_path / printed.name).read_text()) == examples.corrected()


def test_a_folder_is_its_owners_alone_and_holds_no_half_papers(tmp_path: Path) -> None:
    print_papers(RUN[:1], (), QUICK, tmp_path / "papers")

    assert (tmp_path / "papers").stat().st_mode & 0o777 == 0o700
    assert not list((tmp_path / "papers").glob(".*"))
    assert all(each.stat().st_mode & 0o077 == 0 for each in (tmp_path / "papers").iterdir())


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SettingsError, match="cannot be written"):
        print_papers(RUN[:1], (), QUICK, tmp_path / "file")


def test_a_folder_with_a_strange_list_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("[]")

    with pytest.raises(ConflictError, match="no list of papers"):
        print_papers(RUN[:1], (), QUICK, tmp_path)


def test_a_members_own_sheets_leave_the_runs_names_free(tmp_path: Path) -> None:
    told = [examples.final(), examples.owing()]
    sheets = frozenset({Format.XLSX, Format.CSV})

    own = print_papers(told[:1], (), sheets, tmp_path, whole_run=False)
    every = print_papers(told, (), sheets, tmp_path)

    assert not {each.name for each in own} & {each.name for each in every}
    assert sum(each.name.startswith("run-") for each in every) == 3
