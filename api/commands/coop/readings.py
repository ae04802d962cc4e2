"""``kwartier coop readings``: the durable copy of what settlement uses."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from api.commands.coop.acting import day, reading_desk, recognised, writing_desk
from api.commands.coop.word import Word
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.periods import checked_period
from api.cooperative.readings import Direction, day_values, matrix
from api.cooperative.readings.corrections import correct_quarter
from api.cooperative.readings.estimates import EstimatedGap, estimate
from api.cooperative.readings.gaps import Completeness, completeness
from api.cooperative.readings.intake import Taken
from api.cooperative.readings.pull import Recorded, pull
from api.cooperative.readings.record import Version
from api.cooperative.readings.validated import import_quarters
from api.cooperative.registry import ownership_between
from collectors.union_store import open_records
from kwartier.cli import print_json
from kwartier.clock import SystemClock
from kwartier.interval import Quarter, local_day
from kwartier.model import read_community
from kwartier.units import wh_from_kwh
from kwartier.wire import Json


def _pull_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="DAY")
    parser.add_argument(
        "--to", dest="last", type=day, required=True, metavar="DAY", help="last day"
    )
    parser.add_argument(
        "--record",
        required=True,
        action="append",
        type=Path,
        metavar="FILE",
        help="the house's telemetry.db; again for each further shard",
    )
    parser.add_argument("--community", required=True, metavar="FILE", help="the wijk.toml")


def _pull(chosen: argparse.Namespace) -> int:
    community = read_community(Path(chosen.community))
    with (
        recognised(chosen) as (books, officer),
        closing(open_records(chosen.record)) as store,
        books.desk(officer) as desk,
    ):
        result = pull(desk, Recorded(store, community, SystemClock()), chosen.first, chosen.last)
    for name in result.strangers:
        print(
            f"{name}: another meter speaks than the one on record: "
            "record the swap with `kwartier coop meter swap`",
            file=sys.stderr,
        )
    print_json({**_taken(result.taken), "registers": result.registers})
    return 0


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        help="CSV or XLSX: utc or local (with offset), connection (or EAN), import_kwh, "
        "export_kwh (of a battery charge_kwh, discharge_kwh), and perhaps quality; "
        "or XML: an answer of the grid operators' P4 portal",
    )
    parser.add_argument(
        "--stamps",
        choices=("start", "end"),
        default="start",
        help="what a row's time names of its quarter-hour",
    )
    parser.add_argument("--apply", action="store_true", help="keep it; else only told")
    parser.add_argument(
        "--leave-out", action="store_true", help="keep the sound rows beside refused ones"
    )


def _import(chosen: argparse.Namespace) -> int:
    desk_of = writing_desk if chosen.apply else reading_desk
    with desk_of(chosen) as desk:
        told = import_quarters(
            desk,
            Path(chosen.file),
            apply=chosen.apply,
            leave_out=chosen.leave_out,
            stamps_end=chosen.stamps == "end",
        )
    for message in told.messages:
        print(message, file=sys.stderr)
    if not told.applied:
        why = "correct the rows above, or add --leave-out" if told.refused else "add --apply"
        print(f"nothing was kept: {why}", file=sys.stderr)
    print_json(
        {
            "rows": told.rows,
            "refused": told.refused,
            "applied": told.applied,
            **_taken(told.taken),
        }
    )
    return 1 if told.refused else 0


def _correct_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")
    parser.add_argument("direction", choices=list(Direction))
    parser.add_argument("quarter", help="its start, such as 2026-07-01T09:45:00Z")
    parser.add_argument("kwh", help="what it counted, such as 0.250")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    parser.add_argument("--estimated", action="store_true", help="it is a guess")


def _correct(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        version = correct_quarter(
            desk,
            chosen.connection,
            Direction(chosen.direction),
            Quarter.parse(chosen.quarter),
            wh_from_kwh(chosen.kwh),
            chosen.reason,
            estimated=chosen.estimated,
        )
    print_json({"connection": chosen.connection, "version": version})
    return 0


def _period_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--period", required=True, metavar="MONTH", help="such as 2026-07")


def _estimate_arguments(parser: argparse.ArgumentParser) -> None:
    _period_argument(parser)
    parser.add_argument("--connection", action="append", help="only this one; again for more")
    parser.add_argument("--apply", action="store_true", help="keep the estimates; else only told")


def _estimate(chosen: argparse.Namespace) -> int:
    first, last = _days_of(chosen.period)
    desk_of = writing_desk if chosen.apply else reading_desk
    with desk_of(chosen) as desk:
        owned = ownership_between(desk, local_day(first)[0], local_day(last)[1])
        names = chosen.connection or sorted({window.connection for window in owned})
        found = estimate(desk, names, first, last, ownership=owned, apply=chosen.apply)
    for sentence in found.undecided:
        print(sentence, file=sys.stderr)
    print_json(
        {
            "applied": chosen.apply,
            "estimated": [_gap(gap) for gap in found.gaps],
            "undecided": len(found.undecided),
        }
    )
    return 0


def _gaps(chosen: argparse.Namespace) -> int:
    first, last = _days_of(chosen.period)
    with reading_desk(chosen) as desk:
        told = _complete(desk, first, last)
    expected, missing = sum(each.expected for each in told), sum(each.missing for each in told)
    print_json(
        {
            "period": chosen.period,
            "connections": len(told),
            "expected": expected,
            "missing": missing,
            "incomplete": [_completeness(each) for each in told if each.gaps],
        }
    )
    return 0


def _complete(desk: Desk, first: date, last: date) -> tuple[Completeness, ...]:
    start_s, end_s = local_day(first)[0], local_day(last)[1]
    owned = ownership_between(desk, start_s, end_s)
    names = sorted({window.connection for window in owned})
    readings, _ = matrix(desk, names, start_s, end_s, batteries=())
    return completeness(readings, owned)


def _day_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("connection")
    parser.add_argument("day", type=day)
    parser.add_argument("--purpose", required=True, help="why you look; it stands in the audit log")


def _day(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        known = day_values(desk, chosen.connection, chosen.day)
        facts: dict[str, Json] = {"day": chosen.day.isoformat(), "purpose": chosen.purpose}
        record(desk, "reading.look", chosen.connection, facts)
    print_json({direction.value: _version(version) for direction, version in known.items()})
    return 0


def _days_of(period: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{checked_period(period)}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return first, after - timedelta(days=1)


def _taken(taken: Taken) -> dict[str, Json]:
    aside: list[Json] = [str(each) for each in taken.set_aside]
    return {**taken.counts(), "set_aside": aside}


def _gap(gap: EstimatedGap) -> dict[str, Json]:
    return {
        "connection": gap.connection,
        "direction": gap.direction.value,
        "first": str(Quarter(gap.quarters[0])),
        "last": str(Quarter(gap.quarters[-1])),
        "quarters": len(gap.quarters),
        "wh": sum(gap.energy_wh),
        "method": gap.method.value,
        "register_difference_wh": gap.difference_wh,
    }


def _completeness(each: Completeness) -> dict[str, Json]:
    return {
        "connection": each.connection,
        "expected": each.expected,
        "missing": each.missing,
        "estimated": each.estimated,
        "gaps": [
            {"first": str(gap.first), "last": str(gap.last), "quarters": gap.quarters}
            for gap in each.gaps
        ],
    }


def _version(version: Version) -> dict[str, Json]:
    values = version.values
    return {
        "version": version.number,
        "first": str(values.quarter(0)),
        "wh": list(values.wh),
        "quality": values.quality,
        "origins": values.origins,
        "source": values.source.value,
        "method": values.method,
        "reason": values.reason,
        "recorded_by": version.recorded_by,
    }


WORDS: tuple[Word, ...] = (
    Word(
        "readings",
        "pull",
        "take quarters over from the house's own record",
        "kwartier coop readings pull --from 2026-07-01 --to 2026-07-31 --record telemetry.db "
        "--community wijk.toml --as bookkeeper",
        _pull_arguments,
        _pull,
    ),
    Word(
        "readings",
        "import",
        "take in the grid operator's validated quarters from a file",
        "kwartier coop readings import p4-2026-07.csv --as bookkeeper --apply",
        _import_arguments,
        _import,
    ),
    Word(
        "readings",
        "correct",
        "write one quarter by hand, with its reason",
        "kwartier coop readings correct huis-01 import 2026-07-01T09:45:00Z 0.250 "
        "--reason 'telegram misread' --as bookkeeper",
        _correct_arguments,
        _correct,
    ),
    Word(
        "readings",
        "estimate",
        "estimate what is missing of a month",
        "kwartier coop readings estimate --period 2026-07 --as bookkeeper --apply",
        _estimate_arguments,
        _estimate,
    ),
    Word(
        "readings",
        "gaps",
        "show what is missing of a month",
        "kwartier coop readings gaps --period 2026-07 --as bookkeeper",
        _period_argument,
        _gaps,
    ),
    Word(
        "readings",
        "day",
        "show one day of a connection; the audit log keeps who looked",
        "kwartier coop readings day huis-01 2026-07-01 --purpose 'question 12' --as treasurer",
        _day_arguments,
        _day,
    ),
)
