"""Whether what is new works: the broker was reached, and what was heard before is heard again."""

from __future__ import annotations

from collections.abc import Collection


class Proof:
    """Collects what was heard and reached since something new began; from any thread."""

    def __init__(
        self, p1: Collection[str], *, must_hear: Collection[str] = (), must_read_p1: bool = False
    ) -> None:
        """Begin.

        Args:
            p1: The devices that are P1 meters.
            must_hear: Devices that must be heard.
            must_read_p1: Whether any P1 meter must be.
        """
        self._p1 = frozenset(p1)
        self._must_hear = frozenset(must_hear)
        self._must_read_p1 = must_read_p1
        self._heard: set[str] = set()
        self._reached = False

    def heard(self, device: str) -> None:
        """Note that a device said something."""
        if device in self._must_hear or device in self._p1:
            self._heard.add(device)

    def reached(self) -> None:
        """Note that the broker was reached."""
        self._reached = True

    @property
    def read_p1(self) -> bool:
        """Whether a P1 meter was heard."""
        return bool(self._heard & self._p1)

    @property
    def missing(self) -> str:
        """What is still missing, in words; empty when it is proved."""
        if not self._reached:
            return "the broker was not reached"
        if self._must_read_p1 and not self.read_p1:
            return "no P1 meter was read, as before"
        silent = sorted(self._must_hear - self._heard)
        return f"{silent[0]} was not heard, as before" if silent else ""
