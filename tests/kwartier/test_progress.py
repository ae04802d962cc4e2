"""A bar on a terminal, and nothing in a pipe."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator

import pytest

from kwartier.progress import Progress


@pytest.fixture
def terminal() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """Both ends of a terminal: what is seen, and what is written to."""
    seen, written = pty.openpty()
    with os.fdopen(written, "w") as stream:
        yield seen, stream
    os.close(seen)


def seen_until(terminal: int, end: str) -> str:
    """What a terminal shows up to ``end``: it comes in as many pieces as the kernel likes."""
    text = ""
    while not text.endswith(end):
        text += os.read(terminal, 4096).decode()
    return text


def test_a_terminal_sees_the_bar_and_then_a_clear_line(
    terminal: tuple[int, io.TextIOWrapper],
) -> None:
    seen, stream = terminal
    bar = Progress("playing", 200, stream)

    for done in (0, 1, 100, 200):
        bar.show(done)
    bar.end()

    text = seen_until(seen, "\r\033[K")
    # A half of one percent is not drawn again: 0, 50 and 100 % are.
    assert text.count("\r") == 4
    assert f"playing [{'#' * 15}{'.' * 15}]  50 %" in text


def test_a_pipe_sees_nothing() -> None:
    stream = io.StringIO()
    bar = Progress("playing", 10, stream)

    bar.show(5)
    bar.end()

    assert stream.getvalue() == ""


def test_no_work_at_all_is_done_at_once(terminal: tuple[int, io.TextIOWrapper]) -> None:
    seen, stream = terminal

    Progress("playing", 0, stream).show(0)

    assert "100 %" in seen_until(seen, "100 %")
