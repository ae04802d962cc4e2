"""An auditor's look into a parcel: everything is reckoned again, without the books."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.cooperative.bundle.parcel import unpacked
from api.cooperative.canonical import digest
from api.cooperative.runs import frozen, frozen_result
from api.cooperative.runs.freezing import entry_of
from kwartier.errors import ContractError, KwartierError
from kwartier.ledger import Entry
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.month import MonthResult

_BOOKED = ("posted", "invoiced", "closed")
_SIGNED = ("approved", *_BOOKED)
_NEEDED = ("run.json", "entries.json", "papers.json", "approvals.json", "heads.json")


@dataclass(frozen=True, slots=True)
class Look:
    """What an auditor found.

    Attributes:
        run: Which run, such as ``2026-07/1``.
        state: Its state when the parcel was made.
        result_hash: The hash of its result, as two people signed it.
        checked: What was checked, and how much of it there was.
        faults: What does not agree, one sentence each; none when all is well.
    """

    run: str
    state: str
    result_hash: str
    checked: Mapping[str, int]
    faults: tuple[str, ...]

    @property
    def answer(self) -> dict[str, Json]:
        """The look as JSON."""
        return {
            "run": self.run,
            "state": self.state,
            "verified": not self.faults,
            "result_hash": self.result_hash,
            "checked": dict(self.checked),
            "faults": list(self.faults),
        }


def verify_bundle(file: Path) -> Look:
    """Return what an auditor finds in a parcel.

    Raises:
        ContractError: It is no parcel, or a file in it cannot be read.
        TamperedError: A file in it is not what its list says.
    """
    subject, files = unpacked(file)
    try:
        return _look(file, subject, files)
    except (KeyError, TypeError, AttributeError) as error:
        raise ContractError(f"{file}: is no whole parcel: {error}") from error


def _look(file: Path, subject: str, files: Mapping[str, bytes]) -> Look:
    """Return what is found in the files of a parcel."""
    parts = {name: _json(file, name, files) for name in _NEEDED}
    run = parts["run.json"].names()
    state = _text(run, "state")
    again = frozen.check(parts["run.json"].value)
    faults = list(again.faults)
    if _text(run, "run") != subject:
        faults.append(f"the list speaks of {subject}, the run is {_text(run, 'run')}")
    entries = parts["entries.json"].list()
    papers = parts["papers.json"].list()
    approvals = parts["approvals.json"].list()
    if state in _BOOKED:
        faults += _entry_faults(entries, again.result, _text(run, "corrects"))
    elif entries:
        faults.append(f"a run that is {state} has entries in the books")
    if state in ("invoiced", "closed"):
        faults += _paper_faults(papers, run, again.result)
    if state in _SIGNED:
        faults += _approval_faults(approvals, run)
    checked = {
        "days": len(run["days"].list()),
        "invoices": len(again.result.invoices),
        "entries": len(entries),
        "papers": len(papers),
        "approvals": len(approvals),
    }
    return Look(subject, state, _text(run, "result_hash"), checked, tuple(faults))


def _entry_faults(entries: list[Part], result: MonthResult, corrects: str) -> list[str]:
    """Compare the books' entries with those the month makes, line by line."""
    faults, own = [], []
    for place in entries:
        row = place.names()
        try:
            entry = _entry(row)
        except KwartierError as error:
            faults.append(f"entry {row['id'].value}: {error}")
            continue
        if _text(row, "source") == "settlement":
            own.append(entry_of(entry))
        elif not corrects:
            faults.append(f"entry {row['id'].value} takes something back, and nothing is corrected")
    expected = [entry_of(entry) for entry in result.entries]
    if own != expected:
        faults.append(
            f"the books hold {len(own)} entries of this run and the month makes {len(expected)}"
            if len(own) != len(expected)
            else "an entry in the books is not what the month makes"
        )
    return faults


def _entry(row: Mapping[str, Part]) -> Entry:
    """Return an entry; one that does not sum to zero cannot be made."""
    shape: Json = {"entries": [{key: row[key].value for key in ("reference", "lines")}]}
    (entry,) = frozen_result.entries_of(shape)
    return entry


def _paper_faults(papers: list[Part], run: Mapping[str, Part], result: MonthResult) -> list[str]:
    """Compare what the papers come to with what the month comes to, member by member."""
    sums: dict[str, int] = {}
    for place in papers:
        row = place.names()
        sign = -1 if row["series"].value == "I" or _takes_back_purchase(row) else 1
        party = row["party"].name()
        amount = row["amount_cents"].whole(-(10**15), 10**15)
        sums[party] = sums.get(party, 0) + sign * amount
    body = run["body"].names()
    expected = {name: invoice.to_pay for name, invoice in result.invoices.items()}
    if "delta_cents" in body:
        expected = {
            name: part.whole(-(10**15), 10**15)
            for name, part in body["delta_cents"].names().items()
        }
    return [
        f"the papers of {name} come to {sums.get(name, 0)} cents, "
        f"the month to {expected.get(name, 0)}"
        for name in sorted({*sums, *expected})
        if sums.get(name, 0) != expected.get(name, 0)
    ]


def _takes_back_purchase(row: Mapping[str, Part]) -> bool:
    return row["series"].value == "C" and str(row["replaces"].value).startswith("I")


def _approval_faults(approvals: list[Part], run: Mapping[str, Part]) -> list[str]:
    """Compare what was used with what two people signed, by its hashes."""
    signed = run["body"].names()
    faults = [
        f"{key} is not what two people signed"
        for key in ("run", "corrects", "computation", "input_hash", "result_hash")
        if signed[key].value != run[key].value
    ]
    approved = set()
    for place in approvals:
        row = place.names()
        matter, subject = _text(row, "matter"), _text(row, "subject")
        if digest(row["body"].value) != _text(row, "body_hash"):
            faults.append(f"{matter} {subject}: what was approved is not what stands here")
        same = _text(row, "proposed_by") == _text(row, "approved_by")
        if same or _text(row, "proposed_person") == _text(row, "approved_person"):
            faults.append(f"{matter} {subject}: one person proposed and approved it")
        approved.add((matter, subject, _text(row, "body_hash")))
    needed = [("run", _text(run, "run"), digest(run["body"].value))]
    inputs = run["inputs"].names()
    for part in inputs["keys"].list():
        key = part.names()
        needed.append(("key", _text(key, "id"), digest(key["body"].value)))
    for matter, subject, body_hash in needed:
        if (matter, subject, body_hash) not in approved:
            faults.append(f"{matter} {subject}: nobody approved what was used")
    tariffs = {subject for matter, subject, _ in approved if matter == "tariff"}
    for part in inputs["tariffs"].list():
        version = _text(part.names(), "version")
        if version not in tariffs:
            faults.append(f"tariff {version}: nobody approved it")
    return faults


def _json(file: Path, name: str, files: Mapping[str, bytes]) -> Part:
    if name not in files:
        raise ContractError(f"{file}: {name} is not in the parcel")
    try:
        return Part(json.loads(files[name]), name)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{file}: {name} is no JSON: {error}") from error


def _text(parts: Mapping[str, Part], key: str) -> str:
    """Return a text; an empty one where it is null or away."""
    value = parts[key].value if key in parts else None
    return value if isinstance(value, str) else ""
