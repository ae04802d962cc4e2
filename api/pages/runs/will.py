"""What an act will do, exactly, in sentences: read before the button is pressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from api.cooperative.database import Desk
from api.cooperative.documents import Series
from api.cooperative.law import parameter
from api.cooperative.runs import Run, State
from api.cooperative.runs.changes import Delta, delta_of
from api.cooperative.runs.frozen_result import entries_of
from api.cooperative.runs.invoicing import PAYMENT_DAYS
from api.cooperative.runs.papers import live_papers
from api.cooperative.runs.posting import entries_of_run, posting_day
from api.cooperative.runs.states import run_of
from api.cooperative.runs.storing import computation_of
from api.pages.language import Language
from api.pages.runs.next import Act
from kwartier.interval import day_of


def will(desk: Desk, run: Run, act: Act, lang: Language) -> tuple[str, ...]:
    """Return what an act will do, in sentences; the run stands where the act begins."""
    first = lang.say(f"runs.will.{act.word}")
    more = _MORE.get(act)
    return (first, *(more(desk, run, lang) if more else ()))


def month_text(run: Run, lang: Language) -> str:
    """Return a run's month in words."""
    return lang.month_name(run.name.month.first)


def delta_or_none(desk: Desk, run: Run) -> Delta | None:
    """Return what a correction changes; None for a first version."""
    return None if run.corrects is None else delta_of(desk, run, computation_of(desk, run))


def _propose(desk: Desk, run: Run, lang: Language) -> list[str]:
    delta = delta_or_none(desk, run)
    little = delta is not None and delta.under_a_cent
    return [lang.say(f"runs.will.propose.{'under_a_cent' if little else 'after'}")]


def _approve(desk: Desk, run: Run, lang: Language) -> list[str]:
    del desk, run
    return [lang.say("runs.will.approve.after")]


def _post(desk: Desk, run: Run, lang: Language) -> list[str]:
    entries = len(entries_of(computation_of(desk, run).result))
    told = [lang.count("runs.will.post.entries", entries)]
    if run.corrects is not None:
        back = len(entries_of_run(desk, run.corrects))
        told.insert(0, lang.count("runs.will.post.back", back))
    day = posting_day(desk, run)
    return [*told, lang.say("runs.will.post.day", day=lang.day_name(day), year=str(day.year))]


def _invoice(desk: Desk, run: Run, lang: Language) -> list[str]:
    sides = [
        booked.journal.entry.reference.rsplit(" ", 2)[1:] for booked in entries_of_run(desk, run.id)
    ]
    owed = {member for side, member in sides if side == "invoice"}
    earned = {member for side, member in sides if side != "invoice"}
    told = []
    delta = delta_or_none(desk, run)
    if delta is not None and run.corrects is not None:
        owed, earned = owed & delta.owed, earned & delta.earned
        old = live_papers(desk, run_of(desk, run.corrects))
        taken_back = sum(
            name in (delta.owed if series is Series.INVOICE else delta.earned)
            for name, series in old
        )
        told.append(lang.count("runs.will.invoice.credits", taken_back))
    told.append(lang.count("runs.will.invoice.invoices", len(owed)))
    told.append(lang.count("runs.will.invoice.purchases", len(earned)))
    days = int(parameter(desk, PAYMENT_DAYS, desk.at_s).value)
    due = day_of(desk.at_s) + timedelta(days=days)
    return [*told, lang.say("runs.will.invoice.due", day=lang.day_name(due), year=str(due.year))]


def _close(desk: Desk, run: Run, lang: Language) -> list[str]:
    del desk
    return [lang.say("runs.will.close.lock", month=month_text(run, lang))]


def _reject(desk: Desk, run: Run, lang: Language) -> list[str]:
    del desk, run
    return [lang.say("runs.will.reject.after")]


def _withdraw(desk: Desk, run: Run, lang: Language) -> list[str]:
    del desk
    approved = run.state is State.APPROVED
    return [lang.say("runs.will.withdraw.approved")] if approved else []


_MORE: Mapping[Act, Callable[[Desk, Run, Language], list[str]]] = {
    Act.PROPOSE: _propose,
    Act.APPROVE: _approve,
    Act.POST: _post,
    Act.INVOICE: _invoice,
    Act.CLOSE: _close,
    Act.REJECT: _reject,
    Act.WITHDRAW: _withdraw,
}
