"""What a collector wrote of its record's file: sound or damaged, how full, what is missing."""

from __future__ import annotations

from pathlib import Path

from api.doctor.finding import DAY_S, Finding, State
from collectors.checkup import ALARMS_PERMILLE, Condition, read_condition
from kwartier.units import EpochS

_TOLD_S = 900
"""A collector that runs writes every minute; a long look at the file may hold it up [s]."""
_LOOKED_S = 4 * DAY_S
_SHOWN = 3


def condition(record: Path, link: str, now_s: EpochS) -> Finding:
    """Tell what is known of a record's file.

    Raises:
        InputError: What was written of it cannot be read.
    """
    told = read_condition(record)
    if told is None or not told.told_s:
        do = "start its collector, and look again in two minutes"
        return Finding(link, State.LOOK, "its collector told nothing of it yet", do)
    return (
        _damage(told, record, link)
        or _fullness(told, link)
        or _age(told, link, now_s)
        or Finding(link, State.GOOD, f"it is sound; {_full(told)}")
    )


def _damage(told: Condition, record: Path, link: str) -> Finding | None:
    faults = len(told.quick.problems) + len(told.thorough.problems)
    if faults:
        looked = told.thorough if told.thorough.problems else told.quick
        what = f"its file is damaged: {faults} faults were found"
        do = (
            f"see 'kwartier record --store {record.name} verify'; put the nightly copy in its place"
        )
        return Finding(link, State.BROKEN, what, do, looked.at_s)
    if told.months_away:
        first = ", ".join(told.months_away[:_SHOWN])
        more = " …" if len(told.months_away) > _SHOWN else ""
        what = f"{len(told.months_away)} month files are not there: {first}{more}"
        return Finding(link, State.BROKEN, what, "bring them back from the nightly copy")
    return None


def _fullness(told: Condition, link: str) -> Finding | None:
    if not told.alarm_permille:
        return None
    state = State.BROKEN if told.alarm_permille >= max(ALARMS_PERMILLE) else State.LOOK
    do = "make room on its disk, raise max_mib, or keep less: detail_days, months_kept"
    return Finding(link, state, _full(told), do)


def _age(told: Condition, link: str, now_s: EpochS) -> Finding | None:
    if now_s - told.told_s > _TOLD_S:
        do = "see whether its collector runs: journalctl -u kwartier-collect"
        what = f"its collector told nothing of it for {now_s - told.told_s} s"
        return Finding(link, State.LOOK, what, do, told.told_s)
    looked_s = max(told.quick.at_s, told.thorough.at_s)
    if looked_s and now_s - looked_s > _LOOKED_S:
        what = f"nobody looked whether it is sound for {(now_s - looked_s) // DAY_S} days"
        return Finding(link, State.LOOK, what, "see the collector's log", looked_s)
    return None


def _full(told: Condition) -> str:
    disk = f"its disk is {told.disk_permille // 10} % full"
    if told.record_permille is None:
        return disk
    return f"it is {told.record_permille // 10} % full, {disk}"
