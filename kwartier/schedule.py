"""What a battery is told and what its gateway answers; docs/asyncapi.yaml describes both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kwartier.errors import ContractError
from kwartier.identity import DeviceId, checked_name
from kwartier.packing import (
    VERSION,
    Json,
    choice,
    instant,
    integer,
    packed,
    plain,
    positive,
    printable,
    text,
    unpacked,
    whole,
)
from kwartier.reading import AfterPlan, MeterBand, Schedule, Step
from kwartier.units import EpochS

MAX_STEPS = 200
MAX_LEASE_S = 900


class Outcome(StrEnum):
    """What a gateway did with a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    APPLIED = "applied"
    NEUTRAL = "neutral"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Response:
    """A gateway's answer to a command, or news of what it did with it."""

    device: DeviceId
    command: int
    outcome: Outcome
    reason: str
    at_s: EpochS
    setpoint_w: int | None = None


def encode_schedule(schedule: Schedule) -> bytes:
    """Return the payload of a schedule.

    Bands stand beside the steps: a gateway that does not know them passes them over, and reads
    the steps as ever.
    """
    body: dict[str, Json] = {
        "v": VERSION,
        "dev": schedule.device,
        "cmd_seq": schedule.command,
        "plan": schedule.plan,
        "steps": [_step_row(step) for step in schedule.steps],
        "after": schedule.after.value,
    }
    if any(step.band is not None for step in schedule.steps):
        body["bands"] = [_band_row(step.band) for step in schedule.steps]
    return packed(body)


def decode_schedule(payload: bytes) -> Schedule:
    """Return the schedule of a payload; every step's lease is at most 900 s."""
    body = unpacked(payload)
    raw = body.get("steps")
    if not isinstance(raw, list) or len(raw) > MAX_STEPS:
        raise ContractError(f"schedule 'steps' must be a list of at most {MAX_STEPS}")
    bands = _bands(body, len(raw))
    steps = tuple(_step(place, row, bands[place]) for place, row in enumerate(raw))
    if any(later.start_s <= step.start_s for step, later in pairwise(steps)):
        raise ContractError("schedule 'steps' are not in order of time")
    after = AfterPlan(choice(body, "after", [choice.value for choice in AfterPlan]))
    device = checked_name(text(body, "dev"), "schedule 'dev'")
    return Schedule(device, positive(body, "cmd_seq"), text(body, "plan"), steps, after)


def encode_response(response: Response) -> bytes:
    """Return the payload of a response."""
    return plain(
        {
            "v": VERSION,
            "dev": response.device,
            "cmd_seq": response.command,
            "outcome": response.outcome.value,
            "reason": printable(response.reason),
            "t": response.at_s,
            "setpoint_w": response.setpoint_w,
        }
    )


def decode_response(payload: bytes) -> Response:
    """Return the response of a payload."""
    body = unpacked(payload)
    setpoint = body.get("setpoint_w")
    return Response(
        checked_name(text(body, "dev"), "response 'dev'"),
        integer(body, "cmd_seq"),
        Outcome(choice(body, "outcome", [outcome.value for outcome in Outcome])),
        text(body, "reason"),
        instant(body, "t"),
        None if setpoint is None else integer(body, "setpoint_w"),
    )


def _step_row(step: Step) -> list[Json]:
    row: list[Json] = [step.start_s, step.power_w, step.lease_s]
    return row if step.grid_w is None else [*row, step.grid_w]


def _band_row(band: MeterBand | None) -> Json:
    return None if band is None else [band.low_w, band.high_w]


def _bands(body: Mapping[str, Json], steps: int) -> list[MeterBand | None]:
    """Return the band of each step; none where nothing is said of bands."""
    raw = body.get("bands")
    if raw is None:
        return [None] * steps
    if not isinstance(raw, list) or len(raw) != steps:
        raise ContractError(f"schedule 'bands' must be a list of {steps}, one for each step")
    return [_band(f"schedule 'bands[{place}]'", row) for place, row in enumerate(raw)]


def _band(name: str, row: Json) -> MeterBand | None:
    if row is None:
        return None
    if not isinstance(row, list) or len(row) != 2:
        raise ContractError(f"{name} must be [least watts, most watts] or null")
    low_w, high_w = (None if edge is None else whole(edge, name) for edge in row)
    if low_w is not None and high_w is not None and low_w > high_w:
        raise ContractError(f"{name} has its least above its most: {low_w} and {high_w} W")
    return MeterBand(low_w, high_w)


def _step(place: int, row: Json, band: MeterBand | None) -> Step:
    if not isinstance(row, list) or len(row) not in {3, 4}:
        raise ContractError(
            f"schedule 'steps[{place}]' must be [start, watts, lease seconds] "
            "and may add the watts wanted at the meter"
        )
    start_s, power_w, lease_s, *at_meter = (
        whole(value, f"schedule 'steps[{place}]'") for value in row
    )
    if not 0 < lease_s <= MAX_LEASE_S:
        raise ContractError(
            f"schedule 'steps[{place}]' asks a lease of {lease_s} s: 1 to {MAX_LEASE_S} is allowed"
        )
    return Step(start_s, power_w, lease_s, at_meter[0] if at_meter else None, band)
