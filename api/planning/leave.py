"""Batteries that may be steered no more: whose gateways are told so, and why.

A gateway holds a day of set-points, and the newest ones stay in force until their leases end. So
where a home takes its leave back, or a battery is in the neighbourhood's file no more, the gateway
is told to forget them: at once, and again in each quarter until the last of them would have ended,
for it may be out of reach. A battery that was told nothing is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum

from api.plans import ToldBattery
from kwartier.interval import instant_text
from kwartier.model import Battery, Community

RELEASED = "released"
"""The name of the plan in a schedule without set-points."""


class Why(StrEnum):
    """Why a battery is let go."""

    RESIDENT = "who lives there took leave back, on the own page"
    OFF = "its home does not allow it: steered is not true"
    OTHERWISE = "the neighbourhood's file names it otherwise: another home, gateway, device or id"
    HOMELESS = (
        "it was a home's and names no home any more: give it its home back, or a new id where the "
        "neighbourhood shares it now"
    )
    GONE = "it is in the neighbourhood's file no more, or its home is not"


def once_a_homes(community: Community, told: Iterable[ToldBattery]) -> frozenset[str]:
    """Return the shared batteries that were a home's when they were told something.

    That a line of a file is away gives nobody leave to steer what stands in a home, so these are
    planned again only with their home, or by another id.
    """
    return frozenset(
        one.id for one in told if one.home is not None and one.id in community.batteries
    )


def let_go(
    planned: Community,
    written: Community,
    told: Iterable[ToldBattery],
    now_s: float,
    refusing: AbstractSet[str],
) -> dict[ToldBattery, Why]:
    """Return the batteries whose gateways are to forget what was planned, and why.

    Args:
        planned: The neighbourhood as it is planned, with what its homes allow now.
        written: As its file has it.
        told: What was told to whom.
        now_s: What time it is [s].
        refusing: The homes whose residents took their leave back themselves.
    """
    every, in_file = planned.every_battery.values(), written.every_battery
    free = {(one.gateway, one.device) for one in every if one.may_be_planned}
    places = {(one.gateway, one.device) for one in in_file.values()}
    still = [_placed(one, in_file.get(one.id)) for one in told if one.until_s > now_s]
    return {
        one: _why(
            in_file.get(one.id), one, refusing, is_a_place=(one.gateway, one.device) in places
        )
        for one in still
        if one.gateway and (one.gateway, one.device) not in free
    }


def notes(community: Community, told: Sequence[ToldBattery], now_s: float) -> list[str]:
    """Return what whoever keeps the file should know of batteries that it lets be steered no more.

    Args:
        community: As its file has it.
        told: What was told to whom.
        now_s: What time it is [s].
    """
    stray = once_a_homes(community, told)
    shared = {name: one for name, one in community.batteries.items() if name not in stray}
    planned = replace(community, batteries=shared)
    lines = [f"battery {name} is not planned: {Why.HOMELESS}" for name in sorted(stray)]
    for one, why in let_go(planned, community, told, now_s, frozenset()).items():
        until = instant_text(one.until_s)
        lines.append(
            f"battery {one.id} at gateway {one.gateway} was told what to do until {until}, and is "
            f"told to forget it as soon as this runs: {why}"
        )
    return lines


def _why(
    now: Battery | None, told: ToldBattery, refusing: AbstractSet[str], *, is_a_place: bool
) -> Why:
    """Return why a battery is let go that is not planned any more.

    Args:
        now: The battery of its name in the file.
        told: As it was told.
        refusing: The homes whose residents took their leave back themselves.
        is_a_place: Whether the file has any battery where it was told.
    """
    if now is None:
        return Why.OTHERWISE if is_a_place else Why.GONE
    if now.home is None and told.home is not None:
        return Why.HOMELESS
    if (now.home, now.gateway, now.device) != (told.home, told.gateway, told.device):
        return Why.OTHERWISE
    return Why.RESIDENT if now.home in refusing and now.steered else Why.OFF


def _placed(told: ToldBattery, now: Battery | None) -> ToldBattery:
    """Return what was told with its place, where a book of before has none and the file does."""
    if told.gateway or now is None:
        return told
    return ToldBattery(told.id, now.gateway, now.device, now.home, told.until_s)
