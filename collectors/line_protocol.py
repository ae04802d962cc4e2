"""Readings as InfluxDB line protocol, a block at a time: a template per block, not a call per row.

One line is one row of a block: measurement ``reading`` (or ``unsure`` where nobody has checked the
clock), tags ``site``, ``gateway`` and ``device``, one integer field for each series that spoke,
time in seconds. A block with a meter also says which one, as ``meter``: a short name, because the
id itself is personal.

Source:
    docs.influxdata.com, InfluxDB OSS v2, "Line protocol".
"""

from __future__ import annotations

from collections.abc import Iterator

from kwartier.identity import CoopId, short_id
from kwartier.reading import ClockSource
from kwartier.series import SERIES
from kwartier.wire import Block, Column

READING = "reading"
UNSURE = "unsure"
METER = "meter"
METER_ID = "id"


def block_lines(block: Block, site: CoopId) -> list[str]:
    """Return the lines of a block; a row that said nothing known here has none.

    Only names of `SERIES` are told: their type is fixed, and what a stranger sends makes no fields.
    Names and ids need no escaping, as they hold letters, digits, ``-`` and ``_`` only.
    """
    tags = f",device={block.device},gateway={block.gateway},site={site} "
    measurement = UNSURE if block.clock is ClockSource.UNSURE else READING
    names = sorted(block.columns.keys() & SERIES.keys())
    columns = [block.columns[name] for name in names]
    lines = _rows(measurement + tags, names, columns, block.at_s) if names else []
    if lines and block.meter and block.clock is not ClockSource.UNSURE:
        lines.append(f'{METER}{tags}{METER_ID}="{short_id(block.meter)}" {block.at_s[0]}')
    return lines


def _rows(start: str, names: list[str], columns: list[Column], at_s: tuple[int, ...]) -> list[str]:
    if any(None in column for column in columns):
        return list(_rows_with_gaps(start, names, columns, at_s))
    template = start + ",".join(f"{name}=%di" for name in names) + " %d"
    return [template % row for row in zip(*columns, at_s, strict=True)]


def _rows_with_gaps(
    start: str, names: list[str], columns: list[Column], at_s: tuple[int, ...]
) -> Iterator[str]:
    starts = [f"{name}=" for name in names]
    for at, *values in zip(at_s, *columns, strict=True):
        told = [
            f"{name}{value}i"
            for name, value in zip(starts, values, strict=True)
            if value is not None
        ]
        if told:
            yield f"{start}{','.join(told)} {at}"
