"""The same questions to a real InfluxDB 2; run with ``pytest -m influx``."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from collectors.influx import Influx, InfluxRefusedError, InfluxSettings, InfluxSettingsError
from collectors.influx_store import InfluxStore
from kwartier.clock import VirtualClock
from tests.collectors import influx_scene as scene

pytestmark = pytest.mark.influx


@pytest.fixture(scope="module")
def settings() -> Iterator[InfluxSettings]:
    """Return the way to a bucket of its own, with the scene in it."""
    names = ("KWARTIER_INFLUX_URL", "KWARTIER_INFLUX_TOKEN", "KWARTIER_INFLUX_ORG")
    url, token, org = (os.environ.get(name, "") for name in names)
    if not (url and token and org):
        pytest.skip(f"no InfluxDB 2 was named: set {', '.join(names)}")
    bucket = f"kwartier-test-{uuid.uuid4().hex[:12]}"
    client = InfluxDBClient(url=url, token=token, org=org)
    made = client.buckets_api().create_bucket(bucket_name=bucket, org=org)
    found = InfluxSettings(url, token, org, bucket)
    with Influx(found) as door:
        door.write(scene.lines())
    yield found
    client.buckets_api().delete_bucket(made)  # type: ignore[no-untyped-call] # has no annotations
    client.close()  # type: ignore[no-untyped-call] # has no annotations


@pytest.fixture
def store(settings: InfluxSettings) -> Iterator[InfluxStore]:
    with Influx(settings) as door:
        yield InfluxStore(door, scene.SITE, VirtualClock(scene.END_S))


def test_what_was_written_is_told(store: InfluxStore) -> None:
    assert store.points(scene.HOME_1, "import_w", scene.START_S, scene.END_S) == scene.POINTS
    assert store.latest() == scene.LATEST


def test_quarters_are_those_of_the_record(store: InfluxStore) -> None:
    told = store.quarters(["import_wh"], scene.START_S, scene.END_S)
    of_one = store.quarters(["import_wh"], scene.START_S, scene.END_S, [scene.HOME_1])

    assert told == scene.QUARTERS
    assert of_one == scene.QUARTERS[:2]


def test_writing_the_same_again_changes_nothing(
    settings: InfluxSettings, store: InfluxStore
) -> None:
    with Influx(settings) as door:
        door.write(scene.lines())

    assert store.points(scene.HOME_1, "import_w", scene.START_S, scene.END_S) == scene.POINTS


def test_a_batch_with_a_bad_line_is_refused(settings: InfluxSettings) -> None:
    with Influx(settings) as door, pytest.raises(InfluxRefusedError):
        door.write(["reading,site=elsewhere import_wh=1i 60", "this is no line"])


def test_a_field_of_another_type_is_refused(settings: InfluxSettings) -> None:
    line = scene.lines()[0].replace("i,", ",").replace("i ", " ")
    with Influx(settings) as door, pytest.raises(InfluxRefusedError):
        door.write([line])


def test_a_wrong_token_and_a_wrong_bucket_are_matters_of_settings(
    settings: InfluxSettings,
) -> None:
    wrong_token = InfluxSettings(settings.url, "wrong", settings.org, settings.bucket)
    wrong_bucket = InfluxSettings(settings.url, settings.token, settings.org, "nowhere")
    for wrong in (wrong_token, wrong_bucket):
        with Influx(wrong) as door, pytest.raises(InfluxSettingsError):
            door.write(scene.lines()[:1])
