"""What the board's page of messages shows, and what programs read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from api.cooperative.runs.states import Run
from api.house import House
from api.office import Office
from api.pages.language import Language
from api.people.wishes import Channel
from api.post.board import REASONS, Delivery, RunDelivery, Shown, deliverable, run_delivery
from api.post.counter import Counter
from api.post.outbox import Health, health_of
from api.schemas import moment_time, time_or_none


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """How far one member's statement came.

    Attributes:
        number: The newest message about it.
        party: Whose, an id.
        name: Whose. Personal.
        way: ``email`` or ``paper``.
        state: How far it came.
        at: When that was.
        reason: Why it is not there; empty without one.
        code: The other machine's code; empty without one.
        count: How many messages there are about it.
    """

    number: int
    party: str
    name: str
    way: str
    state: str
    at: datetime
    reason: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class WayAnswer:
    """How a way does."""

    way: str
    open: bool
    last_success: datetime | None
    last_error: datetime | None
    error: str
    waiting: int


@dataclass(frozen=True, slots=True)
class MessagesAnswer:
    """The delivery of one run, page by page.

    Attributes:
        run: The run; None while there is none to deliver.
        runs: The runs there are, the newest first.
        counts: How many statements came how far.
        unsent: How many members got no message yet.
        messages: The members of this page.
        next: Where the next page is; None on the last one.
        ways: How the mail server and the webhook do.
    """

    run: str | None
    runs: tuple[str, ...]
    counts: dict[str, int]
    unsent: int
    messages: tuple[MessageAnswer, ...]
    next: str | None
    ways: tuple[WayAnswer, ...]


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A run in the list to choose from."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PostView:
    """What there is to show: the runs, one run's delivery, and how the ways do."""

    runs: tuple[Run, ...]
    shown: RunDelivery | None
    health: Mapping[Channel, Health | None]


def post_view(house: House, office: Office, run: str = "") -> PostView | None:
    """Return the delivery of a run, the newest when none is named; None when there is no such."""
    with office.reading() as books:
        known = tuple(deliverable(books))
    chosen = next((each for each in known if each.id == run or not run), None)
    if run and chosen is None:
        return None
    shown = None if chosen is None else run_delivery(house, office, chosen)
    ways = Counter.of(house).ways
    with house.people.reading() as desk:
        health = {
            way: health_of(desk, way) if way in ways else None
            for way in (Channel.EMAIL, Channel.WEBHOOK)
        }
    return PostView(known, shown, health)


def post_values(view: PostView, lang: Language, state: str) -> dict[str, object]:
    """Return what the template asks for.

    Args:
        view: What there is.
        lang: The reader's language.
        state: Only statements that came so far; empty for all.
    """
    shown = view.shown
    rows: list[Delivery] = []
    if shown is not None:
        rows = [each for each in shown.deliveries if state in ("", each.shown)]
        rows.sort(key=lambda each: (_ORDER[each.shown], shown.parties[each.party].name))
    return {
        "choices": [RunChoice(run.id, _name(run, lang)) for run in view.runs],
        "shown": shown,
        "rows": rows,
        "state": state,
        "states": list(Shown),
        "health": view.health,
        "reasons": REASONS,
        "page_class": "board",
    }


def messages_answer(
    view: PostView, state: str, limit: int, after: int, address: str
) -> MessagesAnswer:
    """Return a page of a run's delivery, by member; ``after`` members were told before."""
    shown = view.shown
    every = [] if shown is None else [e for e in shown.deliveries if state in ("", e.shown)]
    told = every[after : after + limit]
    more = after + limit < len(every)
    return MessagesAnswer(
        None if shown is None else shown.run.id,
        tuple(run.id for run in view.runs),
        {} if shown is None else {name.value: count for name, count in shown.counts.items()},
        0 if shown is None else len(shown.unsent),
        tuple(_answer(shown, each) for each in told if shown is not None),
        f"{address}&limit={limit}&after={after + limit}" if more else None,
        tuple(_way(way, health) for way, health in view.health.items()),
    )


_ORDER = {
    shown: place
    for place, shown in enumerate(
        (
            Shown.BOUNCED,
            Shown.FAILED,
            Shown.CANCELLED,
            Shown.PRINT,
            Shown.WAITING,
            Shown.SENT,
            Shown.PRINTED,
        )
    )
}
"""What somebody must do something about stands above."""


def _answer(shown: RunDelivery, one: Delivery) -> MessageAnswer:
    return MessageAnswer(
        one.number,
        one.party,
        shown.parties[one.party].name,
        one.way.value,
        one.shown.value,
        moment_time(one.at_s),
        one.reason,
        one.code,
        one.count,
    )


def _way(way: Channel, health: Health | None) -> WayAnswer:
    if health is None:
        return WayAnswer(
            way.value, open=False, last_success=None, last_error=None, error="", waiting=0
        )
    return WayAnswer(
        way.value,
        open=True,
        last_success=time_or_none(health.last_sent_s),
        last_error=time_or_none(health.last_error_s),
        error=health.last_error,
        waiting=health.waiting,
    )


def _name(run: Run, lang: Language) -> str:
    first: date = run.name.month.first
    return lang.say("post.run.name", month=lang.month_name(first), version=run.name.version)
