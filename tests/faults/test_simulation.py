"""Histories with a virtual clock: nothing is lost, doubled or stuck, and every mistake shows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS
from tests.faults.simulation import BrokenPromiseError, Kinds, World

SEEDS = 100
NIGHTLY_SEEDS = 5000
MUTANT_SEEDS = 60
_MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: a simulated power cut needs no real disk."""
    made = tempfile.mkdtemp(prefix="kwartier-", dir=_MEMORY if _MEMORY.is_dir() else None)
    yield Path(made)
    shutil.rmtree(made)


def live(seed: int, folder: Path, kinds: Kinds | None = None) -> None:
    """Live one history in a folder of its own."""
    home = folder / str(seed)
    home.mkdir()
    try:
        World(seed, home, kinds).run()
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_lost_doubled_or_stuck(seed: int, folder: Path) -> None:
    live(seed, folder)


@pytest.mark.nightly
@pytest.mark.timeout(0)
def test_nothing_is_lost_doubled_or_stuck_all_night(folder: Path) -> None:
    for seed in range(SEEDS, NIGHTLY_SEEDS):
        live(seed, folder)


def live_until_broken(folder: Path, kinds: Kinds) -> None:
    """Live histories until one breaks a promise."""
    for seed in range(MUTANT_SEEDS):
        live(seed, folder, kinds)


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_deliberate_mistake_is_caught(mistake: str, folder: Path) -> None:
    with pytest.raises(BrokenPromiseError, match=r"^seed \d+: "):
        live_until_broken(folder, MUTANTS[mistake])
