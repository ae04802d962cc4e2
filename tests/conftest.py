"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.api.town import Towns

# A machine that is busy with something else is no reason for a law to fail.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real telegrams, register images and households beside the checkout, where there are any."""
    root = Path(__file__).resolve().parents[1]
    found = Path(os.environ.get("KWARTIER_TEST_DATA", root.parent / "shared" / "data"))
    if not found.is_dir():
        pytest.skip(
            "the recorded data is not on this machine: set KWARTIER_TEST_DATA to its folder"
        )
    return found


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Towns:
    """Towns whose books stand at any stage of a month's settlement."""
    return Towns(tmp_path_factory.mktemp("towns"))
