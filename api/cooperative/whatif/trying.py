"""Replays in the background: one at a time, the newest few kept, each under what was tried."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from api.cooperative.canonical import digest
from api.cooperative.chain import head
from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.readings.matrices import latest_reading
from api.cooperative.whatif.candidate import Candidate
from api.cooperative.whatif.effects import Replay
from api.cooperative.whatif.replaying import replay
from api.cooperative.whatif.street import StreetTerms
from api.cooperative.whatif.surroundings import Surroundings
from kwartier.errors import KwartierError, StoreBusyError
from kwartier.units import EpochS
from kwartier.wire import Json

_log = logging.getLogger(__name__)

MOST_KEPT = 8
"""How many drafts and replays are remembered."""
MOST_WAITING = 4
"""How many replays may wait for the one that is reckoned."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version as somebody fills it in, before it is proposed.

    Attributes:
        name: What it is to be called in the books.
        decision: The number of the decision that made it.
        from_s: From when it is to hold [s].
        candidate: What it says.
    """

    name: str
    decision: str
    from_s: EpochS
    candidate: Candidate

    @property
    def key(self) -> str:
        """Under what it is remembered: a short hash of all of it."""
        whole: list[Json] = [self.name, self.decision, self.from_s, self.candidate.body]
        return digest(whole)[:32]


@dataclass(frozen=True, slots=True)
class Tryout:
    """How far a draft's replay is.

    Attributes:
        draft: What is tried.
        done: How much of the work is done, from 0 to 1.
        replay: What came of it; None while it is reckoned, or when it was refused.
        problem: Why it was refused; empty when it was not.
    """

    draft: Draft
    done: float
    replay: Replay | None
    problem: str


@dataclass(slots=True)
class _Job:
    candidate: Candidate
    done: float = 0.0
    replay: Replay | None = None
    problem: str = ""
    stopped: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Tryouts:
    """Remembers drafts and reckons their replays; safe to share between threads.

    Nothing of it is kept on disk: after a new start a draft is filled in again.
    """

    def __init__(
        self,
        reading: Callable[[], AbstractContextManager[Desk]],
        around: Callable[[], Surroundings] = Surroundings,
    ) -> None:
        """Reckon from still pictures of the books.

        Args:
            reading: Opens one.
            around: Tells what is known outside the books, when something for the street is tried.
        """
        self._reading = reading
        self._around = around
        self._lock = threading.Lock()
        self._drafts: OrderedDict[str, tuple[Draft, str]] = OrderedDict()
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._waiting: deque[_Job] = deque()
        self._working = False

    def begin(self, draft: Draft) -> str:
        """Remember a draft, have its replay reckoned, and return its key.

        What was reckoned of the same candidate since the books last changed is used again.

        Raises:
            StoreBusyError: Too many replays wait.
            BooksError: The candidate names what the books do not know.
        """
        with self._reading() as desk:
            draft.candidate.check(desk)
            state = f"{draft.candidate.hash} {head(desk).count} {latest_reading(desk)}"
        with self._lock:
            job = self._jobs.get(state)
            if job is None or (job.over.is_set() and job.replay is None):
                if len(self._waiting) >= MOST_WAITING:
                    raise StoreBusyError("other replays are being reckoned")
                job = self._jobs[state] = _Job(draft.candidate)
                self._waiting.append(job)
            self._jobs.move_to_end(state)
            self._drafts[draft.key] = draft, state
            self._drafts.move_to_end(draft.key)
            for kept in (self._jobs, self._drafts):
                while len(kept) > MOST_KEPT:
                    kept.popitem(last=False)
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, name="replay", daemon=True).start()
        return draft.key

    def look(self, key: str) -> Tryout | None:
        """Return how far a draft's replay is; None for a draft that is not remembered."""
        with self._lock:
            draft, state = self._drafts.get(key, (None, ""))
            job = self._jobs.get(state)
        if draft is None or job is None:
            return None
        return Tryout(draft, job.done, job.replay, job.problem)

    def wait(self, key: str, timeout_s: float) -> Tryout | None:
        """Return a draft's replay once it is over, or how far it is after some time [s]."""
        with self._lock:
            _, state = self._drafts.get(key, (None, ""))
            job = self._jobs.get(state)
        if job is not None:
            job.over.wait(timeout_s)
        return self.look(key)

    def stop(self, key: str) -> bool:
        """Let a draft's replay end before it is done; False for one that is not remembered."""
        with self._lock:
            _, state = self._drafts.get(key, (None, ""))
            job = self._jobs.get(state)
        if job is None:
            return False
        job.stopped = True
        return True

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._reckon(job)

    def _next(self) -> _Job | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._working = False
            return None

    def _reckon(self, job: _Job) -> None:
        def tell(done: float) -> None:
            if job.stopped:
                raise StateError("somebody stopped this replay: begin it anew")
            job.done = done

        try:
            with self._reading() as desk:
                if isinstance(job.candidate.terms, StreetTerms):
                    # A solver takes a second to load, and most never ask for one.
                    from api.cooperative.whatif.street_replay import replay_street

                    job.replay = replay_street(desk, job.candidate, self._around(), tell)
                else:
                    job.replay = replay(desk, job.candidate, tell)
        except KwartierError as error:
            job.problem = str(error)
        except Exception:  # noqa: BLE001 - the outermost loop of this thread; others wait for it
            _log.exception("a replay could not be ended")
            job.problem = "a mistake of ours: it is in the server's log"
        finally:
            job.over.set()
