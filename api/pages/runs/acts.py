"""What the board does with a run: what an act will do exactly, and the act itself, once."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from api.cooperative import runs as book
from api.cooperative.canonical import digest
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, NotAllowedError
from api.cooperative.four_eyes import proposal
from api.cooperative.runs import FoundInRun, Run, run_of
from api.cooperative.runs.waiving import LEAST_REASON, MOST_REASON
from api.cooperative.settings import CoopSettings
from api.pages.runs.next import BECOMES, Act
from api.pages.runs.refusals import (
    NotLookedError,
    ReasonError,
    SamePersonError,
    StalePageError,
)
from kwartier.wire import Json

LETTERS = 6
"""How many last letters of the hash an approver types."""
MOST_TICKS = 40
"""How many ticks a form holds; more waivers than that share them, in order."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form brought.

    Attributes:
        seen: The number of the run's last step when the form was drawn.
        reason: Why, where a reason is asked.
        body_hash: The hash that was shown.
        letters: What the approver typed of it.
        ticks: Which groups of waivers were ticked, by their marks.
    """

    seen: int
    reason: str = ""
    body_hash: str = ""
    letters: str = ""
    ticks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Sent:
        """Return what a browser sent; what is no number was never seen."""
        seen = form.get("gezien", "")
        return cls(
            int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 7 else -1,
            " ".join(form.get("reden", "").split()),
            form.get("kenmerk", "")[:64],
            "".join(form.get("letters", "").split()).lower()[:64],
            frozenset(name for name, value in form.items() if value == "ja"),
        )


@dataclass(frozen=True, slots=True)
class WaiverGroup:
    """Waivers that one tick stands for.

    Attributes:
        mark: The tick's name; other waivers, or other reasons, have another one.
        waived: The waivers.
    """

    mark: str
    waived: tuple[FoundInRun, ...]


def perform(desk: Desk, settings: CoopSettings, act: Act, run: str, sent: Sent) -> None:
    """Do an act, once: the same form sent twice by the same officer changes nothing more.

    Raises:
        StalePageError: The run took another step since the form was drawn.
        BooksError: The books refuse it; the class says why.
    """
    known = run_of(desk, run)
    if known.last.number != sent.seen:
        if _was_done(known, act, sent.seen, desk.officer.id):
            return
        raise StalePageError(known)
    _DO[act](desk, settings, known, sent)


def waive(desk: Desk, run: str, key: str, sent: Sent) -> None:
    """Answer for a finding.

    Raises:
        StalePageError: The run took another step since the form was drawn.
        BooksError: The books refuse it; the class says why.
    """
    known = run_of(desk, run)
    if known.last.number != sent.seen:
        raise StalePageError(known)
    check_reason(sent.reason)
    book.waive(desk, run, key, sent.reason)


def waiver_groups(found: Sequence[FoundInRun]) -> list[WaiverGroup]:
    """Return the waivers an approver must open, at most as many groups as a form holds."""
    waived = [each for each in found if each.waived]
    size = max(1, -(-len(waived) // MOST_TICKS))
    return [_group(tuple(waived[start : start + size])) for start in range(0, len(waived), size)]


def check_reason(reason: str, least: int = LEAST_REASON, most: int = MOST_REASON) -> None:
    """Refuse a reason that says nothing, or that fits on no paper.

    Raises:
        ReasonError: It is too short or too long.
    """
    if not least <= len(reason) <= most:
        raise ReasonError(f"the reason has {len(reason)} letters: write {least} to {most}")


def _group(waived: tuple[FoundInRun, ...]) -> WaiverGroup:
    told: list[Json] = [[each.finding.key, each.waived, each.waived_by] for each in waived]
    return WaiverGroup(f"w-{digest(told)[:16]}", waived)


def _was_done(run: Run, act: Act, seen: int, officer: str) -> bool:
    """Return whether an officer took just this step from what the form showed."""
    if not 0 < seen < len(run.steps):
        return False
    step = run.steps[seen]
    return step.state is BECOMES[act] and step.officer == officer


def _propose(desk: Desk, _: CoopSettings, run: Run, __: Sent) -> None:
    book.propose(desk, run.id)


def _approve(desk: Desk, _: CoopSettings, run: Run, sent: Sent) -> None:
    if run.last.proposal is None or not run.last.body_hash:
        raise StalePageError(run)
    proposed = proposal(desk, run.last.proposal)
    same_person = proposed.person == desk.officer.person
    if not same_person:
        _refuse_unseen(desk, run, sent)
    try:
        book.approve(desk, run.id, sent.body_hash)
    except NotAllowedError as error:
        if same_person:
            raise SamePersonError(str(error)) from error
        raise


def _refuse_unseen(desk: Desk, run: Run, sent: Sent) -> None:
    """Refuse an approval of something that was not looked at."""
    shown = run.last.body_hash
    if not hmac.compare_digest(sent.body_hash.encode(), shown.encode()):
        raise StalePageError(run)
    if not hmac.compare_digest(sent.letters.encode(), shown[-LETTERS:].encode()):
        raise NotLookedError(f"the letters are not the last {LETTERS} of the hash")
    unseen = [
        group
        for group in waiver_groups(book.findings(desk, run.id))
        if group.mark not in sent.ticks
    ]
    if unseen:
        raise NotLookedError(f"{len(unseen)} waivers were not opened")


def _reject(desk: Desk, _: CoopSettings, run: Run, sent: Sent) -> None:
    check_reason(sent.reason)
    book.reject(desk, run.id, sent.reason)


def _post(desk: Desk, _: CoopSettings, run: Run, __: Sent) -> None:
    book.post(desk, run.id)


def _invoice(desk: Desk, settings: CoopSettings, run: Run, _: Sent) -> None:
    book.invoice(desk, settings, run.id)


def _close(desk: Desk, _: CoopSettings, run: Run, __: Sent) -> None:
    book.close(desk, run.id)


def _withdraw(desk: Desk, _: CoopSettings, run: Run, sent: Sent) -> None:
    check_reason(sent.reason)
    book.withdraw(desk, run.id, sent.reason)


_DO: Mapping[Act, Callable[[Desk, CoopSettings, Run, Sent], None]] = {
    Act.PROPOSE: _propose,
    Act.APPROVE: _approve,
    Act.REJECT: _reject,
    Act.POST: _post,
    Act.INVOICE: _invoice,
    Act.CLOSE: _close,
    Act.WITHDRAW: _withdraw,
}
ASKS_REASON = frozenset({Act.REJECT, Act.WITHDRAW})
"""Acts that need a reason."""


def month_seen(newest: Run | None) -> str:
    """Return what stands for a month as a form shows it: its newest run and how far that is."""
    return "0" if newest is None else f"{newest.id}.{newest.last.number}"


def was_begun(newest: Run, seen: str, officer: str, reason: str) -> bool:
    """Return whether just this correction was begun by the same form, sent before."""
    begun = newest.steps[0]
    same = (begun.officer, newest.reason) == (officer, reason)
    return same and newest.corrects is not None and seen.startswith(f"{newest.corrects}.")


def refuse_stale_month(newest: Run | None, seen: str) -> None:
    """Refuse a form about a month in which somebody took a step since.

    Raises:
        StalePageError: Somebody did.
        BooksError: There never was such a form.
    """
    if month_seen(newest) == seen:
        return
    if newest is None:
        raise BooksError("this form cannot be read: open the page anew")
    raise StalePageError(newest)
