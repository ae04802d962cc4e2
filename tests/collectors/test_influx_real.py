"""The same questions to a real InfluxDB 2; run with ``pytest -m influx``."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from collectors.forward_book import ForwardBook
from collectors.forwarder import Forwarder
from collectors.influx import Influx, InfluxRefusedError, InfluxSettings, InfluxSettingsError
from collectors.influx_store import InfluxStore
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.clock import VirtualClock
from kwartier.reading import ClockSource
from kwartier.wire import Block, encode_block
from tests.collectors import influx_scene as scene

pytestmark = pytest.mark.influx

START_S = scene.START_S
CLOCK = VirtualClock(START_S + 40 * 3600)


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


@pytest.mark.parametrize("seed", range(8))
def test_what_was_forwarded_reads_as_the_record_does(
    settings: InfluxSettings, tmp_path: Path, seed: int
) -> None:
    site, asked = f"any-{seed}", (["import_wh", "export_wh"], START_S, START_S + 10 * 3600)
    book = ForwardBook(tmp_path / "forward.db")
    with SqliteStore(tmp_path / "record.db") as record, Influx(settings) as door:
        with record.intake() as intake:
            for block in any_blocks(Random(seed)):  # noqa: S311 - a seed that can be named again
                intake.add(block, encode_block(block), START_S)
        sending = Forwarder(record, door, book, site, CLOCK)
        while sending.step():
            pass
        told = InfluxStore(door, site, CLOCK)

        assert told.quarters(*asked) == record.quarters(*asked)
        for name in ("import_wh", "export_wh"):
            series = (DeviceKey("gw-1", "p1"), name, START_S, START_S + 10 * 3600)
            assert told.points(*series) == record.points(*series)
        assert book.dead == 0
    book.close()


def any_blocks(random: Random) -> list[Block]:
    """Return ten hours of two homes: uneven steps, silences, new meters, clocks unsure."""
    blocks: list[Block] = []
    for gateway in ("gw-1", "gw-2"):
        at_s, taken_wh, given_wh, meter = START_S, random.randrange(10**6), 0, "m0"
        while at_s < START_S + 10 * 3600:
            step_s = random.choice([10, 10, 60, 300])
            rows: list[tuple[int, int, int | None]] = []
            for _ in range(random.choice([1, 6, 60])):
                at_s += step_s
                taken_wh += random.randrange(step_s)
                given_wh += random.randrange(3)
                rows.append((at_s, taken_wh, random.choice([given_wh, None])))
            times, taken, given = zip(*rows, strict=True)
            clock = ClockSource.UNSURE if random.random() < 0.03 else ClockSource.METER
            columns = {"import_wh": taken, "export_wh": given}
            blocks.append(Block(gateway, "e", len(blocks) + 1, "p1", meter, clock, times, columns))
            if random.random() < 0.05:
                at_s += random.choice([1800, 5400])
            if random.random() < 0.03:
                meter, taken_wh, given_wh = f"m{len(blocks)}", random.randrange(100), 0
                at_s += random.choice([30, 600])
    return blocks


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
