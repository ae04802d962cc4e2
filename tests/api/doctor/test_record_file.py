"""What a collector tells of its record is named."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from api.doctor.condition import condition
from api.doctor.finding import State
from collectors.checkup import Condition, Looked, condition_path
from tests.api.doctor.town import DAMAGED, NOW, SOUND

TOLD = [
    (replace(SOUND, thorough=DAMAGED), State.BROKEN, "damaged: 2 faults", NOW - 900),
    (replace(SOUND, quick=DAMAGED), State.BROKEN, "damaged: 2 faults", NOW - 900),
    (replace(SOUND, months_away=("2026-01.readings.1.parquet",)), State.BROKEN, "1 month files",
     None),
    (replace(SOUND, alarm_permille=900, record_permille=913), State.BROKEN, "it is 91 % full",
     None),
    (replace(SOUND, alarm_permille=800, disk_permille=806), State.LOOK, "disk is 80 % full", None),
    (replace(SOUND, told_s=NOW - 1_000), State.LOOK, "nothing of it for 1000 s", NOW - 1_000),
    (replace(SOUND, quick=Looked(NOW - 5 * 86_400, 0.1, is_done=True)), State.LOOK, "5 days",
     NOW - 5 * 86_400),
    (Condition(), State.LOOK, "told nothing of it yet", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "state", "what", "since_s"),
    TOLD,
    ids=[f"{at}: {one[2]}" for at, one in enumerate(TOLD)],
)
def test_a_record_that_is_damaged_or_fills_is_named(
    tmp_path: Path, told: Condition, state: State, what: str, since_s: int | None
) -> None:
    condition_path(tmp_path / "record.db").write_text(json.dumps(asdict(told)))

    found = condition(tmp_path / "record.db", "record file", NOW)

    assert (found.state, found.since_s) == (state, since_s), found
    assert what in found.what
    assert found.do
