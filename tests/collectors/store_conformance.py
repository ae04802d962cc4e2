"""What every store promises, as one suite; a class per store names the store and inherits it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.store import Counts, DeadLetter, DeviceKey, Latest, Quality, QuarterEnergy, Store
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S
from kwartier.reading import ClockSource
from kwartier.wire import Block, encode_block
from tests.collectors.blocks import HOME, NOON_S, RECEIVED_S, block, registers, take_in

NewStore = Callable[[], Store]
NEIGHBOUR = DeviceKey("gw-2", "p1")
EVER = (0, 2**33)


class TurnedBackError(KwartierError):
    """Stands for any error that leaves an open transaction."""


def quarter(after: int, energy_wh: int, quality: Quality = Quality.MEASURED) -> QuarterEnergy:
    return QuarterEnergy(HOME, "import_wh", NOON_S + after * QUARTER_S, energy_wh, quality)


class StorePromises:
    """Inherited by a class whose ``new_store`` fixture makes an empty store each time."""

    def test_a_new_store_is_empty(self, new_store: NewStore) -> None:
        store = new_store()

        assert store.counts() == Counts(0, 0, 0, 0, 0)
        assert store.latest() == []
        assert store.quarters({"import_wh"}, *EVER) == []
        assert store.points(HOME, "import_wh", *EVER) == []
        assert store.dead_letters() == []

    def test_two_stores_live_different_lives(self, new_store: NewStore) -> None:
        assert new_store().generation != new_store().generation

    def test_points_come_back_in_order_of_time(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (600, 5), (601, 6)), registers(2, (0, 1), (1, 3)))

        assert store.points(HOME, "import_wh", *EVER) == [
            (NOON_S, 1),
            (NOON_S + 1, 3),
            (NOON_S + 600, 5),
            (NOON_S + 601, 6),
        ]

    def test_the_end_of_a_window_is_not_in_it(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (0, 1), (10, 2), (20, 3)))

        assert store.points(HOME, "import_wh", NOON_S, NOON_S + 20) == [
            (NOON_S, 1),
            (NOON_S + 10, 2),
        ]

    def test_what_a_device_did_not_say_is_absent(self, new_store: NewStore) -> None:
        store = new_store()
        at_s = [NOON_S, NOON_S + 1, NOON_S + 2]

        take_in(store, block(1, at_s, {"import_w": [None, 0, None], "export_w": [7, None, 8]}))

        assert store.points(HOME, "import_w", *EVER) == [(NOON_S + 1, 0)]
        assert store.points(HOME, "export_w", *EVER) == [(NOON_S, 7), (NOON_S + 2, 8)]
        assert store.counts().points == 3

    @pytest.mark.parametrize("value", [0, -1, 127, 128, -129, 32_768, 2**31, 2**53, -(2**53)])
    def test_a_value_of_any_size_comes_back_as_it_was(
        self, new_store: NewStore, value: int
    ) -> None:
        store = new_store()

        take_in(store, block(1, [NOON_S, NOON_S + 1], {"battery_w": [0, value]}))

        assert store.points(HOME, "battery_w", *EVER) == [(NOON_S, 0), (NOON_S + 1, value)]

    def test_the_newest_value_of_each_series_is_told(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(
            store,
            block(1, [NOON_S, NOON_S + 1], {"import_w": [5, None], "import_wh": [1, 2]}),
            block(1, [NOON_S - 9], {"import_w": [3]}, epoch="late"),
            block(1, [NOON_S], {"import_w": [8]}, key=NEIGHBOUR),
        )

        at_home = [
            Latest(HOME, "E0001", "import_w", NOON_S, 5),
            Latest(HOME, "E0001", "import_wh", NOON_S + 1, 2),
        ]
        assert store.latest([HOME]) == at_home
        assert store.latest() == [*at_home, Latest(NEIGHBOUR, "E0001", "import_w", NOON_S, 8)]
        assert store.latest([]) == []

    def test_after_a_swap_the_newest_value_is_the_new_meters(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (0, 9000), meter="E0002"), registers(2, (60, 4), meter="E0001"))

        assert store.latest() == [Latest(HOME, "E0001", "import_wh", NOON_S + 60, 4)]

    def test_a_point_that_comes_again_the_same_is_nothing(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (0, 5), (1, 6)), registers(2, (1, 6), (2, 7)))

        counts = store.counts()
        assert (counts.points, counts.readings, counts.conflicts) == (3, 4, 0)

    def test_a_point_that_comes_again_otherwise_is_counted_and_the_first_stays(
        self, new_store: NewStore
    ) -> None:
        store = new_store()
        take_in(store, registers(1, (0, 100), (900, 200)))

        take_in(store, registers(2, (0, 150), (450, 175), (900, 250)))

        assert store.points(HOME, "import_wh", *EVER) == [
            (NOON_S, 100),
            (NOON_S + 450, 175),
            (NOON_S + 900, 200),
        ]
        assert store.counts().conflicts == 2
        assert store.quarters({"import_wh"}, *EVER) == [quarter(0, 100)]

    def test_one_instant_twice_in_a_block_is_stored_once(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (1, 6), (0, 5), (1, 7), (0, 5)))

        assert store.points(HOME, "import_wh", *EVER) == [(NOON_S, 5), (NOON_S + 1, 6)]
        assert store.counts() == Counts(2, 4, 1, 0, 1)

    def test_a_block_that_comes_ten_times_counts_once(self, new_store: NewStore) -> None:
        store = new_store()

        for _ in range(10):
            take_in(store, registers(1, (0, 100), (900, 200)))

        assert store.counts() == Counts(2, 2, 1, 0, 0)
        assert store.quarters({"import_wh"}, *EVER) == [quarter(0, 100)]

    def test_a_block_twice_in_one_transaction_counts_once(self, new_store: NewStore) -> None:
        store = new_store()

        with store.intake() as intake:
            for _ in range(2):
                intake.add(registers(7, (0, 1)), encode_block(registers(7, (0, 1))), RECEIVED_S)

        assert store.counts() == Counts(1, 1, 1, 0, 0)

    def test_a_block_is_stored_whether_the_watermark_rises_before_or_after_it(
        self, new_store: NewStore
    ) -> None:
        store = new_store()

        with store.intake() as intake:
            intake.advance("gw-1", "one", 1)
            intake.add(registers(1, (0, 1)), encode_block(registers(1, (0, 1))), RECEIVED_S)

        assert store.counts() == Counts(1, 1, 1, 0, 0)

    def test_the_watermark_rises_with_the_blocks_and_never_falls(self, new_store: NewStore) -> None:
        store = new_store()

        with store.intake() as intake:
            before = intake.watermark("gw-1", "one")
            intake.advance("gw-1", "one", 5)
            intake.advance("gw-1", "one", 3)
            after = intake.watermark("gw-1", "one")

        assert (before, after) == (0, 5)
        with store.intake() as intake:
            assert intake.watermark("gw-1", "one") == 5
            assert intake.watermark("gw-1", "two") == 0
            assert intake.watermark("gw-2", "one") == 0

    def test_an_error_undoes_the_whole_transaction(self, new_store: NewStore) -> None:
        store = new_store()

        with pytest.raises(TurnedBackError):
            _take_in_and_turn_back(store)

        assert store.counts() == Counts(0, 0, 0, 0, 0)
        assert store.latest() == []
        assert store.dead_letters() == []
        take_in(store, registers(1, (0, 100), (900, 200)))
        assert store.counts() == Counts(2, 2, 1, 0, 0)
        assert store.quarters({"import_wh"}, *EVER) == [quarter(0, 100)]

    def test_a_dead_letter_is_kept_whole_and_once(self, new_store: NewStore) -> None:
        store = new_store()
        letter = DeadLetter("gw-1", "one", 3, RECEIVED_S, "row without an instant", b"\x00{")

        for _ in range(2):
            with store.intake() as intake:
                intake.set_aside(letter)

        assert store.dead_letters() == [letter]
        assert store.counts() == Counts(0, 0, 0, 1, 0)

    def test_dead_letters_without_a_number_are_told_apart_by_what_they_hold(
        self, new_store: NewStore
    ) -> None:
        store = new_store()

        with store.intake() as intake:
            for payload in (b"a", b"b", b"a"):
                intake.set_aside(DeadLetter("gw-1", "", 0, RECEIVED_S, "no JSON", payload))

        assert {letter.payload for letter in store.dead_letters()} == {b"a", b"b"}
        assert store.counts().dead_letters == 2

    def test_the_newest_dead_letters_come_first(self, new_store: NewStore) -> None:
        store = new_store()

        with store.intake() as intake:
            for seq in (1, 2, 3):
                intake.set_aside(DeadLetter("gw-1", "one", seq, RECEIVED_S, "no JSON", b"{"))

        assert [letter.seq for letter in store.dead_letters(limit=2)] == [3, 2]

    def test_a_reading_of_a_clock_nobody_checked_makes_no_quarter(
        self, new_store: NewStore
    ) -> None:
        store = new_store()
        at_s = [NOON_S, NOON_S + 900]

        take_in(store, block(1, at_s, {"import_wh": [1, 5]}, clock=ClockSource.UNSURE))

        assert len(store.points(HOME, "import_wh", *EVER)) == 2
        assert store.quarters({"import_wh"}, *EVER) == []

    def test_power_makes_no_quarter(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, block(1, [NOON_S, NOON_S + 900], {"import_w": [1, 5]}))

        assert store.quarters({"import_w", "import_wh"}, *EVER) == []

    def test_quarters_come_in_order_of_key_name_and_time(self, new_store: NewStore) -> None:
        store = new_store()
        at_s = [NOON_S, NOON_S + 900, NOON_S + 1800]
        columns = {"import_wh": [0, 1, 3], "export_wh": [0, 5, 5]}

        take_in(store, block(1, at_s, columns, key=NEIGHBOUR), block(1, at_s, columns))

        asked = {"import_wh", "export_wh"}
        told = [(q.key, q.name, q.start_s, q.energy_wh) for q in store.quarters(asked, *EVER)]
        assert told == [
            (key, name, NOON_S + 900 * place, energy_wh)
            for key in (HOME, NEIGHBOUR)
            for name, energies in (("export_wh", (5, 0)), ("import_wh", (1, 2)))
            for place, energy_wh in enumerate(energies)
        ]
        assert len(store.quarters({"import_wh"}, *EVER, [NEIGHBOUR])) == 2
        assert store.quarters(asked, NOON_S + 900, NOON_S + 1800, [HOME]) == [
            QuarterEnergy(HOME, "export_wh", NOON_S + 900, 0, Quality.MEASURED),
            QuarterEnergy(HOME, "import_wh", NOON_S + 900, 2, Quality.MEASURED),
        ]

    def test_a_gap_is_an_estimate_whose_sum_is_exact(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(store, registers(1, (0, 1000), (2700, 1010)))

        estimated = Quality.ESTIMATED
        assert store.quarters({"import_wh"}, *EVER) == [
            quarter(0, 3, estimated),
            quarter(1, 3, estimated),
            quarter(2, 4, estimated),
        ]
        assert store.quarters({"import_wh"}, NOON_S + 900, NOON_S + 1800) == [
            quarter(1, 3, estimated)
        ]

    def test_a_register_that_falls_is_counted_and_its_quarter_is_missing(
        self, new_store: NewStore
    ) -> None:
        store = new_store()
        readings = [(0, 900), (900, 950), (1800, 1000), (2700, 5), (3600, 15), (4500, 30)]

        take_in(store, registers(1, *readings))

        assert store.quarters({"import_wh"}, *EVER) == [quarter(0, 50), quarter(4, 15)]
        assert store.counts().steps_back == 1

    def test_old_and_new_meter_add_up_inside_one_quarter(self, new_store: NewStore) -> None:
        store = new_store()

        take_in(
            store,
            registers(1, (0, 5000), (300, 5040), meter="E0001"),
            registers(2, (600, 7), (900, 27), (1800, 100), meter="E0002"),
        )

        assert store.quarters({"import_wh"}, *EVER) == [quarter(0, 60), quarter(1, 73)]


class StoreLaws(StorePromises):
    """The promises, and laws over drawn streams; inherited in the same way."""

    @settings(max_examples=25, deadline=None)
    @given(data=st.data(), chance=st.randoms(use_true_random=False))
    def test_blocks_in_any_order_tell_the_same(
        self, new_store: NewStore, data: st.DataObject, chance: random.Random
    ) -> None:
        blocks = data.draw(_streams)
        shuffled = list(blocks)
        chance.shuffle(shuffled)
        in_order, out_of_order = new_store(), new_store()

        take_in(in_order, *blocks)
        for one in shuffled:
            take_in(out_of_order, one)

        assert _told(out_of_order) == _told(in_order)

    @settings(max_examples=25, deadline=None)
    @given(data=st.data(), window=st.tuples(st.integers(-3, 30), st.integers(0, 40)))
    def test_a_window_tells_what_the_whole_tells_of_it(
        self, new_store: NewStore, data: st.DataObject, window: tuple[int, int]
    ) -> None:
        store = new_store()
        start_s, end_s = (NOON_S + place * QUARTER_S for place in window)

        take_in(store, *data.draw(_streams))

        assert store.quarters({"import_wh"}, start_s, end_s) == [
            told for told in store.quarters({"import_wh"}, *EVER) if start_s <= told.start_s < end_s
        ]


def _take_in_and_turn_back(store: Store) -> None:
    with store.intake() as intake:
        intake.add(registers(1, (0, 100), (900, 200)), b"x", RECEIVED_S)
        intake.set_aside(DeadLetter("gw-1", "one", 2, RECEIVED_S, "no JSON", b"{"))
        intake.advance("gw-1", "one", 2)
        raise TurnedBackError


def _told(store: Store) -> tuple[object, ...]:
    points = store.points(HOME, "import_wh", *EVER)
    return store.counts(), store.latest(), store.quarters({"import_wh"}, *EVER), points


@st.composite
def _blocks(draw: st.DrawFn) -> list[Block]:
    """Draw the readings of a register or two, now and then stepping back, cut into blocks."""
    steps = draw(st.lists(st.tuples(_SECONDS, _RISES), min_size=1, max_size=60))
    at_s, register, blocks = NOON_S + draw(st.integers(0, 1000)), 1000, list[Block]()
    rows: list[tuple[int, int]] = []
    meter = "E0001"
    for seconds, rise in steps:
        at_s += seconds
        register += rise
        rows.append((at_s - NOON_S, register))
        if len(rows) == draw(st.integers(1, 6)) or len(rows) == 6:
            blocks.append(registers(len(blocks) + 1, *rows, meter=meter))
            rows = []
            meter = draw(st.sampled_from(["E0001"] * 9 + ["E0002"]))
    return blocks


_SECONDS = st.sampled_from([1, 10, 10, 60, 450, 900, 900, 3600])
_RISES = st.sampled_from([0, 1, 2, 5, 30, 30, 200, -7, -900])
_streams = _blocks()
