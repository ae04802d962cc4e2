"""The auditor's parcel: everything agrees, and whatever is changed in it is found."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from api.cooperative.bundle.checking import verify_bundle
from api.cooperative.bundle.making import APPROVALS, ENTRIES, PAPERS, RUN, audit_bundle
from api.cooperative.bundle.parcel import MANIFEST, packed, unpacked
from api.cooperative.canonical import canonical, digest
from api.cooperative.database import Books
from api.cooperative.errors import TamperedError
from api.cooperative.four_eyes import open_proposals
from api.cooperative.officers import Officer
from api.cooperative.readings import store_days
from api.cooperative.runs import (
    approve,
    compute,
    correct,
    findings,
    frozen,
    invoice,
    post,
    propose,
    waive,
)
from api.cooperative.runs.freezing import result_of
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.wire import Json
from tests.api.cooperative.street import NOVEMBER_S, OCTOBER, PERIOD, SETTINGS, one_day, set_up

HOMES = ("home-1", "home-2", "home-3", "home-4")


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at the morning on which October is settled."""
    return VirtualClock(NOVEMBER_S)


@pytest.fixture
def invoiced(books: Books, treasurer: Officer, board: Officer) -> str:
    """A month of a small street that went all the way to its invoices."""
    set_up(books, treasurer, board, homes=HOMES)
    with books.desk(treasurer) as desk:
        run = compute(desk, SETTINGS, PERIOD)
    return signed(books, treasurer, board, run)


def signed(books: Books, treasurer: Officer, board: Officer, run: str) -> str:
    """Take a computed run to its invoices, with two people."""
    with books.desk(treasurer) as desk:
        for each in findings(desk, run):
            if each.stops:
                waive(desk, run, each.finding.key, "looked at with the resident")
        propose(desk, run)
    with books.desk(board) as desk:
        (waiting,) = open_proposals(desk)
        approve(desk, run, waiting.body_hash)
    with books.desk(treasurer) as desk:
        post(desk, run)
        invoice(desk, SETTINGS, run)
    return run


@pytest.fixture
def parcel(books: Books, invoiced: str, treasurer: Officer, tmp_path: Path) -> Path:
    """The parcel of that month."""
    with books.reading(treasurer) as desk:
        content = audit_bundle(desk, invoiced)
        assert audit_bundle(desk, invoiced) == content
    file = tmp_path / "2026-10-1.zip"
    file.write_bytes(content)
    return file


def test_an_auditor_finds_that_everything_agrees(parcel: Path) -> None:
    look = verify_bundle(parcel)

    assert look.faults == ()
    assert (look.run, look.state) == ("2026-10/1", "invoiced")
    assert look.checked["days"] == 31 * (len(HOMES) + 1)
    assert look.checked["entries"] > 5
    assert look.checked["approvals"] == 4
    _, files = unpacked(parcel)
    for content in files.values():
        for personal in (b"Bewoner", b"Dorpsstraat", b"8716859", b"NL850000014B01"):
            assert personal not in content


def test_a_correction_has_a_parcel_of_its_own(
    books: Books, invoiced: str, treasurer: Officer, board: Officer, tmp_path: Path
) -> None:
    assert invoiced == "2026-10/1"
    with books.desk(treasurer) as desk:
        store_days(desk, [one_day("home-4", OCTOBER.days[8], 4_000)])
        run = correct(desk, SETTINGS, PERIOD, "the meter's display was read by hand")
    signed(books, treasurer, board, run)
    file = tmp_path / "2026-10-2.zip"
    with books.reading(treasurer) as desk:
        file.write_bytes(audit_bundle(desk, run))

    look = verify_bundle(file)

    assert look.faults == ()
    assert look.run == "2026-10/2"


def edited(parcel: Path, name: str, edit: Callable[[Json], None]) -> Path:
    """Change one file of a parcel, and put it on the list as if it had always been so."""
    subject, files = unpacked(parcel)
    content: Json = json.loads(files[name])
    edit(content)
    other = parcel.with_name("other.zip")
    other.write_bytes(packed(subject, {**files, name: canonical(content).encode()}))
    return other


def inside(value: Json, *path: Json) -> Json:
    """Return what stands at a path."""
    for step in path:
        if isinstance(step, str):
            assert isinstance(value, dict)
            value = value[step]
        else:
            assert isinstance(value, list)
            assert isinstance(step, int)
            value = value[step]
    return value


def put(value: Json, *path: Json) -> None:
    """Write the last of a path at the place before it; a number is added to what stands there."""
    *way, key, new = path
    place = inside(value, *way)
    if isinstance(place, dict):
        assert isinstance(key, str)
        place[key] = new
    else:
        assert isinstance(place, list)
        assert isinstance(key, int)
        place[key] = new


def forged(parcel: Path) -> Path:
    """Raise the fee and reckon everything again that follows from it, but the signatures."""
    subject, files = unpacked(parcel)
    run: Json = json.loads(files[RUN])
    put(run, "inputs", "tariffs", 0, "fee", "99/1")
    inputs = inside(run, "inputs")
    put(run, "input_hash", digest(inputs))
    result = result_of(frozen.recompute(run))
    put(run, "result", dict(result))
    put(run, "result_hash", digest(dict(result)))
    other = parcel.with_name("forged.zip")
    other.write_bytes(packed(subject, {**files, RUN: canonical(run).encode()}))
    return other


EDITS: dict[str, tuple[str, Callable[[Json], None], str]] = {
    "a reading": (RUN, lambda run: put(run, "days", 5, "taken", 7, 999), "readings are not those"),
    "a result": (RUN, lambda run: put(run, "days", 5, "bought", 50, 99), "others when reckoned"),
    "a price": (RUN, lambda run: put(run, "inputs", "tariffs", 0, "buy", "19/100"), "inputs are"),
    "an owner": (
        RUN,
        lambda run: put(run, "inputs", "ownership", 0, "member", "lid-4"),
        "inputs are not those",
    ),
    "an amount": (
        ENTRIES,
        lambda entries: put(entries, 0, "lines", 0, "amount", 1),
        "is off by",
    ),
    "an account": (
        ENTRIES,
        lambda entries: put(entries, 0, "lines", 0, "account", "receivable:lid-4"),
        "not what the month makes",
    ),
    "a paper": (PAPERS, lambda papers: put(papers, 0, "amount_cents", 1), "papers of"),
    "a pair of eyes": (
        APPROVALS,
        lambda rows: put(rows, 1, "approved_person", inside(rows, 1, "proposed_person")),
        "one person proposed and approved",
    ),
    "what was approved": (
        APPROVALS,
        lambda rows: put(rows, 1, "body", "run", "2026-09/1"),
        "is not what stands here",
    ),
}


def test_what_is_changed_is_found(parcel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for what, (name, edit, fault) in EDITS.items():
        look = verify_bundle(edited(parcel, name, edit))

        assert any(fault in each for each in look.faults), (what, look.faults)
    told = verify_bundle(forged(parcel))
    assert any("result_hash is not what two people signed" in each for each in told.faults)
    assert main(["audit", "verify", str(parcel)]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    assert main(["audit", "verify", str(edited(parcel, *EDITS["a price"][:2]))]) == 1
    assert json.loads(capsys.readouterr().out)["verified"] is False


def test_what_is_not_as_on_the_list_stops_the_look(tmp_path: Path) -> None:
    subject, files = "2026-10/1", {"run.json": b"{}", "heads.json": b"[]"}
    parcel = tmp_path / "parcel.zip"
    parcel.write_bytes(packed(subject, files))
    with zipfile.ZipFile(parcel) as opened:
        manifest = opened.read(MANIFEST)

    for changed in ({"run.json": b"[]"}, {"heads.json": None}, {"more.json": b"{}"}):
        with zipfile.ZipFile(parcel, "w") as opened:
            for name, content in {**files, MANIFEST: manifest, **changed}.items():
                if content is not None:
                    opened.writestr(name, content)
        with pytest.raises(TamperedError, match=next(iter(changed))):
            unpacked(parcel)


def test_what_is_no_parcel_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nonsense = tmp_path / "letter.zip"
    nonsense.write_text("Dear auditor,")

    assert main(["audit", "verify", str(nonsense)]) == 1
    assert "is no parcel" in capsys.readouterr().err
    assert main(["audit", "verify", str(tmp_path / "away.zip")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_parcel_with_holes_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hollow = dict.fromkeys((RUN, "heads.json"), b"{}")
    hollow |= dict.fromkeys((ENTRIES, PAPERS, APPROVALS), b"[]")
    whole, damaged = tmp_path / "hollow.zip", tmp_path / "damaged.zip"
    whole.write_bytes(packed("2026-10/1", hollow))
    content = bytearray(packed("2026-10/1", {**hollow, RUN: b"{" + b" " * 5000 + b"}"}))
    for place in range(content.index(b"run.json") + 8, content.index(b"run.json") + 24):
        content[place] ^= 0xFF
    damaged.write_bytes(content)

    for file in (whole, damaged):
        assert main(["audit", "verify", str(file)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
