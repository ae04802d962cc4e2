"""Handing a home over: the signed record, and whether its batteries may be steered."""

from __future__ import annotations

from gateway.commission.book import Book, Mark, Outcome, Step
from gateway.commission.commissioned import FILE, is_commissioned, write_commissioned
from gateway.commission.record import may_steer, record_of
from gateway.enrol.identity import Identity
from gateway.enrol.office import HANDOVER, queue_handover
from kwartier.clock import Clock
from kwartier.packing import Json


def hand_over(book: Book, identity: Identity, clock: Clock) -> None:
    """Make the handover of what there is now; an enrolled gateway queues it for the server.

    Raises:
        IdentityWriteError: The disk takes nothing.
    """
    at_s = int(clock.now_s())
    record = record_of(book, identity, clock.now_s())
    signed = identity.signed(HANDOVER, record, at_s)
    if identity.enrolled() is not None:
        queue_handover(identity, record, clock)
    facts: dict[str, Json] = {"record": record, "signed": signed}
    book.put(Step.HANDOVER, Outcome(Mark.GOOD, at_s, facts))


def keep_passed(book: Book, identity: Identity, clock: Clock) -> bool:
    """Keep for the gateway whether it may steer, and return whether that changed.

    It may when signs and live test passed, the resident agreed, and the board allows it.

    Raises:
        IdentityWriteError: The disk takes nothing; what was kept before still holds.
    """
    enrolled = identity.enrolled()
    passed = enrolled is not None and enrolled.steering_allowed and may_steer(book)
    if passed is is_commissioned(identity.folder / FILE):
        return False
    write_commissioned(identity.folder, passed=passed, at_s=int(clock.now_s()))
    return True
