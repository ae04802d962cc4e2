"""A real InfluxDB 2 keeps every promise and law of a store; run with ``pytest -m influx``."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from collectors.influx import Influx, InfluxSettings
from collectors.influx_office import Office
from kwartier.charts import Bucket
from tests.collectors.forwarded_store import ForwardedStore, RisingOnTheWire
from tests.collectors.store_conformance import NewStore, StoreLaws

pytestmark = pytest.mark.influx
OPEN_AT_ONCE = 4


@pytest.fixture(scope="module")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewStore]:
    """Make an empty store each time it is called, in one bucket for all."""
    names = ("KWARTIER_INFLUX_URL", "KWARTIER_INFLUX_TOKEN", "KWARTIER_INFLUX_ORG")
    url, token, org = (os.environ.get(name, "") for name in names)
    if not (url and token and org):
        pytest.skip(f"no InfluxDB 2 was named: set {', '.join(names)}")
    folder = tmp_path_factory.mktemp("stores")
    bucket = f"kwartier-test-{uuid.uuid4().hex[:12]}"
    opened: list[ForwardedStore] = []
    with Influx(InfluxSettings(url, token, org, bucket)) as door:
        office = Office(door)
        held = office.make_bucket(office.organisation(org) or "", Bucket(bucket, 0, "for a test"))

        def make() -> ForwardedStore:
            number = len(opened)
            opened.append(ForwardedStore(folder / f"{number}.db", door, f"site-{number}"))
            for store in opened[:-OPEN_AT_ONCE]:
                store.close()
            return opened[-1]

        yield make
        for store in opened[-OPEN_AT_ONCE:]:
            store.close()
        door.manage("DELETE", f"/api/v2/buckets/{held.id}")


class TestInflux(RisingOnTheWire, StoreLaws):
    """The promises and laws, kept by InfluxDB behind the record."""
