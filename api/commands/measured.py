"""What commands that play measured quarters again share: the file, and which days of it."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path


def add_meters(parser: argparse.ArgumentParser) -> None:
    """Add the file of measured quarters, as ``meters``."""
    parser.add_argument(
        "--meters",
        type=Path,
        required=True,
        metavar="FILE",
        help="CSV, CSV.gz or Parquet with utc, household, kwh_import and optionally kwh_export "
        "and kwh_pv; one row a household and quarter-hour, stamped at its start",
    )


def add_days(parser: argparse.ArgumentParser) -> None:
    """Add the days that are judged, as ``first`` and ``last``; None where not told."""
    parser.add_argument(
        "--from", dest="first", type=_day, metavar="DAY", help="the first day that is judged"
    )
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="DAY", help="the last day that is judged"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-07-01") from None
