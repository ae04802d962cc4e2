"""Each gate is seen to fail on a planted violation; a gate that cannot fail guards nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PACKAGES = ["kwartier", "hardware", "gateway", "collectors", "optimizer", "dashboards", "api"]
FORBIDDEN = {
    Path("optimizer/beside.py"): ("floors", "import collectors.store"),
    Path("kwartier/upward.py"): ("floors", "import gateway.steer.control"),
    Path("collectors/downstairs.py"): ("the cellar", "import hardware.registers"),
    Path("api/speaks.py"): ("one door: paho", "import paho.mqtt.client"),
    Path("collectors/polls.py"): ("one door: pymodbus", "import pymodbus.client"),
    Path("gateway/stores.py"): ("one door: influxdb-client", "import influxdb_client"),
    Path("dashboards/draws.py"): ("one door: grafana-api", "import grafana_api"),
    Path("optimizer/reads.py"): ("the optimizer reckons", "import sqlite3"),
}
"""Modules nobody may write: the contract that each breaks, and what it imports."""


def copied(place: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a house in which all of them were written."""
    place = copied(tmp_path_factory.mktemp("linted"))
    for module, (_, imported) in FORBIDDEN.items():
        (place / module).write_text(f'"""Planted."""\n\n{imported}\n')
    judged = gate(place, "lint-imports", "--no-cache")
    assert judged.returncode == 1
    return judged.stdout


def gate(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    words = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)


def test_ruff_format_refuses_a_crooked_line(copy: Path) -> None:
    (copy / "kwartier" / "planted.py").write_text('"""Planted."""\n\nx   = ( 1 )\n')

    judged = gate(copy, "ruff", "format", "--check", "kwartier")

    assert judged.returncode == 1
    assert "planted.py" in judged.stdout


def test_ruff_check_refuses_a_print_outside_the_front_door(copy: Path) -> None:
    (copy / "optimizer" / "planted.py").write_text('"""Planted."""\n\nprint("here")\n')

    judged = gate(copy, "ruff", "check", "optimizer")

    assert judged.returncode == 1
    assert "T201" in judged.stdout


@pytest.mark.parametrize("planted", FORBIDDEN, ids=lambda planted: planted.stem)
def test_import_linter_refuses_what_breaks_a_floor_or_a_door(linted: str, planted: Path) -> None:
    contract, imported = FORBIDDEN[planted]
    module = ".".join(planted.with_suffix("").parts)
    room = imported.removeprefix("import ").partition(".")[0]

    assert [line for line in linted.splitlines() if contract in line and "BROKEN" in line]
    assert re.search(rf"{module} -> {room}\b", linted)


def test_mypy_refuses_a_number_where_a_text_is_promised(copy: Path) -> None:
    (copy / "kwartier" / "planted.py").write_text(
        '"""Planted."""\n\n\ndef name() -> str:\n    """Return a name."""\n    return 1\n'
    )

    judged = gate(copy, "mypy", "--config-file", "pyproject.toml", "-m", "kwartier.planted")

    assert judged.returncode == 1
    assert "planted.py" in judged.stdout


def test_pytest_turns_a_warning_into_a_failure(copy: Path) -> None:
    tests = copy / "tests"
    tests.mkdir()
    (tests / "test_planted.py").write_text(
        "import warnings\n\n\ndef test_planted() -> None:\n    warnings.warn('planted')\n"
    )

    judged = gate(copy, "pytest", "-q", "tests")

    assert judged.returncode == 1
    assert "UserWarning: planted" in judged.stdout
