"""A server whose links a test may break, put right again after it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.broker import BrokerProcess
from tests.api.doctor.town import HALF_FULL, Town
from tests.collectors.loopback import Reply


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    process = BrokerProcess.on_spare_port(tmp_path_factory.mktemp("broker"))
    yield process
    process.kill()


@pytest.fixture(scope="module")
def made(
    mosquitto: BrokerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, Path]]:
    """A town, and a copy of its files as they should be."""
    folder, kept = tmp_path_factory.mktemp("town"), tmp_path_factory.mktemp("kept")
    town = Town(folder, mosquitto)
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    yield town, kept
    town.close()


@pytest.fixture
def town(made: tuple[Town, Path]) -> Iterator[Town]:
    """That town; whatever a test does to it is put right again."""
    town, kept = made
    yield town
    for each in town.web:
        each.replies = [Reply(200)]
    town.full_permille = HALF_FULL
    shutil.rmtree(town.folder)
    shutil.copytree(kept, town.folder)
