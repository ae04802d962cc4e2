"""How a record does, for Prometheus: its size, how full, whether its file was found sound."""

from __future__ import annotations

import logging
from pathlib import Path

from collectors.checkup import read_condition
from kwartier.errors import InputError
from kwartier.metrics_text import Measure
from kwartier.units import EpochS

_LOG = logging.getLogger(__name__)


def record_measures(record: Path, now_s: EpochS) -> list[Measure]:
    """Return what was written of a record last; nothing before the first time."""
    try:
        told = read_condition(record)
    except InputError as error:
        _LOG.warning("%s", error)
        told = None
    if told is None:
        return []
    looked_s = max(told.quick.at_s, told.thorough.at_s)
    filled = None if told.record_permille is None else told.record_permille / 1000
    return [
        Measure("kwartier_record_bytes", "Size of the record's file [bytes].", told.record_bytes),
        Measure("kwartier_months_bytes", "Size of all month files [bytes].", told.months_bytes),
        Measure("kwartier_record_filled_ratio", "How full it is of what it may be.", filled),
        Measure(
            "kwartier_record_alarm_ratio",
            "The highest alarm of a filling record or disk that stands; 0 for none.",
            told.alarm_permille / 1000,
        ),
        Measure("kwartier_record_sound", "0 when a look found damage.", told.is_sound),
        Measure(
            "kwartier_record_looked_age_seconds",
            "Since the file was looked at last [s].",
            now_s - looked_s if looked_s else None,
        ),
    ]
