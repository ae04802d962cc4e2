"""Where messages wait for their transaction: bounded, in order of arrival, taken out by the batch.

Whoever puts one in is not to be held up, and whoever takes them out is woken once a batch, not once
a message: at thousands of messages a second the waking would cost more than the work.
"""

from __future__ import annotations

import threading
from collections import deque

from kwartier.bus import Message


class Inbox:
    """Messages between the bus's thread and the one that stores them."""

    def __init__(self, most: int) -> None:
        """Let at most so many messages wait."""
        self._most = most
        self._messages: deque[Message] = deque()
        self._changed = threading.Condition()
        self._wanted = 1

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._messages)

    def put(self, message: Message) -> bool:
        """Put a message behind the others; return False when there is no room for it."""
        with self._changed:
            if len(self._messages) >= self._most:
                return False
            self._messages.append(message)
            if len(self._messages) == self._wanted:
                self._changed.notify()
        return True

    def take(self, most: int, gather_s: float, lull_s: float) -> list[Message]:
        """Take out the messages that came first; none when nothing came for a while.

        Args:
            most: The most that are taken.
            gather_s: How long it waits for one, and then for more of them [s].
            lull_s: When none came for so long, it waits no longer [s].
        """
        with self._changed:
            if self._wait_for(1, gather_s):
                waited_s, seen = 0.0, 0
                while seen < len(self._messages) < most and waited_s < gather_s:
                    seen = len(self._messages)
                    self._wait_for(most, lull_s)
                    waited_s += lull_s
            return [self._messages.popleft() for _ in range(min(most, len(self._messages)))]

    def _wait_for(self, wanted: int, timeout_s: float) -> bool:
        """Return whether so many wait, after waiting for them for at most so long [s]."""
        self._wanted = wanted
        return self._changed.wait_for(lambda: len(self._messages) >= wanted, timeout_s)
