"""The door for measures outlives whatever it is asked to look at."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from kwartier.errors import KwartierError
from kwartier.metrics_door import Listening, MetricsDoor
from kwartier.metrics_text import Measure


class DamagedError(KwartierError):
    """What is looked at is damaged."""


def test_what_is_damaged_is_told_and_the_next_question_is_answered() -> None:
    def damaged() -> list[Measure]:
        raise DamagedError("the file is damaged")

    with MetricsDoor(Listening("127.0.0.1", 0), damaged) as door:
        for _ in range(2):
            with pytest.raises(HTTPError) as refused:
                urlopen(f"http://127.0.0.1:{door.port}/metrics", timeout=30)
            assert refused.value.code == 503
            refused.value.close()
        with urlopen(f"http://127.0.0.1:{door.port}/healthz", timeout=30) as told:
            assert told.read() == b"ok\n"
