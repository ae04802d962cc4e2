"""When to send which block: the sending half of the protocol, without clock, disk or network.

Blocks go out in order, at most a window of them beyond what the record is known to hold. Only the
collector's acknowledgement moves that watermark; that the broker took a message proves nothing.
The sender goes back to the first block that is owed when a gap is reported, when nothing moved for
some seconds, when the link was away, and when the record turns out to be another one. After some
seconds of silence it asks with one block only: forty more would not help a collector that is late.

An outbox that was opened, not made, may be an older copy put back, whose next numbers the record
knows with other readings. So until the record has answered a block written before the opening,
nothing written since is sent; an answer that reaches beyond the opening proves the copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from random import Random

from kwartier.wire import Ack


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how patiently blocks are sent.

    Attributes:
        window: The most blocks under way.
        resend_s: Without progress for so long, send again from the watermark [s].
        resend_most_s: The wait doubles up to this while nothing moves [s].
        gap_pause_s: Reports of one gap within this time count once [s].
        spread_s: After a lost link wait a random part of this, so that a street of gateways
            does not call at once [s].
    """

    window: int = 40
    resend_s: float = 5.0
    resend_most_s: float = 30.0
    gap_pause_s: float = 1.0
    spread_s: float = 30.0


class Sender:
    """Decides what to send; every event carries the monotonic count [s] at which it happened."""

    def __init__(
        self,
        epoch: str,
        *,
        oldest: int,
        last: int,
        unproven: int,
        upto: int,
        store_gen: str,
        pace: Pace,
        random: Random,
    ) -> None:
        """Begin where the outbox stands, without a link.

        Args:
            epoch: The outbox's life.
            oldest: The first block it still has.
            last: The last block it has.
            unproven: The last block it had when it was opened, while it may be an older copy;
                0 when it is none.
            upto: The last block known to be in the record.
            store_gen: The life of the record that said so; empty for none.
            pace: How to send.
            random: Where the wait after a lost link comes from.
        """
        self._epoch = epoch
        self._oldest = oldest
        self._last = last
        self._unproven = unproven
        self._asked_s = -inf
        self._upto = upto
        self._store_gen = store_gen
        self._pace = pace
        self._random = random
        self._up = False
        self._was_up = False
        self._next = self._base + 1
        self._not_before_s = 0.0
        self._moved_s = 0.0
        self._patience_s = pace.resend_s
        self._is_probing = False
        self._gap_at: tuple[int, float] | None = None
        self._rate_per_s = 0
        self._allowance = float(pace.window)
        self._counted_s = 0.0
        self.resent = 0
        """Blocks that went out again."""

    @property
    def upto(self) -> int:
        """The last block known to be in the record."""
        return self._upto

    @property
    def store_gen(self) -> str:
        """The life of the record that said so."""
        return self._store_gen

    @property
    def is_proven(self) -> bool:
        """Whether the record has shown that this outbox is no older copy."""
        return self._unproven == 0

    def appended(self, oldest: int, last: int) -> None:
        """Note what the outbox has now."""
        self._oldest, self._last = oldest, last
        self._next = max(self._next, self._base + 1)

    def link(self, now_s: float, *, up: bool) -> None:
        """Note that the link came or went; what was under way is sent again."""
        if up and not self._up:
            if self._was_up:
                self._not_before_s = now_s + self._random.uniform(0, self._pace.spread_s)
            self._go_back(now_s)
            self._patience_s = self._pace.resend_s
        self._was_up = self._was_up or up
        self._up = up

    def acknowledged(self, ack: Ack, now_s: float, *, retained: bool = False) -> bool:
        """Note what the record says it holds.

        Args:
            ack: What it says.
            now_s: When it was heard.
            retained: It was said before we asked, so that it may be old.

        Returns:
            False when it claims blocks that were never written: this outbox is older than the
            record, and its owner must begin a new epoch.
        """
        if ack.epoch != self._epoch:
            return True
        if ack.upto > (self._unproven or self._last):
            return False
        if not retained:
            self._unproven = 0
        replaced = self._store_gen not in {"", ack.store_gen}
        if ack.upto < self._upto and not replaced:
            return True
        self._store_gen = ack.store_gen
        if ack.rate_per_s and not self._rate_per_s:
            self._allowance, self._counted_s = 1.0, now_s
        self._rate_per_s = ack.rate_per_s
        if ack.upto > self._upto or replaced:
            self._upto = ack.upto
            self._next = max(self._next, self._base + 1)
            self._moved(now_s)
        if replaced or (ack.gap and self._is_news(ack.upto, now_s)):
            self._gap_at = (ack.upto, now_s)
            self._go_back(now_s)
        return True

    def due(self, now_s: float) -> range:
        """Return the blocks to send now, and count them as under way."""
        if not self._up or now_s < self._not_before_s:
            return range(0)
        if self._under_way and now_s >= self._moved_s + self._patience_s:
            self._patience_s = min(2 * self._patience_s, self._pace.resend_most_s)
            self._go_back(now_s)
            self._is_probing = True
        if self._must_ask:
            return self._question(now_s)
        end = min(self._sendable, self._next + self._granted(now_s) - 1)
        sending = range(self._next, max(self._next, end + 1))
        if sending:
            if not self._under_way:
                self._moved_s = now_s
            self._next = sending.stop
            self._allowance -= len(sending) if self._rate_per_s else 0
        return sending

    def deadline_s(self) -> float | None:
        """Return when to ask again though nothing happened; None when only an event can help."""
        if not self._up:
            return None
        if self._must_ask:
            return max(self._not_before_s, self._asked_s + self._pace.resend_s)
        if self._last <= self._base:
            return None
        if self._can_send and self._rate_per_s:
            wait_s = (1 - self._allowance) / self._rate_per_s
            return max(self._not_before_s, self._counted_s + max(wait_s, 0.0))
        if self._can_send or not self._under_way:
            return self._not_before_s
        return max(self._not_before_s, self._moved_s + self._patience_s)

    @property
    def _base(self) -> int:
        """The last block that need not, or can no longer, be sent."""
        return max(self._upto, self._oldest - 1)

    @property
    def _under_way(self) -> bool:
        return self._next > self._base + 1

    @property
    def _can_send(self) -> bool:
        return self._next <= self._sendable

    @property
    def _sendable(self) -> int:
        """The last block that may be under way now."""
        window = 1 if self._is_probing else self._pace.window
        return min(self._unproven or self._last, self._base + window)

    @property
    def _must_ask(self) -> bool:
        """Whether only an old block, sent once more, can tell that this outbox is not a copy."""
        return 0 < self._unproven <= self._base

    def _question(self, now_s: float) -> range:
        """Return the last block from before the opening, when it is time to send it again."""
        if now_s < self._asked_s + self._pace.resend_s:
            return range(0)
        self._asked_s = now_s
        return range(self._unproven, self._unproven + 1)

    def _moved(self, now_s: float) -> None:
        self._moved_s = now_s
        self._patience_s = self._pace.resend_s
        self._is_probing = False

    def _go_back(self, now_s: float) -> None:
        """Send again from the first block that is owed."""
        self.resent += max(0, self._next - self._base - 1)
        self._next = self._base + 1
        self._moved_s = now_s
        self._is_probing = False

    def _is_news(self, upto: int, now_s: float) -> bool:
        """Return whether a gap after ``upto`` was not answered just now."""
        if self._gap_at is None:
            return True
        told, at_s = self._gap_at
        return told != upto or now_s >= at_s + self._pace.gap_pause_s

    def _granted(self, now_s: float) -> int:
        """Return how many blocks the collector's rate allows now."""
        if not self._rate_per_s:
            return self._pace.window
        earned = (now_s - self._counted_s) * self._rate_per_s
        self._allowance = min(self._allowance + earned, float(self._pace.window))
        self._counted_s = now_s
        return int(self._allowance)
