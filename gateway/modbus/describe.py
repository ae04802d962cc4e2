"""What a Modbus device says, as JSON: by SunSpec, or by a profile."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from hardware.profile import Profile, profile_names
from hardware.profile_reader import ProfileReader, profiles_that_fit
from hardware.registers import RegisterSource
from hardware.sunspec import Model, PointValue, find_chain, read_model
from kwartier.errors import InputError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | None"
"""What JSON can hold."""


def describe(source: RegisterSource, profile: Profile | None) -> dict[str, Json] | None:
    """Return everything a device says; None when it says nothing that way.

    Args:
        source: Its registers.
        profile: What they mean; None for a device that speaks SunSpec.

    Raises:
        TemporaryError: The device cannot be reached, or is busy.
    """
    return _by_sunspec(source) if profile is None else _by_profile(source, profile)


def describe_units(
    where: str, sources: Mapping[int, RegisterSource], profile: Profile | None
) -> dict[str, Json]:
    """Return what each unit says, by its id; one that does not speak SunSpec gets advice.

    Raises:
        InputError: No unit says anything that way; the message says what to try.
        TemporaryError: A device cannot be reached, or is busy.
    """
    found: dict[str, Json] = {}
    understood = False
    advice = ""
    for unit, source in sources.items():
        answer = describe(source, profile)
        if answer is not None:
            understood = True
            found[str(unit)] = answer
        elif profile is not None:
            advice = f"{where}: unit {unit} has none of the registers of profile {profile.name}"
        else:
            advice = _advice(where, unit, source)
            found[str(unit)] = {"sunspec": False, "advice": advice, "models": []}
    if not understood:
        raise InputError(advice)
    return found


def _by_sunspec(source: RegisterSource) -> dict[str, Json] | None:
    chain = find_chain(source)
    if chain is None:
        return None
    models = [read_model(source, place) for place in chain.places]
    complete = chain.ended and all(model.whole for model in models)
    listed: list[Json] = [_model(model) for model in models]
    return {"sunspec": True, "complete": complete, "models": listed}


def _by_profile(source: RegisterSource, profile: Profile) -> dict[str, Json] | None:
    values = ProfileReader(profile, source).read()
    if all(value is None for value in values.values()):
        return None
    named: dict[str, Json] = {name: _plain(value) for name, value in values.items()}
    return {"profile": profile.name, "status": profile.status, "values": named}


def _advice(where: str, unit: int, source: RegisterSource) -> str:
    head = f"{where}: unit {unit} does not speak SunSpec (no 'SunS' at 40000, 0 or 50000)"
    fitting = profiles_that_fit(source)
    if fitting:
        return f"{head}; its values make sense with --profile {' or '.join(fitting)}"
    return f"{head} and fits no profile; name one with --profile: {', '.join(profile_names())}"


def _model(model: Model) -> dict[str, Json]:
    return {
        "id": model.place.id,
        "name": model.name,
        "address": model.place.address,
        "length": model.place.length,
        "points": _plain(model.points),
    }


def _plain(value: PointValue) -> Json:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
