"""``kwartier prices``: try a source of prices out, or read an answer that was kept."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import date
from pathlib import Path

from kwartier.cli import Command, print_json
from kwartier.errors import KwartierError, SettingsError, UsageError
from kwartier.settings import Table, read_secret


def _arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    fetch = words.add_parser("fetch", help="ask one source for one day")
    fetch.add_argument("--source", required=True, help="such as energyzero, entsoe, nordpool")
    fetch.add_argument("--day", type=_day, required=True, metavar="DAY", help="such as 2026-11-23")
    fetch.add_argument("--area", default="NL", help="the bidding zone (default %(default)s)")
    fetch.add_argument("--token-file", type=Path, metavar="FILE", help="the key of entsoe")
    fetch.add_argument("--file", type=Path, metavar="FILE", help="the prices of --source file")
    decode = words.add_parser("decode", help="read answers that were kept in files")
    decode.add_argument("file", type=Path, nargs="+", help="JSON, XML or CSV as a source gave it")
    decode.add_argument("--area", default="NL", help="the bidding zone (default %(default)s)")


def _run(chosen: argparse.Namespace) -> int:
    return _fetch(chosen) if chosen.word == "fetch" else _decode(chosen)


def _fetch(chosen: argparse.Namespace) -> int:
    from collectors.prices.settings import SourceSettings, checked_kind, source_of

    try:
        kind = checked_kind(chosen.source, chosen.area, "--source")
    except SettingsError as error:
        raise UsageError(str(error)) from error
    if kind == "file" and chosen.file is None:
        raise UsageError("--source file: name it with --file")
    token = _token(chosen.token_file) if kind == "entsoe" else ""
    day: date = chosen.day
    with closing(source_of(SourceSettings(kind, chosen.area, token, chosen.file))) as source:
        told = source.day(day)
    print_json(
        {
            "source": kind,
            "day": day.isoformat(),
            "quarters": len(told.quarters),
            "missing": len(told.missing),
            "prices": [
                {"utc": str(quarter), "eur_per_mwh": None if price is None else format(price, "f")}
                for quarter, price in zip(told.quarters, told.eur_per_mwh, strict=True)
            ],
        }
    )
    return 0


def _decode(chosen: argparse.Namespace) -> int:
    from collectors.prices.kept_answer import read_answer

    refused = 0
    for path in chosen.file:
        try:
            series = read_answer(path, chosen.area)
        except KwartierError as error:
            refused = 1
            told = {"file": str(path), "error": type(error).__name__, "message": str(error)}
            print_json(told, stream=True)
            continue
        prices = {str(price.quarter): format(price.eur_per_mwh, "f") for price in series}
        print_json({"file": str(path), "quarters": len(series), "prices": prices}, stream=True)
    return refused


def _token(path: Path | None) -> str:
    if path is None:
        raise UsageError("--source entsoe: name the file with its key with --token-file")
    return read_secret(Table({"token-file": str(path)}, "--"), "token-file", Path())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-23") from error


PRICES = Command(
    summary="try a source of day-ahead prices out, or read an answer that was kept",
    example="kwartier prices fetch --source energyzero --day 2026-11-23",
    extra="collect",
    configure=_arguments,
    run=_run,
)
