"""A real mosquitto for tests that carry the ``broker`` mark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.broker import mosquitto_program, running_broker
from kwartier.broker import Broker


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Broker]:
    """A broker on a spare port of the loopback."""
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    with running_broker() as broker:
        yield broker
