"""The inbox: bounded, in order, and a taker that waits for company but not for long."""

from __future__ import annotations

import threading

from collectors.inbox import Inbox
from kwartier.bus import Message

LONG_S = 60.0
"""Longer than a test may last: who waits it out has failed."""


def message(number: int) -> Message:
    return Message(f"nec/v1/straat/gw-{number}/blk/p1", b"")


def test_what_came_first_is_taken_first_and_no_more_than_asked_for() -> None:
    inbox = Inbox(5)
    messages = [message(number) for number in range(3)]
    assert all(map(inbox.put, messages))

    first, rest = inbox.take(2, LONG_S, LONG_S), inbox.take(2, 0.0, 0.0)

    assert (first, rest, len(inbox)) == (messages[:2], messages[2:], 0)


def test_what_does_not_fit_is_refused_until_there_is_room() -> None:
    inbox = Inbox(1)

    assert inbox.put(message(1))
    assert not inbox.put(message(2))
    assert inbox.take(1, 0.0, 0.0) == [message(1)]
    assert inbox.put(message(2))


def test_a_taker_gets_nothing_where_nothing_came() -> None:
    assert Inbox(1).take(1, 0.001, 0.001) == []


def test_a_taker_that_waits_has_its_batch_as_soon_as_it_is_full() -> None:
    inbox, batches = Inbox(10), list[list[Message]]()
    taker = threading.Thread(target=lambda: batches.append(inbox.take(3, LONG_S, LONG_S)))
    taker.start()

    for number in range(3):
        inbox.put(message(number))

    taker.join(LONG_S / 2)
    assert batches == [[message(0), message(1), message(2)]]


def test_a_taker_does_not_wait_for_company_that_stays_away() -> None:
    inbox = Inbox(10)
    inbox.put(message(1))

    assert inbox.take(3, LONG_S, 0.001) == [message(1)]
