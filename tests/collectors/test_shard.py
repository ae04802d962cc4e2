"""Which gateways a shard keeps, what it hears, and how one is handed over to another."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.event_intake import EventIntake
from collectors.ingest import Ingest
from collectors.receiver import Receiver, opened
from collectors.shard import MOST_SHARDS, OwnBus, Shard, StrangersError, owner_of
from collectors.shard_move import Moved, gateways_in, hand_over
from collectors.sqlite_rollup import Rolled
from collectors.sqlite_store import SqliteStore
from collectors.store import Counts, DeviceKey, QuarterEnergy, Store
from collectors.union_store import UnionStore, open_records
from kwartier.bus import InProcessBus, Message
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.envelope import Envelope
from kwartier.errors import SettingsError, StoreBusyError
from kwartier.events import Event, EventKind, encode_event
from kwartier.identity import GatewayId
from kwartier.interval import QUARTER_S
from kwartier.wire import Address, Block, Lane, encode_block
from tests.collectors.blocks import NOON_S, RECEIVED_S, block, take_in

EVER = (0, 2**33)
STEP_S = 60
DAY_S = 86_400
ROWS = 10

OpenStore = Callable[[str], SqliteStore]


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[OpenStore]:
    """Records in a folder by name; each ends with the test."""
    with ExitStack() as stores:
        yield lambda name: stores.enter_context(SqliteStore(tmp_path / name))


def key_of(gateway: GatewayId) -> DeviceKey:
    return DeviceKey(gateway, "p1")


def minutes(gateway: GatewayId, seq: int, step: int = 7) -> Block:
    """Return block ``seq`` of a gateway: ten minutes, a register that rises by ``step`` each."""
    rows = range((seq - 1) * ROWS, seq * ROWS)
    columns: dict[str, list[int | None]] = {
        "import_wh": [1000 + step * row for row in rows],
        "import_w": [row if row % 3 else None for row in rows],
    }
    at_s = [NOON_S + STEP_S * row for row in rows]
    return block(seq, at_s, columns, key=key_of(gateway), meter=f"E-{gateway}")


def all_told(store: Store, *gateways: GatewayId) -> list[object]:
    """Return what a store says of some gateways, in an order that does not depend on it."""
    keys = [key_of(gateway) for gateway in gateways]
    told: list[object] = [sorted(store.latest(keys), key=lambda latest: (latest.key, latest.name))]
    told += store.quarters({"import_wh"}, *EVER, keys)
    for key in keys:
        told += [store.points(key, "import_wh", *EVER), store.points(key, "import_w", *EVER)]
    return told


def rolled(store: SqliteStore, gateway: GatewayId) -> list[Rolled]:
    """Return a gateway's power in quarter-hours, once all that came is settled."""
    store.merge(NOON_S + DAY_S, limit=10_000)
    return store.rollups(key_of(gateway), "import_w", NOON_S, NOON_S + DAY_S)


@given(st.text(min_size=1), st.integers(1, MOST_SHARDS))
def test_every_gateway_has_one_shard_that_keeps_it(gateway: str, of: int) -> None:
    assert sum(Shard(number, of).owns(gateway) for number in range(of)) == 1


@given(st.text(min_size=1), st.integers(1, 30))
def test_with_one_shard_more_a_gateway_stays_or_moves_to_the_new_one(gateway: str, of: int) -> None:
    assert owner_of(gateway, of + 1) in {owner_of(gateway, of), of}


def test_shards_keep_about_as_many_gateways_each() -> None:
    owners = [owner_of(f"gw-{number}", 4) for number in range(10_000)]

    assert all(2_300 < owners.count(number) < 2_700 for number in range(4))


def test_the_owner_of_a_gateway_never_changes_with_the_program() -> None:
    # By hand: `for n in 0 1 2 3; do printf $n/gw-1 | b2sum; done`; the highest line wins. A program
    # that drew otherwise would scatter every record there is.
    owners = [owner_of(f"gw-{number}", 4) for number in range(1, 9)]

    assert owners == [1, 2, 2, 0, 3, 3, 1, 0]


@pytest.mark.parametrize(("number", "of"), [(-1, 2), (2, 2), (0, 0), (0, MOST_SHARDS + 1)])
def test_a_shard_that_cannot_be_is_a_mistake(number: int, of: int) -> None:
    with pytest.raises(ValueError, match="number them from 0"):
        Shard(number, of)


def test_messages_of_other_shards_are_acknowledged_and_not_heard() -> None:
    heard: list[str] = []
    acknowledged: list[str] = []
    own = OwnBus(bus := InProcessBus(), Shard(0, 2))
    own.subscribe("nec/v1/straat/+/blk/+", lambda message: heard.append(message.topic))
    ((_, taker),) = bus._takers
    topics = [Address("straat", f"gw-{n}", Lane.BLOCK, "p1").topic for n in range(20)]

    for topic in topics:
        taker(Message(topic, b"", acknowledge=partial(acknowledged.append, topic)))

    assert heard == [topic for n, topic in enumerate(topics) if owner_of(f"gw-{n}", 2) == 0]
    assert acknowledged == [topic for topic in topics if topic not in heard]
    assert own.passed_by == len(acknowledged) > 0


def test_shards_take_in_each_block_and_event_once_between_them(new_store: OpenStore) -> None:
    bus, clock = InProcessBus(), SystemClock()
    stores = [new_store(f"shard-{number}.db") for number in range(3)]
    gateways = [f"gw-{number}" for number in range(12)]
    with ExitStack() as running:
        for number, store in enumerate(stores):
            own = OwnBus(bus, Shard(number, 3))
            for intake in (
                Ingest(store, own, "straat", clock),
                EventIntake(store, own, "straat", clock),
            ):
                intake.start()
                running.callback(intake.stop)
        told = [encode_event(Event(EventKind.METER_SWAPPED, "p1", NOON_S, "silent"))] * 2
        for gateway in gateways:
            for sent in (minutes(gateway, 1), minutes(gateway, 2)):
                topic = Address("straat", gateway, Lane.BLOCK, "p1").topic
                bus.publish(topic, encode_block(sent))
            for event in told:
                bus.publish(Address("straat", gateway, Lane.EVENT).topic, event)
        record = UnionStore(stores)
        give_up = threading_bound()
        while record.counts().blocks < 24 or len(record.events(gateways, 5)) < 12:
            give_up()

    assert record.counts() == Counts(24 * 10 + 12 * 13, 240, 24, 0, 0)
    assert [gateways_in(store) for store in stores] == [
        {gateway for gateway in gateways if owner_of(gateway, 3) == number} for number in range(3)
    ]
    assert record.event_counts() == {EventKind.METER_SWAPPED: 12}


def threading_bound(seconds: float = 60.0) -> Callable[[], None]:
    """Return what waits a moment, and fails when it was called for too long."""
    until_s = time.monotonic() + seconds

    def wait() -> None:
        assert time.monotonic() < until_s, "nothing comes any more"
        time.sleep(0.005)

    return wait


def test_a_record_with_gateways_of_others_is_refused(new_store: OpenStore) -> None:
    store = new_store("shard-0.db")
    for number in range(8):
        take_in(store, minutes(f"gw-{number}", 1))

    Shard(0, 1).refuse_strangers(store)
    with pytest.raises(StrangersError, match="kwartier shards move") as refused:
        Shard(0, 2).refuse_strangers(store)

    assert refused.value.strangers == sum(owner_of(f"gw-{n}", 2) == 1 for n in range(8))


def test_a_gateway_goes_on_in_its_new_record_as_if_it_had_never_moved(
    new_store: OpenStore,
) -> None:
    alone, old, new = new_store("alone.db"), new_store("old.db"), new_store("new.db")
    for seq in range(1, 10):
        take_in(alone, minutes("gw-1", seq), minutes("gw-2", seq))
    for seq in range(1, 6):
        take_in(old, minutes("gw-1", seq), minutes("gw-2", seq))
    old.merge(NOON_S + 1800)

    moved = hand_over("gw-1", old, new)
    for seq in range(6, 10):
        take_in(new, minutes("gw-1", seq))
        take_in(old, minutes("gw-2", seq))

    assert moved == Moved(gateways=1, streams=1, quarters=4, hours=5, points=50 + 33)
    assert all_told(new, "gw-1") == all_told(alone, "gw-1")
    assert all_told(old, "gw-1") == [[], [], []]
    assert all_told(old, "gw-2") == all_told(alone, "gw-2")
    assert UnionStore([old, new]).counts() == alone.counts()
    assert old.integrity() == new.integrity() == []
    assert rolled(new, "gw-1") == rolled(alone, "gw-1") != []
    assert rolled(old, "gw-1") == []


def test_the_new_record_asks_for_the_very_next_block(new_store: OpenStore) -> None:
    old, new = new_store("old.db"), new_store("new.db")
    for seq in range(1, 6):
        take_in(old, minutes("gw-1", seq))
    hand_over("gw-1", old, new)
    topic = Address("straat", "gw-1", Lane.BLOCK, "p1").topic
    sent = [
        opened(topic, encode_block(minutes("gw-1", seq)), Envelope("one", seq, 1).properties())
        for seq in (5, 6)
    ]

    with new.intake() as intake:
        tally = Receiver(new.generation).take_in(
            intake, [parcel for parcel in sent if parcel is not None], RECEIVED_S
        )

    assert (tally.again, tally.taken) == (1, 1)
    assert [ack.upto for _, ack in tally.acks] == [6]


def test_a_hand_over_that_was_cut_off_is_run_again(new_store: OpenStore, tmp_path: Path) -> None:
    old, new, alone = new_store("old.db"), new_store("new.db"), new_store("alone.db")
    for seq in range(1, 8):
        take_in(old, minutes("gw-1", seq))
        take_in(alone, minutes("gw-1", seq))
    old.merge(NOON_S + 3600)
    old.copy_to(tmp_path / "before.db")
    hand_over("gw-1", old, new)
    before = new_store("before.db")  # the old record, as a cut before its own commit leaves it

    assert all_told(UnionStore([before, new]), "gw-1") == all_told(alone, "gw-1")
    moved = hand_over("gw-1", before, new)

    assert moved.points == 0
    assert all_told(new, "gw-1") == all_told(alone, "gw-1")
    assert new.counts().points == alone.counts().points
    assert before.counts().points == 0
    assert new.integrity() == []
    assert rolled(new, "gw-1") == rolled(alone, "gw-1")


def test_what_a_forgotten_move_scattered_comes_together(new_store: OpenStore) -> None:
    # The new shard was started without a hand-over: the gateway sent again what it still had.
    old, new, alone = new_store("old.db"), new_store("new.db"), new_store("alone.db")
    for seq in range(1, 13):
        take_in(alone, minutes("gw-1", seq))
    for seq in range(1, 8):
        take_in(old, minutes("gw-1", seq))
    old.merge(NOON_S + 3600)
    with new.intake() as intake:
        for seq in range(4, 13):
            intake.add(minutes("gw-1", seq), b"", RECEIVED_S)
        intake.advance("gw-1", "one", 12)

    both = UnionStore([old, new])
    hand_over("gw-1", old, new)

    assert all_told(both, "gw-1") == all_told(alone, "gw-1")
    assert all_told(new, "gw-1") == all_told(alone, "gw-1")
    assert new.integrity() == []
    assert rolled(new, "gw-1") == rolled(alone, "gw-1")


@pytest.mark.parametrize("seed", range(3))
def test_moving_back_and_forth_changes_nothing(new_store: OpenStore, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a run must be repeatable
    alone, stores = new_store("alone.db"), [new_store("a.db"), new_store("b.db"), new_store("c.db")]
    place = 0
    for seq in range(1, 30):
        sent = minutes("gw-1", seq, step=draw.randint(0, 50) * seq)
        take_in(alone, sent)
        with SqliteStoreAnew(stores, place) as store:
            take_in(store, sent)
        if draw.random() < 0.3:
            goal = draw.choice([other for other in range(3) if other != place])
            hand_over("gw-1", stores[place], stores[goal])
            place = goal
        if draw.random() < 0.3:
            stores[place].merge(NOON_S + STEP_S * ROWS * seq)

    assert all_told(UnionStore(stores), "gw-1") == all_told(alone, "gw-1")
    assert UnionStore(stores).counts().points == alone.counts().points
    assert rolled(stores[place], "gw-1") == rolled(alone, "gw-1")


class SqliteStoreAnew:
    """A record as a collector has it that was just started: nothing remembered from before."""

    def __init__(self, stores: list[SqliteStore], place: int) -> None:
        self._stores, self._place = stores, place

    def __enter__(self) -> SqliteStore:
        store = self._stores[self._place]
        store.close()
        self._stores[self._place] = SqliteStore(store.path)
        return self._stores[self._place]

    def __exit__(self, *_: object) -> None:
        return None


def test_the_command_moves_every_gateway_to_its_shard_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateways = [f"gw-{number}" for number in range(9)]
    records = [tmp_path / f"shard-{number}.db" for number in range(3)]
    with SqliteStore(records[0]) as store:
        for gateway in gateways:
            take_in(store, minutes(gateway, 1), minutes(gateway, 2))
        told = all_told(store, *gateways)
    shares = [sum(owner_of(gateway, 3) == number for gateway in gateways) for number in range(3)]
    names = [str(path) for path in records]

    assert main(["shards", "move", "--check", *names]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert main(["shards", "move", *names]) == 0
    moved = json.loads(capsys.readouterr().out)
    record = open_records(records)
    apart = all_told(record, *gateways)
    record.close()
    assert main(["shards", "move", "--of", "1", *names]) == 0
    back = json.loads(capsys.readouterr().out)

    assert checked == {"shards": 3, "would_move": 9 - shares[0], "gateways": [9, 0, 0]}
    assert moved["gateways"] == shares
    assert moved["moved"]["gateways"] == 9 - shares[0] > 0
    assert apart == told
    assert back["gateways"] == [9, 0, 0]
    with SqliteStore(records[0], read_only=True) as store:
        assert all_told(store, *gateways) == told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.db", "b.db", "--of", "3"], "name a record for each shard"),
        (["a.db", "a.db"], "named twice"),
    ],
)
def test_the_command_says_what_it_cannot_do(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    named = [str(tmp_path / word) if word.endswith(".db") else word for word in words]

    assert main(["shards", "move", *named]) == 1
    assert said in capsys.readouterr().err


def test_a_record_that_a_collector_writes_is_not_moved(
    new_store: OpenStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_store("shard-0.db")

    assert main(["shards", "move", str(tmp_path / "shard-0.db"), str(tmp_path / "b.db")]) == 1
    assert "another process writes this record" in capsys.readouterr().err


def test_a_record_that_is_away_is_no_silent_part_of_the_answer(
    new_store: OpenStore, tmp_path: Path
) -> None:
    new_store("a.db")

    with pytest.raises(StoreBusyError, match=r"b\.db: there is no record yet"):
        open_records([tmp_path / "a.db", tmp_path / "b.db"])
    with pytest.raises(SettingsError, match="each of them once"):
        open_records([tmp_path / "a.db", tmp_path / "a.db"])


def test_one_record_is_read_as_it_is(new_store: OpenStore, tmp_path: Path) -> None:
    new_store("a.db")
    record = open_records([tmp_path / "a.db"])

    assert isinstance(record, SqliteStore)
    record.close()


def test_of_two_tellings_of_a_quarter_the_better_known_one_counts(new_store: OpenStore) -> None:
    whole, part = new_store("whole.db"), new_store("part.db")
    take_in(whole, *(minutes("gw-1", seq) for seq in range(1, 7)))
    take_in(part, minutes("gw-1", 1), minutes("gw-1", 6))

    told = UnionStore([part, whole]).quarters({"import_wh"}, *EVER)

    # Ten rows are ten minutes of 7 Wh each: 105 Wh a quarter, all measured where all was read.
    assert [(quarter.start_s - NOON_S, quarter.energy_wh) for quarter in told] == [
        (n * QUARTER_S, 105) for n in range(3)
    ]
    assert told == whole.quarters({"import_wh"}, *EVER)
    assert all(isinstance(quarter, QuarterEnergy) for quarter in told)
