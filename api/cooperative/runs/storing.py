"""Computations as rows: what was frozen, the result, and every day of quarters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select

from api.cooperative.canonical import canonical, text_digest
from api.cooperative.database import Desk
from api.cooperative.errors import TamperedError
from api.cooperative.runs.frozen_days import BATTERY_ROW, FrozenDay
from api.cooperative.runs.frozen_result import invoices_of
from api.cooperative.runs.states import Run
from api.cooperative.tables.runs import RunComputationRow, RunDayRow
from kwartier.wire import Json
from optimizer.settling.invoicing import MemberInvoice

BATCH = 1_000
"""How many days are written at once."""
_text = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Hashes:
    """What stands for a computation: its place in the run, and what was frozen and came of it."""

    number: int
    input_hash: str
    result_hash: str
    status: str


@dataclass(frozen=True, slots=True)
class Computation:
    """One reckoning of a run.

    Attributes:
        id: Its number in the books.
        run: The run's name.
        number: Its place within the run, from 1.
        code_version: Which code reckoned.
        fingerprint: The versions of the readings.
        input_hash: The hash of what was frozen.
        result_hash: The hash of what came of it.
        status: ``final`` or ``provisional``.
        inputs: What was frozen.
        result: What came of it.
        invoices: Every member's invoice of it.
    """

    id: int
    run: str
    number: int
    code_version: str
    fingerprint: str
    input_hash: str
    result_hash: str
    status: str
    inputs: dict[str, Json]
    result: dict[str, Json]
    invoices: Mapping[str, MemberInvoice]


def keep(
    desk: Desk, run: Run, inputs: dict[str, Json], result: dict[str, Json], fingerprint: str
) -> int:
    """Add a computation and return its number in the books."""
    last = desk.session.scalar(
        select(func.max(RunComputationRow.number)).where(RunComputationRow.run == run.id)
    )
    inputs_text, result_text = canonical(inputs), canonical(result)
    row = RunComputationRow(
        run=run.id,
        number=(last or 0) + 1,
        code_version=str(inputs["code_version"]),
        fingerprint=fingerprint,
        input_hash=text_digest(inputs_text),
        result_hash=text_digest(result_text),
        status=str(result["status"]),
        inputs=inputs_text,
        result=result_text,
        recorded_at_s=desk.at_s,
        recorded_by=desk.officer.id,
    )
    desk.session.add(row)
    desk.session.flush()
    return row.id


def keep_days(desk: Desk, computation: int, days: Iterable[FrozenDay]) -> None:
    """Add the days of a computation."""
    rows: list[dict[str, object]] = []
    for day in days:
        rows.append(_row(computation, day))
        if len(rows) == BATCH:
            desk.session.execute(insert(RunDayRow), rows)
            rows = []
    if rows:
        desk.session.execute(insert(RunDayRow), rows)


def computation_of(desk: Desk, run: Run) -> Computation:
    """Return the computation that counts for a run.

    Raises:
        StateError: There is none yet.
        TamperedError: It was changed in the database.
    """
    return _opened(_checked(desk, run))


def inputs_of(desk: Desk, run: Run) -> dict[str, Json]:
    """Return what was frozen in the computation that counts, without opening the result.

    Raises:
        StateError: There is none yet.
        TamperedError: It was changed in the database.
    """
    inputs: dict[str, Json] = json.loads(_checked(desk, run).inputs)
    return inputs


def _checked(desk: Desk, run: Run) -> RunComputationRow:
    row = _row_of(desk, run.computation)
    if (text_digest(row.inputs), text_digest(row.result)) != (row.input_hash, row.result_hash):
        raise TamperedError(f"run {run.id}: what was frozen does not fit its hash: stop and look")
    return row


def computation_by_id(desk: Desk, computation: int) -> Computation:
    """Return a computation as it is stored."""
    return _opened(_row_of(desk, computation))


def _row_of(desk: Desk, computation: int) -> RunComputationRow:
    row = desk.session.get(RunComputationRow, computation)
    assert row is not None, computation
    return row


def _opened(row: RunComputationRow) -> Computation:
    result: dict[str, Json] = json.loads(row.result)
    return Computation(
        row.id,
        row.run,
        row.number,
        row.code_version,
        row.fingerprint,
        row.input_hash,
        row.result_hash,
        row.status,
        json.loads(row.inputs),
        result,
        invoices_of(result),
    )


def hashes_of(desk: Desk, computation: int) -> Hashes:
    """Return what stands for a computation, without reading all of it."""
    row = desk.session.execute(
        select(
            RunComputationRow.number,
            RunComputationRow.input_hash,
            RunComputationRow.result_hash,
            RunComputationRow.status,
        ).where(RunComputationRow.id == computation)
    ).one()
    return Hashes(row.number, row.input_hash, row.result_hash, row.status)


def days_kept(
    desk: Desk, computation: int, connection: str | None = None, day: date | None = None
) -> Iterator[FrozenDay]:
    """Yield the days of a computation: all of them, a connection's, or one; the battery last."""
    wanted = select(RunDayRow).where(RunDayRow.computation == computation)
    if connection is not None:
        wanted = wanted.where(RunDayRow.connection == connection)
    if day is not None:
        wanted = wanted.where(RunDayRow.day == day)
    rows = desk.session.scalars(
        wanted.order_by(
            RunDayRow.connection == BATTERY_ROW, RunDayRow.connection, RunDayRow.day
        ).execution_options(yield_per=BATCH)
    )
    for row in rows:
        yield FrozenDay(
            row.connection,
            row.day,
            json.loads(row.taken),
            json.loads(row.given),
            row.taken_quality,
            row.given_quality,
            json.loads(row.bought),
            json.loads(row.sold),
            json.loads(row.to_battery),
        )


def _row(computation: int, day: FrozenDay) -> dict[str, object]:
    return {
        "computation": computation,
        "connection": day.connection,
        "day": day.day,
        "taken": _text(day.taken),
        "given": _text(day.given),
        "taken_quality": day.taken_quality,
        "given_quality": day.given_quality,
        "bought": _text(day.bought),
        "sold": _text(day.sold),
        "to_battery": _text(day.to_battery),
        "taken_wh": sum(filter(None, day.taken)),
        "given_wh": sum(filter(None, day.given)),
        "bought_wh": sum(day.bought),
        "sold_wh": sum(day.sold),
        "to_battery_wh": sum(day.to_battery),
    }
