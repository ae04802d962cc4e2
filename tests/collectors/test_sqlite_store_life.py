"""A record that was put back or moved begins a new generation; one that was not, does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.sqlite_store import SqliteStore
from collectors.store import Counts
from tests.collectors.blocks import registers, take_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "telemetry.db"


def test_a_record_opened_again_goes_on_with_its_generation(path: Path) -> None:
    generation = _generation_after(path, 1)

    assert _generation_after(path, 2) == generation
    assert _generation_after(path, 3) == generation


def test_a_reader_is_told_the_same_generation(path: Path) -> None:
    with SqliteStore(path) as store, SqliteStore(path, read_only=True) as reader:
        assert reader.generation == store.generation


def test_an_older_copy_put_back_begins_a_new_generation(path: Path, tmp_path: Path) -> None:
    generation = _generation_after(path, 1)
    shutil.copyfile(path, tmp_path / "copy.db")
    _generation_after(path, 2)

    # The bytes go back into the same file, so only the count of transactions tells.
    path.write_bytes((tmp_path / "copy.db").read_bytes())

    with SqliteStore(path) as store:
        assert store.counts().blocks == 1
        assert store.generation != generation


def test_an_older_copy_put_back_after_a_kill_begins_a_new_generation(
    path: Path, tmp_path: Path
) -> None:
    with SqliteStore(path) as store:
        generation = store.generation
        store.copy_to(tmp_path / "copy.db")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.collectors.writes_until_killed", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"1\n"
        writer.kill()
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    path.write_bytes((tmp_path / "copy.db").read_bytes())

    with SqliteStore(path) as store:
        assert store.counts() == Counts(0, 0, 0, 0, 0)
        assert store.generation != generation


def test_a_copy_made_while_writing_holds_all_and_begins_a_new_generation(
    path: Path, tmp_path: Path
) -> None:
    with SqliteStore(path) as store:
        take_in(store, registers(1, (0, 1), (900, 5)))
        with store.intake() as intake:
            intake.add(registers(2, (1800, 9)), b"", 0)
            store.copy_to(tmp_path / "copy.db")

        with SqliteStore(tmp_path / "copy.db") as copy:
            assert copy.generation != store.generation
            assert copy.counts() == Counts(2, 2, 1, 0, 0)
            assert copy.integrity() == []


def test_a_file_without_its_companion_begins_a_new_generation(path: Path) -> None:
    generation = _generation_after(path, 1)
    path.with_name("telemetry.db.life").unlink()

    assert _generation_after(path, 2) != generation


def test_a_garbled_companion_begins_a_new_generation(path: Path) -> None:
    generation = _generation_after(path, 1)
    path.with_name("telemetry.db.life").write_bytes(b"\xff\x00 1 2 3")

    assert _generation_after(path, 2) != generation


def test_a_folder_copied_whole_begins_a_new_generation(path: Path, tmp_path: Path) -> None:
    generation = _generation_after(path, 1)
    other = tmp_path / "other"
    other.mkdir()
    for name in ("telemetry.db", "telemetry.db.life"):
        shutil.copyfile(tmp_path / name, other / name)

    assert _generation_after(other / "telemetry.db", 2) != generation


def test_a_record_lost_and_begun_again_has_a_new_generation(path: Path) -> None:
    generation = _generation_after(path, 1)
    path.unlink()

    assert _generation_after(path, 1) != generation


def _generation_after(path: Path, seq: int) -> str:
    """Open the record, take one block in, close it; return the generation it had."""
    with SqliteStore(path) as store:
        take_in(store, registers(seq, (seq, seq)))
        return store.generation
