"""Until when settlements are final: a note beside the record, written by who keeps the books.

Quarters are what money is reckoned from. Without this note the record lets none of them go, and a
month whose settlement is not final keeps its quarters however old they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from collectors.months.calendar import Month
from collectors.sqlite_store import SqliteStore
from kwartier.durable import replace_file
from kwartier.errors import InputError, StoreBusyError
from kwartier.interval import instant_text, local_day
from kwartier.units import EpochS

_MOST_BYTES = 10_000
_MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Finality:
    """What was told last.

    Attributes:
        upto_s: Every quarter before it is settled for good [s].
        told_s: When that was told [s].
    """

    upto_s: EpochS
    told_s: EpochS


def note_path(record: Path) -> Path:
    """Return where the note of a record lies: beside it."""
    return record.with_name(f"{record.name}.final")


def read_finality(record: Path) -> list[Finality]:
    """Return what was told, in order; nothing when nobody told yet.

    Raises:
        InputError: The note cannot be read; then nothing may be let go.
    """
    place = note_path(record)
    try:
        with place.open("rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        return [Finality(int(upto_s), int(told_s)) for upto_s, told_s in told]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}: no quarter is let go") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{place}: is no note of finality: remove it, or tell it again") from error


def tell_final(record: Path, through: Month, now_s: EpochS) -> list[Finality]:
    """Note that every month through this one is settled for good; return all that was told.

    Months are settled in local days, so the last quarter-hour is that before the local midnight.

    Raises:
        InputError: The month is not over, or more was told before.
        StoreBusyError: The note cannot be written.
    """
    following = through.later(1)
    upto_s, _ = local_day(date(following.year, following.number, 1))
    if upto_s > now_s:
        raise InputError(f"{through}: is not over, so it cannot be final")
    told = read_finality(record)
    before_s = told[-1].upto_s if told else None
    if before_s is not None and before_s > upto_s:
        raise InputError(
            f"{through}: everything before {instant_text(before_s)} was told to be final already, "
            "and stays so: name a later month"
        )
    if before_s == upto_s:
        return told
    return _write(record, [*told, Finality(upto_s, now_s)])


def agree_final(record: Path, first_s: EpochS, upto_s: EpochS, now_s: EpochS) -> bool:
    """Make the note say what the books say now; return whether it said something else.

    What was told of later quarters is taken back, and when they are final again, that begins anew.

    Args:
        record: The record.
        first_s: From where on the books were asked [s].
        upto_s: Every quarter from there up to here is settled for good, and the next is not [s].
        now_s: The instant [s].

    Raises:
        InputError: The note cannot be read, or those quarters are not over.
        StoreBusyError: The note cannot be written.
    """
    if upto_s > now_s:
        raise InputError(f"{record.name}: what is not over cannot be final: look at the clock")
    told = read_finality(record)
    agreed: list[Finality] = []
    for one in told:
        upto = min(one.upto_s, upto_s)
        if not agreed or agreed[-1].upto_s < upto:
            agreed.append(Finality(upto, one.told_s))
    if upto_s > first_s and (not agreed or agreed[-1].upto_s < upto_s):
        agreed.append(Finality(upto_s, now_s))
    if agreed == told:
        return False
    _write(record, agreed)
    return True


def oldest_quarter_s(store: SqliteStore) -> EpochS | None:
    """Return when the oldest quarter of a record began [s]; None where it holds none.

    Raises:
        StoreBusyError: It cannot be read now.
    """
    with store.asking() as connection:
        (oldest_s,) = connection.execute(
            "SELECT min(first) FROM"
            " (SELECT (SELECT min(start_s) FROM q15 WHERE series = series.id) AS first FROM series)"
        ).fetchone()
    return None if oldest_s is None else int(oldest_s)


def final_before(told: list[Finality], now_s: EpochS, after_s: EpochS) -> EpochS | None:
    """Return before which instant quarters were final so long ago; None for none.

    Args:
        told: What was told.
        now_s: The instant [s].
        after_s: How long ago it must have been told [s].
    """
    old = [one.upto_s for one in told if one.told_s + after_s <= now_s]
    return max(old, default=None)


def _write(record: Path, told: list[Finality]) -> list[Finality]:
    told = told[-_MOST_TOLD:]
    try:
        replace_file(
            note_path(record),
            json.dumps([[one.upto_s, one.told_s] for one in told]).encode(),
        )
    except OSError as error:
        raise StoreBusyError(f"{note_path(record)}: {error.strerror}: nothing was noted") from error
    return told
