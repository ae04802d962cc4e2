"""What ``kwartier coop run`` shows: a table on a terminal, JSON in a pipe or with ``--json``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from api.commands.coop.acting import day, reading_desk
from api.commands.coop.acting import fields_of as record_of
from api.commands.coop.word import Word, books_folder
from api.cooperative import runs
from api.cooperative.checks.sentences import sentence
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs import Run, run_of
from api.cooperative.settings import read_settings
from api.cooperative.statement_json import plain_of
from kwartier.cli import print_json
from kwartier.interval import instant_text
from kwartier.units import kwh_text
from kwartier.wire import Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rows = Sequence[Mapping[str, Json]]


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of JSON on a terminal too."""
    parser.add_argument("--json", action="store_true", help="JSON on a terminal too")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add a run's name and the choice of JSON."""
    parser.add_argument("run", help="the run, such as 2026-07/1")
    add_json(parser)


def tell(chosen: argparse.Namespace, desk: Desk, run: str) -> None:
    """Print where a run stands now."""
    known = run_of(desk, run)
    if _as_json(chosen):
        print_json(_whole(desk, known))
    else:
        print_table([_short(known)])


def print_table(rows: Rows) -> None:
    """Print rows under their names, numbers to the right."""
    if not rows:
        print("nothing")
        return
    names = list(rows[0])
    texts = [[_cell(row[name]) for name in names] for row in rows]
    widths = [
        max(len(name), *(len(row[place]) for row in texts)) for place, name in enumerate(names)
    ]
    right = [isinstance(rows[0][name], int) for name in names]
    for line in [names, ["-" * width for width in widths], *texts]:
        cells = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        print("  ".join(cells).rstrip())


def _as_json(chosen: argparse.Namespace) -> bool:
    return bool(chosen.json) or not sys.stdout.isatty()


def _cell(value: Json) -> str:
    return "" if value is None else str(value)


def _euro(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _short(run: Run) -> dict[str, Json]:
    return {
        "run": run.id,
        "state": run.state.value,
        "since": instant_text(run.last.at_s),
        "by": run.last.officer,
        "corrects": run.corrects or "",
        "hash": run.last.body_hash[:16],
    }


def _whole(desk: Desk, run: Run) -> dict[str, Json]:
    computed = any(step.computation is not None for step in run.steps)
    return {
        "run": run.id,
        "state": run.state.value,
        "corrects": run.corrects,
        "reason": run.reason,
        "decision": run.decision,
        "proposal_hash": run.last.body_hash,
        "steps": [
            {
                "state": step.state.value,
                "at": instant_text(step.at_s),
                "officer": step.officer,
                "reason": step.reason,
            }
            for step in run.steps
        ],
        "body": runs.run_body(desk, run.id) if computed else None,
    }


def _list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        found = [_short(run) for run in runs.runs(desk, chosen.period)]
    if _as_json(chosen):
        print_json(found)
    else:
        print_table(found)
    return 0


def _show(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        whole = _whole(desk, run_of(desk, chosen.run))
    body = whole["body"]
    if _as_json(chosen) or not isinstance(body, dict):
        print_json(whole)
        return 0
    totals = body["totals"]
    assert isinstance(totals, dict)
    print_table([{"what": name, "amount": value} for name, value in totals.items()])
    for name in ("status", "input_hash", "result_hash", "code_version"):
        print(f"{name}: {body[name]}")
    return 0


def _findings(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        found = runs.findings(desk, chosen.run)
    if _as_json(chosen):
        rows: list[Json] = [
            {
                "key": each.finding.key,
                "code": each.finding.code.value,
                "severity": each.finding.severity.value,
                "connection": each.finding.connection,
                "member": each.finding.member,
                "effect_cents": each.finding.effect_cents,
                "text": sentence(each.finding, chosen.language),
                "facts": dict(each.finding.facts),
                "stops": each.stops,
                "waived": each.waived,
                "waived_by": each.waived_by,
            }
            for each in found
        ]
        print_json(rows)
        return 0
    print_table(
        [
            {
                "effect": _euro(each.finding.effect_cents),
                "severity": each.finding.severity.value,
                "waived": "yes" if each.waived else "",
                "key": each.finding.key,
                "what": sentence(each.finding, chosen.language),
            }
            for each in found
        ]
    )
    return 0


def _diff(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        diff = runs.run_diff(desk, chosen.run, chosen.other)
    shown = diff.changes if chosen.all else diff.top
    if _as_json(chosen):
        changes: list[Json] = [
            {**record_of(each), "delta_cents": each.delta_cents} for each in shown
        ]
        totals: dict[str, Json] = {name: list(pair) for name, pair in diff.totals.items()}
        print_json({"run": diff.run, "other": diff.other, "totals": totals, "changes": changes})
        return 0
    print_table(
        [
            {
                "member": each.member,
                "before": _euro(each.before_cents or 0),
                "after": _euro(each.after_cents or 0),
                "change": _euro(each.delta_cents),
            }
            for each in shown
        ]
    )
    return 0


def _statement(chosen: argparse.Namespace) -> int:
    settings = read_settings(books_folder(chosen))
    with reading_desk(chosen) as desk:
        found = [
            each
            for each in runs.statements(desk, settings, chosen.run)
            if each.party.id == chosen.member
        ]
    if not found:
        raise BooksError(f"run {chosen.run} has no member {chosen.member[:40]!r}")
    if _as_json(chosen):
        print_json(plain_of(found[0]))
        return 0
    print_table(
        [
            {
                "line": number,
                "charge": line.charge.value,
                "connection": line.connection,
                "kWh": "" if line.energy_wh is None else kwh_text(line.energy_wh),
                "days": "" if line.days is None else str(line.days),
                "price": line.price_eur,
                "EUR": _euro(line.amount_cents),
                "tariff": line.tariff,
            }
            for number, line in enumerate(found[0].lines, 1)
        ]
    )
    print(f"to pay: {_euro(found[0].to_pay_cents)}")
    return 0


def _quarters(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        rows = runs.quarters(desk, chosen.run, chosen.connection, chosen.day)
    told = [{**_plain(each), "quarter": str(each.quarter)} for each in rows]
    if _as_json(chosen):
        print_json(told)
        return 0
    kept = ("import_wh", "export_wh", "bought_wh", "sold_wh", "to_battery_wh", "tariff")
    print_table([{"quarter": row["quarter"], **{name: row[name] for name in kept}} for row in told])
    return 0


def _explain(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        told = runs.explain(desk, chosen.run, chosen.member, chosen.line)
    if _as_json(chosen):
        days: list[Json] = [
            {"day": each.day.isoformat(), "energy_wh": each.energy_wh, "eur": str(each.exact_eur)}
            for each in told.days
        ]
        print_json({**_plain(told), "days": days})
        return 0
    print_table(
        [
            {"day": each.day.isoformat(), "kWh": kwh_text(each.energy_wh),
             "EUR": str(each.exact_eur)}
            for each in told.days
        ]
    )  # fmt: skip
    print(f"together {told.exact_eur} EUR exactly, {_euro(told.cents)} EUR on the statement")
    return 0


def _plain(record: DataclassInstance) -> dict[str, Json]:
    return record_of(record)


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--period", help="only one month, such as 2026-07")
    add_json(parser)


def _findings_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--language", choices=("nl", "en"), default="en", help="of the sentences")


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--with", dest="other", metavar="RUN", help="another run to compare with")
    parser.add_argument("--all", action="store_true", help="every member, not the ten largest")


def _member_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("member", help="the member's id")


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    _member_arguments(parser)
    parser.add_argument("line", type=int, help="the line's place on the statement, from 1")


def _quarters_arguments(parser: argparse.ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("connection", help="the connection's name")
    parser.add_argument("day", type=day, help="the local day, such as 2026-07-09")


def _view(
    name: str,
    summary: str,
    example: str,
    configure: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], int],
) -> Word:
    return Word("run", name, summary, f"kwartier coop run {name} {example}", configure, run)


VIEWS = (
    _view("list", "show every run and where it stands", "--as board", _list_arguments, _list),
    _view("show", "show a run's totals and hashes", "2026-07/1 --as board", add_run, _show),
    _view(
        "findings",
        "show what the checks found, the largest effect first",
        "2026-07/1 --as board",
        _findings_arguments,
        _findings,
    ),
    _view(
        "diff",
        "show what changes against the month before, or against what is corrected",
        "2026-07/1 --as board",
        _diff_arguments,
        _diff,
    ),
    _view(
        "statement",
        "show a member's statement",
        "2026-07/1 lid-3 --as board",
        _member_arguments,
        _statement,
    ),
    _view(
        "explain",
        "show how a line of a statement adds up, day by day",
        "2026-07/1 lid-3 1 --as board",
        _explain_arguments,
        _explain,
    ),
    _view(
        "quarters",
        "show a connection's day, quarter by quarter",
        "2026-07/1 home-3 2026-07-09 --as board",
        _quarters_arguments,
        _quarters,
    ),
)
