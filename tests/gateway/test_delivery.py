"""The sender: in order, within its window, and back to the first block that is owed."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.keep.delivery import Pace, Sender
from kwartier.wire import Ack

PACE = Pace(window=40, resend_s=5.0, resend_most_s=30.0, gap_pause_s=1.0, spread_s=30.0)


def fixed(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 - a test must be repeatable


def sender(
    *, last: int = 100, upto: int = 0, oldest: int = 1, unproven: int = 0, store_gen: str = ""
) -> Sender:
    made = Sender(
        "e1",
        oldest=oldest,
        last=last,
        unproven=unproven,
        upto=upto,
        store_gen=store_gen,
        pace=PACE,
        random=fixed(),
    )
    made.link(0.0, up=True)
    return made


def ack(upto: int, *, gap: bool = False, store_gen: str = "a", rate_per_s: int = 0) -> Ack:
    return Ack(store_gen, "e1", upto, gap, rate_per_s)


def test_without_a_link_nothing_is_sent() -> None:
    waiting = Sender(
        "e1", oldest=1, last=9, unproven=0, upto=0, store_gen="", pace=PACE, random=fixed()
    )

    assert waiting.due(0.0) == range(0)
    assert waiting.deadline_s() is None


def test_a_window_is_sent_in_order_and_then_the_sender_waits() -> None:
    sending = sender()

    assert sending.due(0.0) == range(1, 41)
    assert not sending.due(0.1)
    assert sending.deadline_s() == 5.0


def test_an_acknowledgement_moves_the_window() -> None:
    sending = sender()
    sending.due(0.0)

    sending.acknowledged(ack(10), 1.0)

    assert sending.due(1.0) == range(41, 51)
    assert sending.upto == 10


def test_a_new_block_is_sent_at_once() -> None:
    sending = sender(last=2, upto=2, store_gen="a")
    assert not sending.due(0.0)

    sending.appended(oldest=1, last=3)

    assert sending.deadline_s() is not None
    assert sending.due(7.0) == range(3, 4)
    assert sending.deadline_s() == 12.0


def test_a_gap_sends_again_from_the_first_that_is_missing_but_once_a_second() -> None:
    sending = sender()
    sending.due(0.0)
    sending.acknowledged(ack(4, gap=True), 0.2)

    assert sending.due(0.2) == range(5, 45)
    sending.acknowledged(ack(4, gap=True), 0.9)
    assert not sending.due(0.9)
    sending.acknowledged(ack(4, gap=True), 1.3)
    assert sending.due(1.3) == range(5, 45)


def test_without_progress_the_first_goes_again_after_five_then_ten_then_thirty_seconds() -> None:
    sending = sender(last=3)
    sent_at = []
    now_s = 0.0
    for attempt in range(5):
        assert sending.due(now_s) == (range(1, 2) if attempt else range(1, 4))
        sent_at.append(now_s)
        deadline_s = sending.deadline_s()
        assert deadline_s is not None
        now_s = deadline_s

    assert sent_at == [0.0, 5.0, 15.0, 35.0, 65.0]
    assert sending.resent == 3 + 1 + 1 + 1


def test_after_a_silence_an_answer_opens_the_whole_window_again() -> None:
    sending = sender()
    sending.due(0.0)
    assert sending.due(5.0) == range(1, 2)

    sending.acknowledged(ack(3), 6.0)

    assert sending.due(6.0) == range(4, 44)


def test_progress_makes_the_sender_patient_for_five_seconds_again() -> None:
    sending = sender()
    sending.due(0.0)
    sending.due(5.0)

    sending.acknowledged(ack(1), 6.0)
    sending.due(6.0)

    assert sending.deadline_s() == 11.0


def test_a_lower_watermark_of_the_same_record_is_old_news() -> None:
    sending = sender()
    sending.due(0.0)
    sending.acknowledged(ack(20), 1.0)

    sending.acknowledged(ack(5, gap=True), 1.1)

    assert sending.upto == 20


def test_a_lower_watermark_of_another_record_is_the_truth() -> None:
    sending = sender(upto=50, store_gen="a")
    sending.due(0.0)

    sending.acknowledged(ack(7, store_gen="b"), 1.0)

    assert (sending.upto, sending.store_gen) == (7, "b")
    assert sending.due(1.0) == range(8, 48)


def test_what_another_record_lacks_and_nobody_has_is_left_out() -> None:
    sending = sender(upto=50, oldest=30, store_gen="a")

    sending.acknowledged(ack(7, store_gen="b"), 1.0)

    assert sending.due(1.0) == range(30, 70)


def test_an_acknowledgement_of_another_epoch_changes_nothing() -> None:
    sending = sender()

    assert sending.acknowledged(Ack("a", "e0", 99), 1.0)

    assert sending.upto == 0


def test_an_acknowledgement_of_blocks_never_written_shows_an_old_outbox() -> None:
    assert not sender(last=10).acknowledged(ack(11), 1.0)


def test_after_a_lost_link_the_sender_waits_a_random_part_of_thirty_seconds() -> None:
    waits = set()
    for seed in range(50):
        sending = Sender(
            "e1", oldest=1, last=9, unproven=0, upto=0, store_gen="", pace=PACE, random=fixed(seed)
        )
        sending.link(0.0, up=True)
        sending.due(0.0)
        sending.link(10.0, up=False)
        sending.link(100.0, up=True)
        deadline_s = sending.deadline_s()
        assert deadline_s is not None
        assert 100.0 <= deadline_s <= 130.0
        assert sending.due(deadline_s) == range(1, 10)
        waits.add(deadline_s)

    assert len(waits) == 50


def test_an_opened_outbox_sends_what_it_had_before_and_no_more_until_it_is_answered() -> None:
    sending = sender(last=30, unproven=20, upto=15, store_gen="a")

    assert sending.due(0.0) == range(16, 21)
    assert sending.acknowledged(ack(18), 1.0)
    assert sending.due(1.0) == range(21, 31)


def test_an_opened_outbox_that_owes_nothing_sends_its_last_block_as_a_question() -> None:
    sending = sender(last=30, unproven=20, upto=20, store_gen="a")

    assert sending.due(0.0) == range(20, 21)
    assert not sending.due(4.9)
    assert sending.deadline_s() == 5.0
    assert sending.due(5.0) == range(20, 21)
    assert sending.acknowledged(ack(20), 6.0)
    assert sending.due(6.0) == range(21, 31)


def test_a_retained_acknowledgement_may_be_old_and_proves_nothing() -> None:
    sending = sender(last=30, unproven=20, upto=20, store_gen="a")

    assert sending.acknowledged(ack(20), 0.0, retained=True)

    assert sending.due(0.0) == range(20, 21)
    assert not sending.is_proven


def test_an_answer_beyond_the_opening_shows_an_old_copy() -> None:
    sending = sender(last=30, unproven=20, upto=20, store_gen="a")

    assert not sending.acknowledged(ack(25), 1.0)


def test_a_granted_rate_is_kept() -> None:
    sending = sender(last=1000)
    sending.acknowledged(ack(0, rate_per_s=10), 0.0)
    sent = 0
    for tick in range(101):
        blocks = sending.due(tick / 10)
        sent += len(blocks)
        if blocks:
            sending.acknowledged(ack(blocks[-1], rate_per_s=10), tick / 10)

    assert 100 <= sent <= 140


events = st.one_of(
    st.tuples(st.just("ack"), st.integers(0, 60), st.booleans(), st.sampled_from("ab")),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("append"), st.integers(0, 5)),
)


@given(st.lists(st.tuples(st.floats(0, 20), events), max_size=60), st.integers(0, 20))
def test_whatever_is_heard_blocks_go_out_in_order_and_within_the_window(
    history: list[tuple[float, tuple[object, ...]]], last: int
) -> None:
    sending = sender(last=last)
    now_s = 0.0
    for wait_s, event in history:
        now_s += wait_s
        match event:
            case ("ack", int(upto), bool(gap), str(store_gen)):
                sending.acknowledged(ack(upto, gap=gap, store_gen=store_gen), now_s)
            case ("link", bool(up)):
                sending.link(now_s, up=up)
            case ("append", int(count)):
                last += count
                sending.appended(1, last)
        blocks = sending.due(now_s)
        assert not blocks or sending.upto < blocks[0] <= blocks[-1] <= min(last, sending.upto + 40)
        assert blocks.step == 1
