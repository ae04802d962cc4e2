"""What waits for a second person, with its full content in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pydantic import JsonValue

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, Proposal, approval, open_proposals, proposal
from api.cooperative.law import decision_or_none
from api.cooperative.law.versions import replay_hash_in
from api.cooperative.payments import payment_files
from api.cooperative.registry.payout_book import opened_iban
from api.cooperative.tables.registry import PayoutAccountRow
from api.pages.language import Language
from api.pages.rules.street import asset_facts
from api.pages.rules.words import (
    Fact,
    from_text,
    key_facts,
    percent,
    tariff_facts,
    vat_name,
)
from api.people.visitor import Visitor
from kwartier.ledger import Unit
from kwartier.wire import Json

RULES = frozenset({Matter.TARIFF, Matter.KEY, Matter.ASSET})
"""Matters that residents are told of, with their own effect."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal on a page.

    Attributes:
        proposal: What was proposed, by whom and when.
        title: What it is about, in words.
        own: Whether the visitor proposed it: somebody else decides.
        path: Where it is decided on.
    """

    proposal: Proposal
    title: str
    own: bool
    path: str

    @property
    def elsewhere(self) -> bool:
        """Whether it is decided on with the run it belongs to."""
        return self.proposal.matter is Matter.RUN


@dataclass(frozen=True, slots=True)
class ProposalAnswer:
    """A proposal for programs."""

    id: int
    matter: str
    subject: str
    body: JsonValue
    body_hash: str
    replay_hash: str
    officer: str
    at: str


def waiting_list(desk: Desk, visitor: Visitor, lang: Language) -> list[Waiting]:
    """Return everything that waits for a second person, the oldest first."""
    return [waiting(each, visitor, lang) for each in open_proposals(desk)]


def waiting(found: Proposal, visitor: Visitor, lang: Language) -> Waiting:
    """Return a proposal as it stands in a list."""
    path = f"/bestuur/voorstellen/{found.id}"
    if found.matter is Matter.RUN:
        path = f"/bestuur/runs/{found.subject}"
    own = visitor.officer == found.officer or (
        visitor.party != "" and visitor.party == found.person
    )
    title = lang.say(f"proposal.title.{found.matter}", subject=found.subject)
    return Waiting(found, title, own, path)


def is_open(desk: Desk, found: Proposal) -> bool:
    """Return whether nobody decided on a proposal yet."""
    return any(each.id == found.id for each in open_proposals(desk))


def outcome_of(desk: Desk, found: Proposal) -> str:
    """Return ``waiting``, ``approved`` or ``rejected``."""
    if is_open(desk, found):
        return "waiting"
    given = approval(desk, found.matter, found.subject, found.body)
    return "approved" if given is not None and given.proposal == found.id else "rejected"


def rule_proposal(desk: Desk, number: int) -> Proposal | None:
    """Return a proposal of a tariff or a key that came with a replay; None for any other."""
    try:
        found = proposal(desk, number)
    except BooksError:
        return None
    told = found.matter in RULES and replay_hash_in(found.body) != ""
    return found if told else None


def rule_proposals(desk: Desk) -> list[Proposal]:
    """Return the tariffs and keys that wait and whose effect residents can look at."""
    return [
        each for each in open_proposals(desk)
        if each.matter in RULES and replay_hash_in(each.body)
    ]  # fmt: skip


def facts_of(desk: Desk, found: Proposal, lang: Language) -> list[Fact]:
    """Return the full content of a proposal, line by line; an account is written out."""
    body = found.body if isinstance(found.body, dict) else {}
    facts = _TELL[found.matter](desk, body, lang)
    decision = body.get("decision")
    if isinstance(decision, str) and decision:
        facts.append((lang.say("proposal.decision"), _decision(desk, decision, lang)))
    return facts


def answer_of(found: Proposal, at: str) -> ProposalAnswer:
    """Return a proposal for programs; it holds ids and hashes, no personal data."""
    return ProposalAnswer(
        found.id,
        found.matter.value,
        found.subject,
        found.body,
        found.body_hash,
        replay_hash_in(found.body),
        found.officer,
        at,
    )


def _decision(desk: Desk, number: str, lang: Language) -> str:
    known = decision_or_none(desk, number)
    if known is None:
        return number
    told = {"number": number, "title": known.title, "day": lang.full_date(known.decided_on)}
    return lang.say("proposal.decision.told", **told)


def _tariff(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    first = (lang.say("proposal.from"), from_text(dict(body), lang))
    return [first, *tariff_facts(dict(body), lang)]


def _key(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    first = (lang.say("proposal.from"), from_text(dict(body), lang))
    return [first, *key_facts(dict(body), lang)]


def _asset(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    first = (lang.say("proposal.from"), from_text(dict(body), lang))
    return [first, *asset_facts(body, lang)]


def _vat(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    return [
        (lang.say("proposal.vat.code"), vat_name(_text(body, "code"), lang)),
        (lang.say("proposal.vat.rate"), percent(_text(body, "rate"), lang)),
        (lang.say("proposal.from"), from_text(dict(body), lang)),
        (lang.say("proposal.vat.source"), _text(body, "source")),
    ]


def _iban(desk: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    row = desk.session.get(PayoutAccountRow, body.get("account"))
    account = "" if row is None else opened_iban(desk, row)
    parts = " ".join(account[at : at + 4] for at in range(0, len(account), 4))
    return [
        (lang.say("proposal.party"), _text(body, "party")),
        (lang.say("proposal.iban"), parts or lang.say("proposal.iban.gone")),
    ]


def _payment(desk: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    message = _text(body, "message")
    runs = [each.run for each in payment_files(desk) if each.message == message]
    return [
        (lang.say("proposal.direction"), lang.say(f"proposal.direction.{body['direction']}")),
        (lang.say("proposal.run"), ", ".join(runs)),
        (lang.say("proposal.day"), lang.full_date(date.fromisoformat(_text(body, "day")))),
        (lang.say("proposal.count"), lang.whole(_whole(body, "count"))),
        (lang.say("proposal.amount"), lang.cents(_whole(body, "cents"))),
        (lang.say("proposal.file"), message),
        (lang.say("proposal.bytes"), _text(body, "sha256")),
    ]


def _journal(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    facts = [
        (lang.say("proposal.reason"), _text(body, "reason")),
        (lang.say("proposal.day"), lang.full_date(date.fromisoformat(_text(body, "day")))),
        (lang.say("proposal.reference"), _text(body, "reference")),
    ]
    if body.get("item"):
        facts.append((lang.say("proposal.paper"), _text(body, "item")))
    lines = body.get("lines")
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, list) and isinstance(line[2], int):
            amount = lang.cents(line[2]) if line[1] == Unit.EUR_CENT else f"{line[2]} {line[1]}"
            facts.append((lang.say("proposal.account", account=str(line[0])), amount))
    return facts


def _officer(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    roles = body.get("roles")
    named = [lang.say(f"proposal.role.{role}") for role in roles] if isinstance(roles, list) else []
    until = body.get("until")
    end = lang.full_date(date.fromisoformat(until)) if isinstance(until, str) else ""
    return [
        (lang.say("proposal.officer"), _text(body, "officer")),
        (lang.say("proposal.party"), _text(body, "person")),
        (lang.say("proposal.roles"), ", ".join(named)),
        (lang.say("proposal.until"), end or lang.say("proposal.until.none")),
    ]


def _run(_: Desk, body: Mapping[str, Json], lang: Language) -> list[Fact]:
    return [(lang.say("proposal.run"), _text(body, "run"))]


_TELL: Mapping[Matter, Callable[[Desk, Mapping[str, Json], Language], list[Fact]]] = {
    Matter.TARIFF: _tariff,
    Matter.KEY: _key,
    Matter.VAT: _vat,
    Matter.IBAN: _iban,
    Matter.PAYMENT: _payment,
    Matter.WRITE_OFF: _journal,
    Matter.JOURNAL: _journal,
    Matter.OFFICER: _officer,
    Matter.ASSET: _asset,
    Matter.RUN: _run,
}


def _text(body: Mapping[str, Json], name: str) -> str:
    value = body.get(name)
    return "" if value is None else str(value)


def _whole(body: Mapping[str, Json], name: str) -> int:
    value = body.get(name)
    return int(Fraction(str(value))) if value is not None else 0
