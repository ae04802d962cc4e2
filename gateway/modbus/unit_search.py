"""Finding out which units answer on one address, where nobody named them."""

from __future__ import annotations

import logging
from dataclasses import replace

from gateway.modbus.describe import Json, describe, describe_units
from gateway.modbus.line import LinkSettings
from gateway.modbus.link import ModbusLink, NoConnectionError
from hardware.profile import Profile, profile_names
from hardware.profile_reader import profiles_that_fit
from kwartier.errors import InputError, TemporaryError

UNITS = (1, 2, 3, 126, 71, 240, 247, 127, 100, 0)
"""Unit ids to try where none is named, the likeliest first.

1 most makes, 2 a second inverter, 3 and 126 SMA, 71 Kostal, 240 a Fronius meter, 247 and 127
GoodWe, 100 Victron, 0 some Huawei.
"""


def scan(
    address: LinkSettings, unit: int | None, profile: Profile | None, timeout_s: float
) -> dict[str, Json]:
    """Return what the devices on one address say, by unit id; nothing is written.

    Raises:
        InputError: No unit says anything that way; the message says what to try.
        TemporaryError: Nobody can be reached there.
    """
    link = open_link(address, profile, timeout_s, retries=0 if unit is None else 1)
    try:
        if unit is None:
            return _search(link, profile)
        return describe_units(link.where, {unit: link.unit(unit)}, profile)
    finally:
        link.close()


def open_link(
    address: LinkSettings, profile: Profile | None, timeout_s: float, *, retries: int
) -> ModbusLink:
    """Return a link for a command, with a profile's pauses; it logs nothing."""
    logging.getLogger("gateway.modbus.link").addHandler(logging.NullHandler())
    settings = replace(
        address,
        timeout_s=timeout_s,
        retries=retries,
        connect_wait_s=profile.connect_wait_s if profile else address.connect_wait_s,
        gap_s=max(profile.gap_s if profile else 0.0, address.gap_s),
    )
    return ModbusLink(settings)


def _search(link: ModbusLink, profile: Profile | None) -> dict[str, Json]:
    units = tuple(dict.fromkeys((*profile.units, *UNITS))) if profile else UNITS
    found: dict[str, Json] = {}
    awake: list[int] = []
    for unit in units:
        try:
            answer = describe(link.unit(unit), profile)
        except NoConnectionError:
            raise
        except TemporaryError:
            continue
        awake.append(unit)
        if answer is None or any(_same(answer, earlier) for earlier in found.values()):
            continue
        found[str(unit)] = answer
        if profile is not None:
            break
    if not found:
        raise InputError(_advice(link, units, awake, profile))
    return found


def _advice(
    link: ModbusLink, units: tuple[int, ...], awake: list[int], profile: Profile | None
) -> str:
    tried = f"{link.where}: none of the units {', '.join(map(str, units))}"
    if not awake:
        return f"{tried} answers: name one with --unit, or wait longer with --timeout"
    if profile is not None:
        return f"{tried} has the registers of profile {profile.name}: name one with --unit"
    for unit in awake:
        fitting = profiles_that_fit(link.unit(unit))
        if fitting:
            return (
                f"{tried} speaks SunSpec; the values of unit {unit} make sense with "
                f"--unit {unit} --profile {' or '.join(fitting)}"
            )
    return (
        f"{tried} speaks SunSpec or fits a profile; name a unit with --unit and a profile with "
        f"--profile: {', '.join(profile_names())}"
    )


def _same(answer: Json, earlier: Json) -> bool:
    """Return whether two units are one device: some answer to every unit id."""
    return _identity(answer) == _identity(earlier)


def _identity(answer: Json) -> list[Json]:
    """Return the chain and its Common models, which hold the serial number."""
    assert isinstance(answer, dict)
    models = answer["models"]
    assert isinstance(models, list)
    chain: list[Json] = []
    for model in models:
        assert isinstance(model, dict)
        chain += [model["id"], model["address"], model["points"] if model["id"] == 1 else None]
    return chain
