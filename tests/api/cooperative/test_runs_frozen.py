"""A frozen run is reckoned again from its document alone, and tells what was changed in it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cooperative.canonical import canonical
from api.cooperative.runs import run_document
from api.cooperative.runs.freezing import result_of
from api.cooperative.runs.frozen import check, recompute
from api.cooperative.runs.frozen_days import days_of, readings_hash, readings_of
from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.wire import Json
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix, RegisterMatrix
from tests.api.cooperative.stages import RUN, TREASURER, Stage, Stages
from tests.api.cooperative.street import CHANGE

FIRST_S, LAST_S = local_day(CHANGE)[0], local_day(CHANGE)[1]
QUARTERS = (LAST_S - FIRST_S) // QUARTER_S


@pytest.fixture(scope="module")
def document(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The document of a closed run, as another machine reads it."""
    books = stages.books(Stage.CLOSED, tmp_path_factory.mktemp("frozen"))
    with books.reading(TREASURER) as desk:
        told: Json = json.loads(canonical(run_document(desk, RUN)))
    books.close()
    return told


def test_a_document_that_nobody_touched_is_reckoned_alike(document: Json) -> None:
    assert isinstance(document, dict)

    assert check(document).faults == ()
    assert result_of(recompute(document)) == document["result"]


def test_it_tells_no_name_and_no_ean(document: Json) -> None:
    text = canonical(document)

    assert "Bewoner" not in text
    assert "Dorpsstraat" not in text
    assert "871685" not in text


def _of(document: Json, *place: str | int) -> Json:
    for step in place[:-1]:
        document = document[step]  # type: ignore[index]  # a document of known form
    return document


@pytest.mark.parametrize(
    ("place", "change", "fault"),
    [
        (("days", 9, "taken", 40), lambda value: value + 1, "readings are not those"),
        (("days", 9, "taken_quality"), lambda value: "e" + value[1:], "readings are not those"),
        (("inputs", "tariffs", 0, "buy"), lambda _: "1/5", "inputs are not those"),
        (("inputs", "ownership", 0, "member"), lambda _: "lid-4", "inputs are not those"),
        (("result", "invoices", "lid-1", "to_pay_cents"), lambda value: value - 1, "result is"),
        (("days", 2, "bought", 50), lambda value: value + 1, "its quarters are others"),
        (("result_hash",), lambda _: "0" * 64, "result is not the one that was signed"),
    ],
    ids=["reading", "quality", "price", "owner", "amount", "quarter", "hash"],
)
def test_every_change_is_told(
    document: Json, place: tuple[str | int, ...], change: Callable[[Json], Json], fault: str
) -> None:
    forged = copy.deepcopy(document)
    part = _of(forged, *place)
    last = place[-1]
    part[last] = change(part[last])  # type: ignore[index]  # a document of known form

    assert any(fault in each for each in check(forged).faults)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), "kwartier-run/9"),
        (("days", 0, "taken"), "many"),
        (("days", 0, "taken"), [1.5] * 96),
        (("days", 0, "day"), "2027-01-01"),
        (("inputs", "period", "zone"), "Europe/Lisbon"),
        (("inputs", "keys"), []),
    ],
)
def test_what_is_no_document_is_refused(
    document: Json, place: tuple[str | int, ...], value: Json
) -> None:
    forged = copy.deepcopy(document)
    _of(forged, *place)[place[-1]] = value  # type: ignore[index]  # as above

    with pytest.raises(ContractError):
        check(forged)


def test_an_auditors_machine_needs_no_database_for_it() -> None:
    asked = (
        "import sys; from api.cooperative.runs import frozen, frozen_result; "
        "print('sqlalchemy' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[3]
    told = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=root
    )
    assert told.stdout.strip() == "False"


a_day = st.binary(min_size=QUARTERS, max_size=QUARTERS)
"""A number for each quarter, which is cheap to draw and to make smaller."""


@settings(max_examples=200)
@given(taken=a_day, given_wh=a_day, known=a_day, known_too=a_day, charged=a_day)
def test_days_of_quarters_come_back_as_the_readings_they_were(
    taken: bytes, given_wh: bytes, known: bytes, known_too: bytes, charged: bytes
) -> None:
    first, second = (["mme-."[each % 5] for each in drawn] for drawn in (known, known_too))
    listed = np.array([["." not in pair for pair in zip(first, second, strict=True)]])
    readings = ReadingMatrix(
        Quarter(FIRST_S),
        ("home-1",),
        listed,
        _registers(list(taken), first, listed),
        _registers(list(given_wh), second, listed),
        _registers(list(charged), ["m"] * QUARTERS, np.ones_like(listed)),
        RegisterMatrix.empty(1, QUARTERS),
    )

    back = readings_of(list(days_of(readings, _nothing())), FIRST_S, LAST_S)

    if listed.any():
        assert readings_hash(back) == readings_hash(readings)
    else:
        assert back.connections == ()


def _registers(
    energy: list[int], letters: list[str], listed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> RegisterMatrix:
    quality = np.array([letters])
    missing = (quality == "-") & listed
    kept = listed & ~missing
    return RegisterMatrix(
        np.where(kept, np.array([energy], np.int64), 0), missing, (quality == "e") & listed
    )


def _nothing() -> AllocationMatrix:
    zeros = np.zeros((1, QUARTERS), np.int64)
    return AllocationMatrix(zeros.astype(np.bool_), zeros, zeros, zeros, zeros[0], zeros[0])
