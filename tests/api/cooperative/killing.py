"""A process that is killed in the middle of its work in the books, at a statement of choice."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import event

from api.cooperative.database import Books
from api.cooperative.keys import Keys
from kwartier.clock import VirtualClock

Act: TypeAlias = Callable[[Books], None]
"""Work in the books: a function of a module, so that another process can be told of it."""
_LONGEST_S = 60.0


def killed(act: Act, url: str, keys: Keys, at: int, now_s: float) -> bool:
    """Do an act in a process of its own that is killed with SIGKILL at one of its statements.

    Beginnings, statements and commits all count, from 1; what is killed at a commit has not
    committed.

    Args:
        act: What to do.
        url: Whose books.
        keys: Their keys.
        at: Before which statement it dies; 0 for never.
        now_s: What its clock says [s].

    Returns:
        Whether it was killed; False when it was done before.
    """
    # A fork server starts a process within milliseconds, and knows nothing of the test's threads.
    kind = multiprocessing.get_context("forkserver")
    kind.set_forkserver_preload([__name__, act.__module__])
    process = kind.Process(target=_act, args=(act, url, keys, at, now_s))
    process.start()
    process.join(_LONGEST_S)
    assert process.exitcode is not None, "it hangs"
    assert process.exitcode in {0, -signal.SIGKILL}, f"it ended with {process.exitcode}"
    return process.exitcode != 0


def address(books: Books) -> str:
    """Return the address of some books, for another process."""
    return books.engine.url.render_as_string(hide_password=False)


def _act(act: Act, url: str, keys: Keys, at: int, now_s: float) -> None:
    books = Books(url, keys, VirtualClock(now_s))
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(books.engine, "before_cursor_execute", die)
    event.listen(books.engine, "commit", die)
    act(books)
    books.close()
