"""Measures in the text form that Prometheus reads, for services that carry no library for it.

A measure counts or tells an age; none of them says what was measured, or anything of one home.

Source:
    prometheus.io/docs, "Exposition formats", text version 0.0.4.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure and its values now.

    Attributes:
        name: Its name, with its unit; a counter's ends in ``_total``.
        meaning: What it says, in one line.
        value: Its value; None leaves the measure away, as what is not known is not zero.
        by: Values by label instead, where it has one.
        label: That label's name.
    """

    name: str
    meaning: str
    value: float | None = None
    by: Mapping[str, float] = field(default_factory=dict)
    label: str = ""

    @property
    def kind(self) -> str:
        """What Prometheus calls it."""
        return "counter" if self.name.endswith("_total") else "gauge"


def exposition(measures: Sequence[Measure]) -> str:
    """Return measures as Prometheus reads them; one without a value stays away."""
    lines: list[str] = []
    for measure in measures:
        assert _NAME.fullmatch(measure.name), measure.name
        if measure.value is None and not measure.by:
            continue
        meaning = measure.meaning.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {measure.name} {meaning}", f"# TYPE {measure.name} {measure.kind}"]
        if measure.value is not None:
            lines.append(f"{measure.name} {_number(measure.value)}")
        lines += [
            f'{measure.name}{{{measure.label}="{_escaped(one)}"}} {_number(value)}'
            for one, value in measure.by.items()
        ]
    return "\n".join([*lines, ""])


def disk_measures(folder: Path) -> list[Measure]:
    """Return how large the disk of a folder is and what is free on it, if the folder is there."""
    size, free = None, None
    with suppress(OSError):
        size, _, free = shutil.disk_usage(folder)
    return [
        Measure("kwartier_disk_size_bytes", "Size of the disk [bytes].", size),
        Measure("kwartier_disk_free_bytes", "What is free on it [bytes].", free),
    ]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
