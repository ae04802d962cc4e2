"""A gateway's life: its parts are built, run, and built anew when its settings change from afar."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

from gateway.care.caretaker import Caretaker, Home
from gateway.care.overlay import Toml
from gateway.care.program import ProgramProof
from gateway.care.refusals import Refusals
from gateway.care.trial import programs_at
from gateway.care.watch import Watchers, Watches
from gateway.service import run_gateway
from gateway.settings import GatewaySettings, read_settings, settings_of
from kwartier.clock import Clock
from kwartier.errors import KwartierError


def run_with_care(path: Path, clock: Clock, stop: threading.Event) -> None:
    """Run the gateway of a settings file until told to stop.

    Raises:
        SettingsError: The settings in the home are wrong.
        OutboxInUseError: Another process has this gateway's outbox.
    """
    home = read_settings(path)
    caretaker = _caretaker(path, home, clock)
    if caretaker is None:
        run_gateway(home, clock, stop, Watchers(*_program(home, clock)))
        return
    while not stop.is_set():
        settings = settings_of(caretaker.begin(), path.parent)
        try:
            run_gateway(settings, clock, stop, Watchers(caretaker, *_program(settings, clock)))
        except KwartierError as error:
            if not caretaker.failed(error):
                raise


def _program(settings: GatewaySettings, clock: Clock) -> list[Watches]:
    if settings.care.slots is None:
        return []
    slots = programs_at(settings.care.slots, settings.care.trial_file)
    p1 = [line.device for line in settings.p1]
    return [
        ProgramProof(slots, Path(__file__), settings.folder, p1),
        Refusals(slots.root, settings.folder, clock),
    ]


def _caretaker(path: Path, home: GatewaySettings, clock: Clock) -> Caretaker | None:
    if home.care.config_key is None:
        return None

    def check(values: Toml) -> None:
        settings_of(values, path.parent)

    return Caretaker(
        Home(home.coop, home.gateway, tomllib.loads(path.read_text(encoding="utf-8")), check),
        home.care.config_key,
        home.folder,
        clock,
        trial_s=home.care.trial_s,
    )
