"""PDF/UA: the letter to a member, and the legal papers that come with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api.cooperative.papers import letter
from api.cooperative.papers.bars import bars_of
from api.cooperative.papers.legal import LegalPaper
from api.cooperative.papers.tax import why_without
from api.cooperative.papers.typeset import pdf_of
from api.cooperative.papers.wording import Wording, wording
from api.cooperative.statement import CoopPart, Statement, StatementLine, VatLine


@dataclass(frozen=True, slots=True)
class _Side:
    """What is owed, or what was earned, with its sums."""

    title: str
    lines: tuple[StatementLine, ...]
    vat: tuple[VatLine, ...]
    net_cents: int
    vat_cents: int

    @property
    def gross_cents(self) -> int:
        """VAT included."""
        return self.net_cents + self.vat_cents

    @property
    def charges(self) -> list[letter.ChargeTotal]:
        """The lines by charge."""
        return letter.charge_totals(self.lines)

    @property
    def taxed(self) -> bool:
        """Whether any of it has a rate of VAT."""
        return any(part.rate for part in self.vat)


def statement_pdf(statement: Statement) -> bytes:
    """Return a member's letter as tagged PDF; the same statement gives the same bytes.

    Raises:
        SettingsError: Pango, which draws the letters, is not installed.
    """
    return pdf_of(statement_html(statement))


def legal_pdf(paper: LegalPaper, statement: Statement) -> bytes:
    """Return an invoice, self-billed note or credit note as tagged PDF, likewise.

    Args:
        paper: The paper.
        statement: The member's statement that it belongs to; of a credit note, the original's.
    """
    return pdf_of(legal_html(paper, statement))


def statement_html(statement: Statement) -> str:
    """Return the letter as the page that is printed."""
    words = wording(statement.party.language)
    period = words.period(statement.first, statement.last)
    values: dict[str, object] = {
        **_frame(statement, words, words.say("statement.title", period=period)),
        "meta": _meta(statement, words, period),
        "total": letter.total_sentence(words, statement.to_pay_cents),
        "total_word": letter.total_word(words, statement.to_pay_cents),
        "total_of": lambda cents: letter.total_sentence(words, cents),
        "payment": letter.payment_sentences(words, statement),
        "difference": letter.correction_sentence(
            words, statement.to_pay_cents, statement.correction.delta_cents
        )
        if statement.correction is not None
        else "",
        "summary": letter.period_sentences(words, statement),
        "sides": _sides(statement, words),
        "example": letter.worked_example(statement),
        "residuals": [letter.residual_of(part) for part in statement.connections],
        "bars_of": bars_of,
    }
    return _draw("statement.html", values)


def legal_html(paper: LegalPaper, statement: Statement) -> str:
    """Return a legal paper as the page that is printed."""
    words = wording(statement.party.language)
    title = words.say("legal.title", kind=words.say(f"legal.{paper.kind}"), number=paper.number)
    values: dict[str, object] = {
        **_frame(statement, words, title),
        "created": paper.issued.isoformat(),
        "meta": [
            (words.say("legal.number"), paper.number),
            (words.say("legal.date"), words.day(paper.issued)),
            *([(words.say("legal.due"), words.day(paper.due))] if paper.due else []),
            (words.say("legal.period"), words.period(paper.first, paper.last)),
            (words.say("meta.run"), statement.run),
        ],
        "p": paper,
        "sign": -1 if paper.is_credit else 1,
        "exemption": words.say(f"without.{why}") if (why := why_without(paper)) else "",
        "total": letter.total_sentence(words, statement.to_pay_cents),
        "address_lines": letter.address_lines,
    }
    return _draw("legal.html", values)


def _frame(statement: Statement, words: Wording, title: str) -> dict[str, object]:
    """Return what stands around every paper."""
    coop = statement.coop
    return {
        "words": words,
        "say": words.say,
        "title": title,
        "s": statement,
        "coop": coop,
        "created": "" if statement.issued is None else statement.issued.isoformat(),
        "css": Markup(_style()),  # noqa: S704 - a file of ours
        "draft": _watermark(words) if letter.is_draft(statement) else "",
        "foot": _foot(coop, words, statement.run_hash),
        "sender": [
            *letter.address_lines(coop.address),
            *([coop.phone] if coop.phone else []),
            *([coop.email] if coop.email else []),
        ],
        "return_address": ", ".join(letter.address_lines(coop.address)),
        "to": [statement.party.name, *letter.address_lines(statement.party.address)],
        "warnings": letter.warning_sentences(words, statement),
        "question": letter.question_sentence(words, statement),
        "ean": {part.id: part.ean for part in statement.connections},
        "estimated_part": letter.estimated_part,
    }


def _meta(statement: Statement, words: Wording, period: str) -> list[tuple[str, str]]:
    """Return what stands beside the address: only what there is."""
    issued = words.say("meta.none") if statement.issued is None else words.day(statement.issued)
    told = [
        (words.say("meta.date"), issued),
        (words.say("meta.period"), period),
        (words.say("meta.run"), statement.run),
        (words.say("meta.member"), statement.party.id),
        (words.say("meta.invoice"), statement.invoice_number),
        (words.say("meta.purchase"), statement.purchase_number),
        (words.say("meta.questions"), statement.coop.phone),
    ]
    return [(name, value) for name, value in told if value]


def _sides(statement: Statement, words: Wording) -> list[_Side]:
    owed = _Side(
        words.say("lines.owed"),
        tuple(letter.owed(statement)),
        tuple(part for part in statement.vat if not part.earned),
        statement.net_cents,
        statement.vat_cents,
    )
    earned = _Side(
        words.say("lines.earned"),
        tuple(letter.earned(statement)),
        tuple(part for part in statement.vat if part.earned),
        statement.earned_cents,
        statement.earned_vat_cents,
    )
    return [side for side in (owed, earned) if side.lines]


def _foot(coop: CoopPart, words: Wording, run_hash: str) -> list[list[str]]:
    """Return the two lines under every page: who it is, and what it can be checked against."""
    who = [coop.name]
    if coop.kvk:
        who.append(words.say("foot.kvk", kvk=coop.kvk))
    if coop.vat_number:
        who.append(words.say("foot.vat", vat=coop.vat_number))
    what = [words.say("foot.seal", hash=run_hash[:12])]
    if coop.iban:
        what.insert(0, words.say("foot.iban", iban=letter.iban_in_fours(coop.iban)))
    return [who, what]


def _watermark(words: Wording) -> str:
    """Return the pale word behind a draft, as an image within the page."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 190 240'>"
        "<text x='95' y='120' font-family='Inter, DejaVu Sans, sans-serif' font-weight='700'"
        " font-size='46' letter-spacing='2' text-anchor='middle' fill='#f4f2ec'"
        f" transform='rotate(-52 95 120)'>{words.say('draft')}</text></svg>"
    )
    return f"data:image/svg+xml,{quote(drawing)}"


def _draw(template: str, values: Mapping[str, object]) -> str:
    return _templates().get_template(template).render(values)


@cache
def _style() -> str:
    return files("api.cooperative.papers").joinpath("templates", "paper.css").read_text("utf-8")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("api.cooperative.papers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["lower_first"] = _lower_first
    return made


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
