"""Who reckons: this process alone, or a crowd of them behind the same seam."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from kwartier.errors import TemporaryError

Outcome = TypeVar("Outcome")


class CrowdGoneError(TemporaryError):
    """The workers are out of reach; what was done is kept, and running it again goes on there."""


class Crowd(Protocol):
    """Does one thing to many files, in any order, with few of them under way."""

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each file with its outcome as soon as there is one.

        Args:
            work: A function of a module, or a partial of one, so that other processes know it.
            files: Their paths, the same on every machine.

        Yields:
            The file and what came of it; None where every process that tried it ended.

        Raises:
            CrowdGoneError: Nobody is left to do it.
        """


class Alone:
    """Does everything here, one after the other."""

    def each(
        self, work: Callable[[str], Outcome], files: Iterable[str]
    ) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each file with its outcome."""
        for file in files:
            yield file, work(file)
