"""Some processes of this machine, behind the seam that a Dask cluster also stands behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from api.crowd.workers import CrowdGoneError, Outcome

MOST_WORKERS = 256
_EACH_AHEAD = 2


class Pool:
    """Processes that start afresh, so that nothing of this one is carried along."""

    def __init__(self, workers: int) -> None:
        """Use so many."""
        self._workers = workers

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each name with its outcome as soon as there is one.

        Raises:
            CrowdGoneError: A process ended before its work did.
        """
        waiting = iter(files)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            self._workers, mp_context=context, initializer=_end_with_its_parent
        ) as pool:
            under_way: dict[Future[Outcome], str] = {}
            try:
                for name in islice(waiting, self._workers * _EACH_AHEAD):
                    under_way[pool.submit(work, name)] = name
                while under_way:
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        name = under_way.pop(future)
                        outcome = future.result()
                        for following in islice(waiting, 1):
                            under_way[pool.submit(work, following)] = following
                        yield name, outcome
            except BrokenProcessPool as error:
                raise CrowdGoneError(
                    "a worker ended before its work did, it may lack memory: run it again with "
                    "fewer --workers; what was done is kept with --work"
                ) from error
            finally:
                for future in under_way:
                    future.cancel()


def _end_with_its_parent() -> None:
    """Have this worker end when the process that started it is gone.

    One that was killed tells its workers nothing: they would wait for work, and hold their memory,
    for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_it() -> None:
        parent.join()
        os._exit(1)  # there is nobody left to hand anything to

    threading.Thread(target=wait_for_it, name="parent", daemon=True).start()
