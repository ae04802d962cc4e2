"""Starts the gateway's program, and takes a new one back that does not prove itself in time.

The guard is code of the trusted program, so a new one that cannot even start is taken back too.
Without a trial it hands its process over and leaves nothing behind.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from gateway.care.trial import Programs
from kwartier.clock import Clock
from kwartier.errors import InputError

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.2
_LEAVE_S = 15.0
"""A program that was told to stop is ended after this time [s]."""
_ANEW = 75
"""Says that trying again helps (EX_TEMPFAIL)."""


def run_current(
    slots: Programs,
    words: Sequence[str],
    clock: Clock,
    stop: threading.Event,
    trial_s: float,
    *,
    managed: bool = False,
) -> int:
    """Run the current program with some words until it ends, and return its exit code.

    Args:
        slots: Where programs are.
        words: What follows ``kwartier`` on its command line.
        clock: Counts the time of a trial.
        stop: Set when the program is to stop.
        trial_s: Within this time a program on trial must be confirmed [s].
        managed: Whether a service manager starts us anew. It was told that the program on trial
            stops, and would end its successor: so that one begins in a process of its own.

    Raises:
        InputError: No program is installed.
    """
    while slots.begin():
        try:
            child = subprocess.Popen(  # noqa: S603 - our own program
                _command(slots, words), env=_environment()
            )
        except OSError as error:
            _log.warning("the program on trial does not start: %s", error.strerror)
            continue
        code = _watched(slots, child, clock, stop, trial_s)
        if code is None:
            slots.take_back(f"it was not confirmed within {trial_s:g} s")
        elif stop.is_set() or not slots.on_trial:
            return code
        else:
            _log.warning("the program on trial ended with code %d", code)
        if managed:
            return _ANEW
    return _become(_command(slots, words))


def _watched(
    slots: Programs,
    child: subprocess.Popen[bytes],
    clock: Clock,
    stop: threading.Event,
    trial_s: float,
) -> int | None:
    """Return the exit code of a child that ended; None for one whose time was over."""
    began_s = clock.monotonic_s()
    trying = True
    while True:
        try:
            return child.wait(_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            pass
        if stop.is_set():
            return _ended(child)
        trying = trying and slots.on_trial
        if trying and clock.monotonic_s() >= began_s + trial_s:
            _ended(child)
            return None


def _become(command: list[str]) -> NoReturn:
    try:
        os.execv(command[0], command)  # noqa: S606 - our own program
    except OSError as error:
        raise InputError(f"{command[0]}: does not start: {error.strerror}") from error


def _ended(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        return child.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _environment() -> dict[str, str]:
    """Return ours for a child: the manager's watchdog is fed by the child, not by its guard."""
    return {name: value for name, value in os.environ.items() if name != "WATCHDOG_PID"}


def _command(slots: Programs, words: Sequence[str]) -> list[str]:
    if slots.current is None:
        raise InputError(f"{slots.root}: no program is installed here: 'kwartier update install'")
    program: Path = slots.folder(slots.current) / "bin" / "kwartier"
    return [str(program), *words]
