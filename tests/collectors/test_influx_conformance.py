"""InfluxDB behind the record keeps every promise of a store, by what a real one answered.

Recorded from InfluxDB OSS 2.7; `tests.collectors.influx_tape` tells how to record again, and
`tests.collectors.test_influx_conformance_real` asks a real one, the drawn streams too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.influx import Influx, InfluxSettings
from collectors.influx_office import Office
from kwartier.charts import Bucket
from tests.collectors.forwarded_store import ForwardedStore, RisingOnTheWire
from tests.collectors.influx_tape import RECORDS, Recorder, keep, tape_of
from tests.collectors.store_conformance import NewStore, StorePromises

BUCKET = "promises"


@pytest.fixture
def bucket() -> Iterator[InfluxSettings]:
    """Return the way to a bucket: a real one of its own while answers are recorded."""
    if not RECORDS:
        yield InfluxSettings("http://127.0.0.1", "token", "coop", BUCKET)
        return
    url, token, org_name = (
        os.environ[f"KWARTIER_INFLUX_{name}"] for name in ("URL", "TOKEN", "ORG")
    )
    settings = InfluxSettings(url, token, org_name, BUCKET)
    with Influx(settings) as door:
        office = Office(door)
        org = office.organisation(settings.org) or ""
        held = office.make_bucket(org, Bucket(BUCKET, 0, "for a recording"))
        yield settings
        door.manage("DELETE", f"/api/v2/buckets/{held.id}")


@pytest.fixture
def new_store(
    request: pytest.FixtureRequest, tmp_path: Path, bucket: InfluxSettings
) -> Iterator[NewStore]:
    """Make an empty store each time it is called, all with the answers of one test."""
    test = str(request.node.name)
    side = tape_of(test)
    opened: list[ForwardedStore] = []
    with Influx(InfluxSettings(side.url, bucket.token, bucket.org, bucket.bucket)) as door:

        def make() -> ForwardedStore:
            number = len(opened)
            opened.append(ForwardedStore(tmp_path / f"{number}.db", door, f"site-{number}"))
            return opened[-1]

        yield make
        for store in opened:
            store.close()
    side.close()
    if isinstance(side, Recorder):
        keep(test, side)


class TestRecordedInflux(RisingOnTheWire, StorePromises):
    """The promises, kept by what was recorded."""
