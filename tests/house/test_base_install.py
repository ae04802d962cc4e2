"""Without any extra the house still opens its door, and says which part is missing.

Each test runs an interpreter that sees the standard library, this checkout and the
distribution's own metadata, written anew from pyproject.toml; nothing third-party.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hardware.twins.p1_meter import P1Meter

ROOT = Path(__file__).resolve().parents[2]
DOOR = "from kwartier.cli import main; raise SystemExit(main())"
WALK = """
import importlib, pkgutil, kwartier
for module in pkgutil.walk_packages(kwartier.__path__, "kwartier."):
    if module.name != "kwartier.mqtt":  # the one door to paho
        importlib.import_module(module.name)
"""
QUARTER = {
    "readings": {
        "A": {"import": "0.160", "export": "0"},
        "B": {"import": "0.650", "export": "0"},
        "P": {"import": "0", "export": "0.270"},
    },
    "key": {"type": "equal", "participants": ["A", "B"], "rounds": "single"},
}


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the distribution's metadata and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    commands = project["entry-points"]["kwartier.commands"]
    folder = tmp_path_factory.mktemp("site")
    told = folder / f"kwartier-{project['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: kwartier\nVersion: {project['version']}\n"
    )
    (told / "entry_points.txt").write_text(
        "[kwartier.commands]\n" + "".join(f"{name} = {at}\n" for name, at in commands.items())
    )
    return folder


def bare(metadata: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run code where nothing is installed; -I and -S leave the standard library only."""
    found = f"import sys; sys.path[:0] = {[str(ROOT), str(metadata)]!r}\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", found + code, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_ground_floor_needs_the_standard_library_only(metadata: Path) -> None:
    done = bare(metadata, WALK)

    assert (done.returncode, done.stderr) == (0, "")


def test_third_party_libraries_are_really_out_of_sight(metadata: Path) -> None:
    done = bare(metadata, "import numpy")

    assert "No module named 'numpy'" in done.stderr


def test_help_names_every_command(metadata: Path) -> None:
    commands = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]

    done = bare(metadata, DOOR, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    told = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert told == set(commands["kwartier.commands"])


def test_the_version_is_told(metadata: Path) -> None:
    done = bare(metadata, DOOR, "--version")

    assert (done.returncode, done.stdout.split()[0]) == (0, "kwartier")


def test_a_telegram_is_decoded(metadata: Path, tmp_path: Path) -> None:
    telegram = tmp_path / "telegram.txt"
    telegram.write_bytes(P1Meter("E1", import_t2_wh=4_726_494).telegram(1_782_900_000))

    done = bare(metadata, DOOR, "p1", "decode", str(telegram))

    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["crc"], told["kwh"]["1-0:1.8.2"]) == ("valid", 4726.494)


def test_a_quarter_is_settled(metadata: Path, tmp_path: Path) -> None:
    """Two equal parts of 270 Wh are 135 Wh each, both homes used more; P took nothing."""
    case = tmp_path / "quarter.json"
    case.write_text(json.dumps(QUARTER))

    done = bare(metadata, DOOR, "settle", "quarter", str(case))

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["allocated"] == {"A": 135, "B": 135, "P": 0}


@pytest.mark.parametrize(
    ("words", "module", "extra"),
    [
        (["plan", "problem.json"], "numpy", "serve"),
        (["gateway", "--config", "gateway.toml"], "cryptography", "gateway"),
        (["collect", "--config", "collect.toml"], "paho", "collect"),
    ],
)
def test_a_missing_extra_names_itself(
    metadata: Path, words: list[str], module: str, extra: str
) -> None:
    done = bare(metadata, DOOR, *words)

    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr == (
        f"kwartier {words[0]}: 'kwartier {words[0]}' needs the Python module '{module}', "
        f"which is not installed: install kwartier[{extra}]\n"
    )
