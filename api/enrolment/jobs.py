"""Jobs: which gateway is to be let in at which home, for which meter, and who agreed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from api.enrolment.broker_files import SERVICES
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError, UnknownError
from api.people.tables import JobRow
from kwartier.identity import GatewayId, checked_name
from kwartier.units import EpochS
from kwartier.wire import EVERYBODY

RESERVED = frozenset({EVERYBODY, "new", *SERVICES})
"""Names that mean something else at the broker."""
LONGEST_METER, LONGEST_ADDRESS = 64, 200


class JobState(StrEnum):
    """How far a job is."""

    ASKED = "asked"
    """It waits for the board."""
    APPROVED = "approved"
    """The gateway may have a certificate."""
    REFUSED = "refused"
    """The board said no."""
    ENDED = "ended"
    """Its certificates were taken back."""


class OwnJobError(PeopleError):
    """Who planned a job approves it: a second person has to."""


LIVE = (JobState.ASKED, JobState.APPROVED)


@dataclass(frozen=True, slots=True)
class Job:
    """A gateway at a home.

    Attributes:
        id: Its number.
        gateway: The gateway's name, as it will stand in topics.
        home: The home it reads.
        meter: The meter id of the contract; empty when it is not known. Personal data.
        address: Where that is, in words; may be empty. Personal data.
        steering: Whether batteries may be steered there, once the signs were checked.
        state: How far it is.
        made_by: Whose account asked.
        made_at_s: When [s].
        judged_by: Whose account approved or refused; empty for nobody yet.
        judged_at_s: When [s].
        ended_at_s: When it was ended [s].
    """

    id: int
    gateway: GatewayId
    home: str
    meter: str
    address: str
    steering: bool
    state: JobState
    made_by: str
    made_at_s: EpochS
    judged_by: str
    judged_at_s: EpochS | None
    ended_at_s: EpochS | None

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.gateway!r})"


def ask_job(
    desk: PeopleDesk,
    by: str,
    gateway: str,
    home: str,
    *,
    meter: str = "",
    address: str = "",
    steering: bool = False,
) -> int:
    """Write down that a gateway is to be let in, and return the job's number.

    Raises:
        PeopleError: The name is no gateway's, or has a job already; or a text is too long.
        ContractError: The name has letters that no topic takes.
    """
    name = checked_name(gateway.strip(), "gateway")
    if name in RESERVED:
        raise PeopleError(f"gateway {name!r}: this name means something else: choose another")
    if live_job(desk, name) is not None:
        raise PeopleError(f"gateway {name!r} has a job already: end that one first")
    plain = meter.strip(), address.strip()
    if len(plain[0]) > LONGEST_METER or len(plain[1]) > LONGEST_ADDRESS:
        raise PeopleError(
            f"a meter id has at most {LONGEST_METER} characters, an address {LONGEST_ADDRESS}"
        )
    row = JobRow(
        gateway=name,
        home=home,
        meter=desk.keys.seal(plain[0]),
        address=desk.keys.seal(plain[1]),
        steering=steering,
        state=JobState.ASKED.value,
        made_by=by,
        made_at_s=desk.at_s,
        judged_by="",
        judged_at_s=None,
        ended_by="",
        ended_at_s=None,
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, by, "job.ask", name, {"job": row.id, "home": home})
    return row.id


def judge_job(desk: PeopleDesk, by: str, number: int, *, approved: bool) -> None:
    """Approve or refuse a job that waits; who planned it may refuse it and not approve it.

    Raises:
        UnknownError: There is no such job.
        PeopleError: It was judged already.
        OwnJobError: The same person planned it.
    """
    row = row_of(desk, number)
    if row.state != JobState.ASKED:
        raise PeopleError(f"job {number} was judged already: it is {row.state}")
    if approved and row.made_by == by:
        raise OwnJobError(f"job {number} is your own: somebody else of the board approves it")
    row.state = (JobState.APPROVED if approved else JobState.REFUSED).value
    row.judged_by, row.judged_at_s = by, desk.at_s
    desk.session.flush()
    record(desk, by, "job.approve" if approved else "job.refused", row.gateway, {"job": number})


def end_job(desk: PeopleDesk, by: str, number: int) -> None:
    """End a job; what its gateway has is taken back by who calls this.

    Raises:
        UnknownError: There is no such job.
        PeopleError: It is over already.
    """
    row = row_of(desk, number)
    if row.state not in LIVE:
        raise PeopleError(f"job {number} is over already: it is {row.state}")
    row.state, row.ended_by, row.ended_at_s = JobState.ENDED.value, by, desk.at_s
    desk.session.flush()
    record(desk, by, "job.end", row.gateway, {"job": number})


def job_of(desk: PeopleDesk, number: int) -> Job:
    """Return a job.

    Raises:
        UnknownError: There is none of that number.
    """
    return _job(desk, row_of(desk, number))


def jobs(desk: PeopleDesk, *, skip: int = 0, limit: int = 50) -> list[Job]:
    """Return jobs, the newest first."""
    wanted = select(JobRow).order_by(JobRow.id.desc()).offset(skip).limit(limit)
    return [_job(desk, row) for row in desk.session.scalars(wanted)]


def jobs_at(desk: PeopleDesk, homes: frozenset[str]) -> list[Job]:
    """Return the live jobs at some homes, the newest first."""
    states = [state.value for state in LIVE]
    wanted = select(JobRow).where(JobRow.home.in_(homes), JobRow.state.in_(states))
    return [_job(desk, row) for row in desk.session.scalars(wanted.order_by(JobRow.id.desc()))]


def live_job(desk: PeopleDesk, gateway: GatewayId) -> Job | None:
    """Return the job of a gateway that waits or is approved, or None."""
    states = [state.value for state in LIVE]
    wanted = select(JobRow).where(JobRow.gateway == gateway, JobRow.state.in_(states))
    row = desk.session.scalars(wanted).first()
    return None if row is None else _job(desk, row)


def row_of(desk: PeopleDesk, number: int) -> JobRow:
    """Return a job's row.

    Raises:
        UnknownError: There is none of that number.
    """
    row = desk.session.get(JobRow, number)
    if row is None:
        raise UnknownError(f"there is no job {number}")
    return row


def _job(desk: PeopleDesk, row: JobRow) -> Job:
    return Job(
        row.id,
        row.gateway,
        row.home,
        desk.keys.open(row.meter),
        desk.keys.open(row.address),
        row.steering,
        JobState(row.state),
        row.made_by,
        row.made_at_s,
        row.judged_by,
        row.judged_at_s,
        row.ended_at_s,
    )
