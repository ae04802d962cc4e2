"""The door to Dask: work spread over processes of this machine, or over a cluster of machines.

A Dask scheduler runs whatever it is handed, for anybody who reaches it: it belongs on a network of
one's own, or behind ``tls://`` with certificates, which Dask reads from its own configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice

from distributed import Client, Future, LocalCluster, as_completed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from api.crowd.workers import CrowdGoneError, Outcome
from kwartier.errors import InputError

_GONE = (CommClosedError, FutureCancelledError, OSError, TimeoutError)
_CONNECT_S = 30
_EACH_AHEAD = 2
"""Files handed over for each worker: one it works on, and the next."""


@contextmanager
def local_crowd(workers: int) -> Iterator[DaskCrowd]:
    """Start some processes on this machine, for as long as the block lasts.

    Args:
        workers: How many.
    """
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield DaskCrowd(client)


@contextmanager
def crowd_at(scheduler: str, patience_s: float = _CONNECT_S) -> Iterator[DaskCrowd]:
    """Use the workers of a scheduler that runs already.

    Args:
        scheduler: Where it listens, as ``tcp://HOST:PORT`` or ``tls://HOST:PORT``.
        patience_s: How long it may take to be there [s].

    Raises:
        InputError: It cannot be reached or has no workers, or they run another program.
    """
    try:
        client = Client(scheduler, timeout=patience_s)
        client.wait_for_workers(1, timeout=patience_s)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"scheduler {scheduler}: {error}: start `dask scheduler` and `dask worker` first"
        ) from error
    with client:
        ours = program()
        theirs = set(client.run(program).values())
        if theirs != {ours}:
            told = ", ".join(sorted(theirs))
            raise InputError(f"workers run kwartier {told}, here it is {ours}: install the same")
        yield DaskCrowd(client)


def program() -> str:
    """Return which kwartier this process runs."""
    return version("kwartier")


class DaskCrowd:
    """Some processes behind a scheduler; see `api.crowd.workers.Crowd`."""

    def __init__(self, client: Client) -> None:
        """Use a connection to the scheduler; who made it closes it."""
        self._client = client

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each file with its outcome as soon as there is one."""
        waiting = iter(files)
        ahead = _EACH_AHEAD * max(1, sum(self._client.ncores().values()))
        under_way: dict[Future[Outcome], str] = {}
        running = as_completed([], loop=self._client.loop)

        def hand_over(count: int) -> None:
            for file in islice(waiting, count):
                future = self._client.submit(work, file, pure=False)
                under_way[future] = file
                running.add(future)

        try:
            hand_over(ahead)
            for future in running:
                file = under_way.pop(future)
                try:
                    outcome: Outcome | None = future.result()
                except KilledWorker:
                    outcome = None
                hand_over(1)
                yield file, outcome
        except _GONE as error:
            raise CrowdGoneError(f"the workers are gone ({error}): run it again") from error
