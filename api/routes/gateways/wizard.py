"""The wizard of a box, seen and pressed by the installer of its home from anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Query, Request, Response

from api.auth import Doorkeeper, Need, Require
from api.enrolment.certificates import in_force
from api.enrolment.claims import newest_claim
from api.enrolment.jobs import Job, JobState, job_of
from api.enrolment.mirrors import NoAnswerError, Told
from api.house import House
from api.pages.jobs import JobLine, JobStep, job_line
from api.pages.language import Language
from api.pages.sheets import Sheets, go, language_of
from api.pages.wizard import (
    Entry,
    StepSheet,
    first_step,
    later_step,
    places_of,
    problem_of,
    unknown_step,
)
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import UnknownError
from api.people.visitor import Visitor
from api.problems import RefusedError
from api.routes.forms import Form
from api.routes.gateways.jobs import JobNumber
from api.schemas import moment_time
from gateway.commission.book import STEPS, Step
from gateway.commission.press import AT_THE_BOX, PressOutcome, is_for_afar
from kwartier.errors import LinkDownError

PAGE = "/i/klussen"
RELOAD_S = 5
"""How often a page looks again while something moves [s]."""
LONGEST_FIELD = 120
StepNumber = Annotated[int, Path(ge=1, le=len(STEPS))]


@dataclass(frozen=True, slots=True)
class SaidAnswer:
    """One thing that was measured: the key of the box's words, and the numbers in them."""

    key: str
    tone: str
    facts: dict[str, int | float | str | None]


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """A step as the box told it; ``ended`` is how it ended, null while it is to do."""

    step: str
    key: str
    tone: str
    facts: dict[str, int | float | str | None]
    ended: str | None
    lines: tuple[SaidAnswer, ...]
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WizardAnswer:
    """A job, and the steps as its box told them last; none while no wizard was heard."""

    job: int
    gateway: str
    home: str
    step: JobStep
    heard: datetime | None
    away: bool
    steps: tuple[StepAnswer, ...]


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str
    status: HTTPStatus


class WizardPages:
    """Draws the steps of a job."""

    def __init__(self, house: House, sheets: Sheets) -> None:
        """Draw for the jobs of a house."""
        self._house, self._sheets = house, sheets

    def show(
        self,
        request: Request,
        visitor: Visitor,
        job: Job,
        step: Step | None = None,
        problem: _Problem | None = None,
    ) -> Response:
        """Return the page of a step; of the first that is still to do where none is asked."""
        lang, told = language_of(request, visitor), told_of(self._house, job)
        with self._house.people.reading() as desk:
            line, entry = job_line(desk, job), _entry(self._house, desk, job)
        wanted = step or _next(line, told)
        sheet = _sheet(wanted, line, entry, told, lang)
        still = request.query_params.get("stil") == "1"
        away = told is not None and told.is_away
        moves = (sheet.moving or away) and problem is None
        values = {
            "job": job,
            "line": line,
            "told": told,
            "away": away,
            "sheet": sheet,
            "places": places_of(line, told, lang),
            "page": f"{PAGE}/{job.id}",
            "moves": moves,
            "still": still,
            "problem": "" if problem is None else problem.text,
            "draws": wanted is Step.ENROL and line.step.is_on_its_way,
        }
        answer = self._sheets.show(
            request,
            visitor,
            "jobs_wizard.html",
            values,
            title="title.wizard",
            tab="work",
            status=HTTPStatus.OK if problem is None else problem.status,
        )
        if moves and not still:
            answer.headers["Refresh"] = str(RELOAD_S)
        return answer


def add_wizard(app: FastAPI, house: House, door: Doorkeeper, pages: WizardPages) -> None:
    """Add the steps of a job below ``/i/klussen``, their buttons, and what programs read."""
    installer = Depends(Require(door, Need.INSTALLER))

    @app.get(f"{PAGE}/{{job}}", include_in_schema=False)
    def next_step(
        request: Request,
        visitor: Annotated[Visitor, installer],
        job: JobNumber,
        stil: Annotated[str, Query(max_length=1)] = "",  # noqa: ARG001 - the page reads it
    ) -> Response:
        return pages.show(request, visitor, own_job(house, visitor, job))

    @app.get(f"{PAGE}/{{job}}/stap/{{number}}", include_in_schema=False)
    def one_step(
        request: Request, visitor: Annotated[Visitor, installer], job: JobNumber, number: StepNumber
    ) -> Response:
        return pages.show(request, visitor, own_job(house, visitor, job), STEPS[number - 1])

    @app.post(f"{PAGE}/{{job}}/stap/{{number}}", include_in_schema=False)
    def press(
        request: Request,
        visitor: Annotated[Visitor, installer],
        job: JobNumber,
        number: StepNumber,
        sent: Form,
    ) -> Response:
        found, step = own_job(house, visitor, job), STEPS[number - 1]
        pressed = _pressed(house, visitor, found, step, sent, language_of(request, visitor))
        if isinstance(pressed, _Problem):
            return pages.show(request, visitor, found, step, pressed)
        return go(f"{PAGE}/{job}/stap/{STEPS.index(pressed) + 1}")

    @app.get("/api/v1/jobs/own/{job}", tags=["gateways"], summary="How a wizard stands")
    def told(visitor: Annotated[Visitor, installer], job: JobNumber) -> WizardAnswer:
        found = own_job(house, visitor, job)
        with house.people.reading() as desk:
            line = job_line(desk, found)
        return _answer(line, told_of(house, found))


def own_job(house: House, visitor: Visitor, number: int) -> Job:
    """Return a job at a home where somebody works now; any other does not exist for them.

    Raises:
        RefusedError: There is none.
    """
    try:
        with house.people.reading() as desk:
            job = job_of(desk, number)
    except UnknownError:
        job = None
    if job is None or job.home not in visitor.works_at:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no job {number} for you")
    return job


def told_of(house: House, job: Job) -> Told | None:
    """Return how the wizard of a job's box stands; None for a job that is over.

    What another box told under this name before the job was made is not of this one.
    """
    told = house.wizards.of(job.gateway) if job.state is JobState.APPROVED else None
    return None if told is None or told.heard_s < job.made_at_s else told


def _next(line: JobLine, told: Told | None) -> Step:
    if told is not None and not line.step.is_on_its_way:
        return told.mirror.next
    return Step.ENROL


def _sheet(step: Step, line: JobLine, entry: Entry, told: Told | None, lang: Language) -> StepSheet:
    if step is Step.ENROL:
        return first_step(line, entry, told, lang)
    if told is None:
        return unknown_step(step, line, lang)
    return later_step(told.mirror.of(step), lang)


def _entry(house: House, desk: PeopleDesk, job: Job) -> Entry:
    claim = newest_claim(desk, job.id)
    given = [row.from_s for row in in_force(desk, job.gateway) if row.job == job.id]
    alive = [] if not given else [one.heard_s for one in [told_of(house, job)] if one is not None]
    state = house.gateways.all().get(job.gateway)
    if given and state is not None and state.state.at_s >= min(given):
        alive.append(min(state.state.at_s, int(house.clock.now_s())))
    return Entry(
        job.judged_at_s if job.state is JobState.APPROVED else None,
        None if claim is None else claim.made_at_s,
        None if claim is None or claim.spoiled else claim.shown_at_s,
        max(alive, default=None),
    )


def _pressed(
    house: House,
    visitor: Visitor,
    job: Job,
    step: Step,
    sent: Mapping[str, str],
    lang: Language,
) -> Step | _Problem:
    """Press a button of a box, and return the step to show then, or why it did nothing."""
    do = sent.get("do", "")[:80]
    form = {name: text.strip() for name, text in sent.items() if name != "do"}
    told = told_of(house, job)
    if told is None:
        return _Problem(lang.say("wizard.silent"), HTTPStatus.CONFLICT)
    if not do.isprintable() or not is_for_afar(step, do):
        return _Problem(problem_of(AT_THE_BOX, lang), HTTPStatus.CONFLICT)
    if any(len(text) > LONGEST_FIELD or not text.isprintable() for text in form.values()):
        return _Problem(problem_of("refused.name", lang), HTTPStatus.UNPROCESSABLE_ENTITY)
    with house.people.writing() as desk:
        facts: dict[str, str | int] = {"job": job.id, "step": step.value, "do": do}
        record(desk, visitor.account, "job.press", job.gateway, {**facts})
    try:
        answer = house.wizards.press(job.gateway, step, do, form)
    except LinkDownError:
        return _Problem(lang.say("wizard.no_link"), HTTPStatus.SERVICE_UNAVAILABLE)
    except NoAnswerError:
        return _Problem(lang.say("wizard.unanswered"), HTTPStatus.SERVICE_UNAVAILABLE)
    match answer.outcome:
        case PressOutcome.DONE:
            return answer.then
        case PressOutcome.REFUSED:
            return _Problem(problem_of(answer.why, lang), HTTPStatus.CONFLICT)
        case PressOutcome.LATE:
            return _Problem(lang.say("wizard.late"), HTTPStatus.CONFLICT)
        case PressOutcome.KNOWN:
            return _Problem(lang.say("wizard.known"), HTTPStatus.CONFLICT)


def _answer(line: JobLine, told: Told | None) -> WizardAnswer:
    steps = () if told is None else told.mirror.steps
    return WizardAnswer(
        line.id,
        line.gateway,
        line.home,
        line.step,
        None if told is None else moment_time(told.heard_s),
        told is None or told.is_away,
        tuple(
            StepAnswer(
                one.view.step.value,
                one.view.key,
                one.view.tone.value,
                dict(one.view.facts),
                None if one.mark is None else one.mark.value,
                tuple(
                    SaidAnswer(line.key, line.tone.value, dict(line.facts))
                    for line in one.view.lines
                ),
                tuple(act.do for act in one.view.acts if not act.here),
            )
            for one in steps
        ),
    )
