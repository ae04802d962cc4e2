"""Whether a run adds up: quarters = days = lines = run = entries = papers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from sqlalchemy import func, select

from api.cooperative.chain import Fault
from api.cooperative.database import Desk
from api.cooperative.documents import Series
from api.cooperative.errors import TamperedError
from api.cooperative.runs.frozen_days import BATTERY_ROW
from api.cooperative.runs.frozen_result import entries_of
from api.cooperative.runs.papers import live_papers
from api.cooperative.runs.posting import entries_of_run, taken_back
from api.cooperative.runs.states import BOOKED, Run, State, run_of, runs
from api.cooperative.runs.storing import BATCH, Computation, computation_of
from api.cooperative.tables.runs import RunDayRow
from kwartier.ledger import Entry
from kwartier.units import Wh
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.invoicing import Charge


def verify_runs(desk: Desk) -> list[Fault]:
    """Return what does not add up in the runs that are in the books; nothing when all does."""
    return [fault for run in runs(desk) if run.state in BOOKED for fault in faults_of(desk, run.id)]


def faults_of(desk: Desk, run: str) -> list[Fault]:
    """Return what does not add up in one computed run; nothing when all does."""
    known = run_of(desk, run)
    try:
        computation = computation_of(desk, known)
    except TamperedError as error:
        return [Fault(f"run {known.id}", str(error))]
    found = [
        *_days_against_quarters(desk, computation),
        *_lines_against_days(desk, computation),
        *_run_against_lines(computation),
    ]
    if known.state in BOOKED:
        found += _entries_against_run(desk, known, computation)
    if known.state in (State.INVOICED, State.CLOSED):
        try:
            found += _papers_against_run(desk, known, computation)
        except TamperedError as error:
            found.append(str(error))
    return [Fault(f"run {known.id}", what) for what in found]


def _days_against_quarters(desk: Desk, computation: Computation) -> Iterator[str]:
    """Look whether each day is the sum of its quarters, and energy bought is energy sold."""
    wh = {"bought": 0, "sold": 0, "to battery": 0, "into the battery": 0}
    for name, day, bought, sold, to_battery, *sums in _days(desk, computation):
        quarters = [sum(json.loads(each)) for each in (bought, sold, to_battery)]
        if quarters != sums:
            yield f"{name} {day}: its quarters are not its sums"
        wh["sold"] += quarters[1]
        if name == BATTERY_ROW:
            wh["into the battery"] += quarters[0]
        else:
            wh["bought"] += quarters[0]
            wh["to battery"] += quarters[2]
    for one, other in (("bought", "sold"), ("to battery", "into the battery")):
        if wh[one] != wh[other]:
            yield f"{one} {wh[one]} Wh, {other} {wh[other]} Wh"


def _days(
    desk: Desk, computation: Computation
) -> Iterator[tuple[str, date, str, str, str, Wh, Wh, Wh]]:
    """Yield connection, day, the lists of what was shared by quarter, and their sums."""
    rows = desk.session.execute(
        select(
            RunDayRow.connection,
            RunDayRow.day,
            RunDayRow.bought,
            RunDayRow.sold,
            RunDayRow.to_battery,
            RunDayRow.bought_wh,
            RunDayRow.sold_wh,
            RunDayRow.to_battery_wh,
        )
        .where(RunDayRow.computation == computation.id)
        .order_by(RunDayRow.connection == BATTERY_ROW, RunDayRow.connection, RunDayRow.day)
        .execution_options(yield_per=BATCH)
    )
    yield from rows


def _lines_against_days(desk: Desk, computation: Computation) -> Iterator[str]:
    """Look whether each connection's lines are the sum of its days."""
    columns = [(Charge.BUY, RunDayRow.bought_wh), (Charge.SELL, RunDayRow.sold_wh)]
    battery = computation.inputs["battery"]
    if isinstance(battery, dict) and battery["model"] == BatteryModel.COOP_BUYS.value:
        columns.append((Charge.BATTERY, RunDayRow.to_battery_wh))
    for charge, column in columns:
        rows = desk.session.execute(
            select(RunDayRow.connection, func.sum(column))
            .where(RunDayRow.computation == computation.id, RunDayRow.connection != BATTERY_ROW)
            .group_by(RunDayRow.connection)
        )
        days = {name: int(wh) for name, wh in rows if wh}
        lines: dict[str, Wh] = {}
        for invoice in computation.invoices.values():
            for line in invoice.lines:
                if line.priced.charge is charge:
                    name = line.priced.connection
                    lines[name] = lines.get(name, 0) + (line.priced.energy_wh or 0)
        for name in sorted({*days, *lines}):
            if days.get(name, 0) != lines.get(name, 0):
                yield (
                    f"{charge} of {name}: lines {lines.get(name, 0)} Wh, "
                    f"days {days.get(name, 0)} Wh"
                )


def _run_against_lines(computation: Computation) -> Iterator[str]:
    """Look whether the entries that were computed are what the lines come to."""
    invoices = computation.invoices.values()
    owed = sum(invoice.gross for invoice in invoices)
    earned = sum(invoice.earned_gross for invoice in invoices)
    booked = {"receivable": 0, "payable": 0}
    for entry in entries_of(computation.result):
        for line in entry.lines:
            side = line.account.name.partition(":")[0]
            if side in booked:
                booked[side] += line.amount
    if (owed, -earned) != (booked["receivable"], booked["payable"]):
        yield (
            f"lines come to {owed} owed and {earned} earned, entries to "
            f"{booked['receivable']} and {-booked['payable']}"
        )


def _entries_against_run(desk: Desk, run: Run, computation: Computation) -> Iterator[str]:
    """Look whether the ledger holds exactly the run's entries, and none of the run before."""

    def bare(entry: Entry) -> object:
        return sorted((line.account.name, line.amount) for line in entry.lines)

    posted = [bare(booked.journal.entry) for booked in entries_of_run(desk, run.id)]
    if posted != [bare(entry) for entry in entries_of(computation.result)]:
        yield "the ledger does not hold exactly its entries"
    if run.corrects is None:
        return
    gone = taken_back(desk, run.corrects)
    left = [each.id for each in entries_of_run(desk, run.corrects) if each.id not in gone]
    if left:
        yield f"entries {left} of {run.corrects} were not taken back"


def _papers_against_run(desk: Desk, run: Run, computation: Computation) -> Iterator[str]:
    """Look whether every member's papers that stand come to what the run says."""
    standing = live_papers(desk, run)
    members = {*computation.invoices, *(party for party, _ in standing)}
    for member in sorted(members):
        invoice = computation.invoices.get(member)
        for series, cents in (
            (Series.INVOICE, 0 if invoice is None else invoice.gross),
            (Series.PURCHASE, 0 if invoice is None else invoice.earned_gross),
        ):
            paper = standing.get((member, series))
            told = 0 if paper is None else paper.amount_cents
            if told != cents:
                yield f"{member}: papers of series {series} {told} cents, the run {cents} cents"
