"""Each gate is seen to fail on a planted violation; a gate that cannot fail guards nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PACKAGES = ["kwartier", "hardware", "gateway", "collectors", "optimizer", "dashboards", "api"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


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


@pytest.mark.parametrize(
    ("module", "planted", "broken"),
    [
        ("optimizer/planted.py", "import collectors.store", "floors"),
        ("kwartier/planted.py", "import gateway.steer.control", "floors"),
        ("collectors/planted.py", "import hardware.registers", "the cellar"),
        ("api/planted.py", "import paho.mqtt.client", "one door: paho"),
        ("collectors/planted.py", "import pymodbus.client", "one door: pymodbus"),
        ("gateway/planted.py", "import influxdb_client", "one door: influxdb-client"),
        ("dashboards/planted.py", "import grafana_api", "one door: grafana-api"),
        ("optimizer/planted.py", "import sqlite3", "the optimizer reckons"),
    ],
)
def test_import_linter_refuses_what_breaks_a_floor_or_a_door(
    copy: Path, module: str, planted: str, broken: str
) -> None:
    (copy / module).write_text(f'"""Planted."""\n\n{planted}\n')

    judged = gate(copy, "lint-imports", "--no-cache")

    assert judged.returncode == 1
    assert [line for line in judged.stdout.splitlines() if broken in line and "BROKEN" in line]


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
