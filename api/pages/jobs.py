"""A job as people see it: how far the gateway is on its way in, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from api.enrolment.certificates import in_force
from api.enrolment.claims import Drawn, newest_claim
from api.enrolment.jobs import Job, JobState
from api.house import House
from api.pages.qr import qr_picture
from api.people.book import PeopleDesk
from api.people.tables import HandoverRow
from gateway.enrol.code import qr_address
from kwartier.interval import day_of
from kwartier.units import EpochS


class JobStep(StrEnum):
    """How far a gateway is."""

    ASKED = "asked"
    """The board has to approve, and no gateway showed the code yet."""
    READY = "ready"
    """The board approved; the gateway has to show the code."""
    SHOWN = "shown"
    """A gateway showed the code; the board has to approve."""
    INSIDE = "inside"
    """It has its certificate."""
    HANDED = "handed"
    """The home was handed over."""
    REFUSED = "refused"
    """The board said no."""
    ENDED = "ended"
    """It was put out."""

    @property
    def is_on_its_way(self) -> bool:
        """Return whether the gateway still has to come in: a code may be drawn for it."""
        return self in {JobStep.ASKED, JobStep.READY, JobStep.SHOWN}


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job as a list tells it; no meter and no address.

    Attributes:
        id: Its number.
        gateway: The gateway.
        home: The home.
        steering: Whether batteries may be steered there.
        state: What the board said.
        step: How far the gateway is.
        key: Eight characters of the key that showed the code; empty for none yet.
        until_s: Until when its certificate holds [s]; None without one.
    """

    id: int
    gateway: str
    home: str
    steering: bool
    state: JobState
    step: JobStep
    key: str
    until_s: EpochS | None

    @property
    def until(self) -> date | None:
        """The day on which its certificate runs out; it is a year away, so a page says which."""
        return None if self.until_s is None else day_of(self.until_s)


def job_line(desk: PeopleDesk, job: Job) -> JobLine:
    """Return a job as a list tells it."""
    claim = newest_claim(desk, job.id)
    certificates = [row for row in in_force(desk, job.gateway) if row.job == job.id]
    shown = claim is not None and claim.shown_at_s is not None and not claim.spoiled
    if job.state in {JobState.REFUSED, JobState.ENDED}:
        step = JobStep(job.state.value)
    elif certificates:
        handed = select(HandoverRow.id).where(
            HandoverRow.gateway == job.gateway, HandoverRow.at_s >= job.made_at_s
        )
        step = JobStep.INSIDE if desk.session.scalars(handed).first() is None else JobStep.HANDED
    elif job.state is JobState.ASKED:
        step = JobStep.SHOWN if shown else JobStep.ASKED
    else:
        step = JobStep.READY
    return JobLine(
        job.id,
        job.gateway,
        job.home,
        job.steering,
        job.state,
        step,
        claim.key_print if claim is not None and shown else "",
        certificates[0].until_s if certificates else None,
    )


def code_values(house: House, drawn: Drawn) -> Mapping[str, object]:
    """Return what the page of a code shows, once."""
    address = qr_address(house.public_url, drawn.code.mark, drawn.secret)
    return {
        "code": drawn.code.typed,
        "picture": qr_picture(address, drawn.code.mark),
        "until_s": drawn.until_s,
    }
