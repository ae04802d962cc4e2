"""Blocks: closed by size, age, a new meter and a new quarter, and nothing falls between two."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.keep.blocks import Draft, Gatherer, Shape
from gateway.keep.thinning import STEPS_S, thinned
from kwartier.interval import QUARTER_S
from kwartier.reading import ClockSource, Reading
from kwartier.wire import block_of

T0 = 1_767_225_600


def reading(
    at_s: int, meter: str = "E1", device: str = "p1", clock: ClockSource = ClockSource.METER
) -> Reading:
    return Reading(device, meter, at_s, {"import_wh": at_s - T0}, clock)


def instants(drafts: list[Draft]) -> list[list[int]]:
    return [[row.at_s - T0 for row in draft.readings] for draft in drafts]


def test_a_block_closes_at_its_last_row() -> None:
    gatherer = Gatherer(Shape(rows=3))

    assert gatherer.add(reading(T0), 0.0) == []
    assert gatherer.add(reading(T0 + 1), 1.0) == []
    assert instants(gatherer.add(reading(T0 + 2), 2.0)) == [[0, 1, 2]]


def test_a_block_closes_at_its_age() -> None:
    gatherer = Gatherer(Shape(age_s=60.0))
    gatherer.add(reading(T0), 100.0)
    gatherer.add(reading(T0 + 10), 110.0)

    assert gatherer.deadline_s() == 160.0
    assert gatherer.due(159.9) == []
    assert instants(gatherer.due(160.0)) == [[0, 10]]
    assert gatherer.deadline_s() is None


def test_a_new_meter_closes_the_block_of_the_old_one() -> None:
    gatherer = Gatherer()
    gatherer.add(reading(T0, meter="old"), 0.0)

    (draft,) = gatherer.add(reading(T0 + 1, meter="new"), 1.0)

    assert [row.meter for row in draft.readings] == ["old"]
    assert [row.meter for row in gatherer.rest()[0].readings] == ["new"]


def test_another_clock_closes_the_block() -> None:
    gatherer = Gatherer()
    gatherer.add(reading(T0), 0.0)

    drafts = gatherer.add(reading(T0 + 1, clock=ClockSource.GATEWAY), 1.0)

    assert instants(drafts) == [[0]]


def test_the_first_reading_of_a_quarter_is_sent_at_once_with_those_before_it() -> None:
    gatherer = Gatherer()
    gatherer.add(reading(T0 + 890), 0.0)

    assert instants(gatherer.add(reading(T0 + 900), 10.0)) == [[890, 900]]
    assert gatherer.add(reading(T0 + 910), 20.0) == []


def test_each_device_has_a_block_of_its_own() -> None:
    gatherer = Gatherer(Shape(rows=2))
    gatherer.add(reading(T0, device="p1"), 0.0)
    gatherer.add(reading(T0, device="solar"), 0.0)

    (draft,) = gatherer.add(reading(T0 + 1, device="p1"), 1.0)

    assert {row.device for row in draft.readings} == {"p1"}


def test_an_instant_that_comes_again_is_left_out_and_counted() -> None:
    gatherer = Gatherer()
    gatherer.add(reading(T0), 0.0)

    assert gatherer.add(reading(T0), 1.0) == []
    assert gatherer.repeated == 1
    assert instants(gatherer.rest()) == [[0]]


def test_a_clock_that_goes_back_begins_a_new_block() -> None:
    gatherer = Gatherer()
    gatherer.add(reading(T0 + 100), 0.0)

    assert instants(gatherer.add(reading(T0 + 50), 1.0)) == [[100]]
    assert instants(gatherer.rest()) == [[50]]


def test_dropped_telegrams_are_told_once_with_the_next_block_of_their_device() -> None:
    gatherer = Gatherer(Shape(rows=1))
    gatherer.crc_failed("p1")
    gatherer.crc_failed("p1", 2)

    (other,) = gatherer.add(reading(T0, device="solar"), 0.0)
    (first,) = gatherer.add(reading(T0), 0.0)
    (second,) = gatherer.add(reading(T0 + 1), 1.0)

    assert (other.crc_failures, first.crc_failures, second.crc_failures) == (0, 3, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p1", "solar"]),
            st.sampled_from(["E1", "E2"]),
            st.integers(0, 4000),
            st.floats(0, 100),
        ),
        max_size=60,
    )
)
def test_every_reading_is_in_one_block_and_each_block_rises(
    told: list[tuple[str, str, int, float]],
) -> None:
    gatherer = Gatherer(Shape(rows=5, age_s=60.0))
    drafts: list[Draft] = []
    now_s = 0.0
    for device, meter, offset, wait_s in told:
        now_s += wait_s
        drafts += gatherer.due(now_s)
        drafts += gatherer.add(reading(T0 + offset, meter, device), now_s)
    drafts += gatherer.rest()

    assert sum(len(draft.readings) for draft in drafts) + gatherer.repeated == len(told)
    for draft in drafts:
        at_s = [row.at_s for row in draft.readings]
        assert at_s == sorted(set(at_s))
        assert len(at_s) <= 5
        assert len({(row.device, row.meter, row.clock) for row in draft.readings}) == 1


@given(st.sets(st.integers(0, 3 * QUARTER_S), min_size=1, max_size=200), st.sampled_from(STEPS_S))
def test_thinning_keeps_the_first_of_each_quarter_and_the_last_of_all(
    offsets: set[int], step_s: int
) -> None:
    at_s = sorted(T0 + offset for offset in offsets)
    block = block_of([reading(at) for at in at_s], "gw-1", "e1", 1)

    less = thinned(block, step_s)

    firsts = {min(at for at in at_s if at // QUARTER_S == number) for number in
              {at // QUARTER_S for at in at_s}}  # fmt: skip
    assert firsts <= set(less.at_s)
    assert less.at_s[-1] == at_s[-1]
    assert set(less.readings()[0].values) == {"import_wh"}
    assert all(row in block.readings() for row in less.readings())
    assert len(less.at_s) <= len({at // step_s for at in at_s}) + 1
