"""Where forecasts are learned: one thread beside everything else, so that no plan waits for it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from api.forecasts.asked import chosen_for
from optimizer.forecasting.choose import Choice
from optimizer.forecasting.history import History, Method
from optimizer.nowcast import Follow

BUDGET_S = 180.0
"""After so long nothing more is learned: who has not learned by then is left out that day [s].

Trees are grown from at most 6,048 quarters, six times 80 rounds a night: some seconds here.
"""
_NICE = 10


class Aside:
    """One thread that chooses who forecasts."""

    def __init__(self, budget_s: float = BUDGET_S) -> None:
        """Wait for something to do; each choice learns no longer than ``budget_s``."""
        self._budget_s = budget_s
        self._thread = ThreadPoolExecutor(1, "forecasts", work_low)

    def choose(
        self,
        history: History,
        methods: Sequence[Method],
        newcomer: Method,
        in_use: str | None,
        follow: Follow,
    ) -> Future[Choice]:
        """Return the choice that will be made; the methods are this thread's until then."""

        def made() -> Choice:
            until_s = time.monotonic() + self._budget_s
            return chosen_for(
                history, methods, newcomer, in_use, follow, lambda: time.monotonic() < until_s
            )

        return self._thread.submit(made)

    def stop(self) -> None:
        """Begin nothing more, and wait for what is being learned: some seconds."""
        self._thread.shutdown(cancel_futures=True)


def work_low() -> None:
    """Give the thread that asks a low claim on the processor, where a thread can have its own."""
    if sys.platform == "linux":
        # Linux counts a thread as a process here; elsewhere it goes without.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
