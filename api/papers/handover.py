"""The handover of a home as PDF: what its gateway measured and signed, for resident and board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files

from api.pages.qr import qr_image
from api.papers.typeset import pdf
from gateway.commission.paper import numbers_of
from gateway.commission.record import address_of, digest_of
from gateway.commission.words import LANGUAGES, Words
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE
from kwartier.packing import LAST_INSTANT_S, Json

_LOCALES = {"nl": "nl-NL", "en": "en-GB"}
_MOST_DEVICES = 64
_LONGEST = 400
_VERSION = 1


def handover_pdf(
    record: Mapping[str, Json], language: str = LANGUAGES[0], server_url: str = ""
) -> bytes:
    """Return a handover as tagged PDF (PDF/UA-1); the same record gives the same bytes.

    Args:
        record: What the gateway signed, as ``gateway.commission.record`` made it.
        language: ``nl`` or ``en``; any other is Dutch.
        server_url: Where the home's page is, for the QR; empty for the record's own mark.

    Raises:
        ContractError: It is no handover of an edition that we know.
        SettingsError: What sets letters is not installed; the message says what to install.
    """
    return pdf(handover_html(record, language, server_url))


def handover_html(
    record: Mapping[str, Json], language: str = LANGUAGES[0], server_url: str = ""
) -> str:
    """Return the page that becomes the PDF; arguments and errors as ``handover_pdf``."""
    told = handover_told(record, language)
    words, home, whole = told.words, _part(record, "home"), dict(record)
    say = words.say
    address = address_of(whole, server_url, _text(home, "gateway") if home.get("coop") else "")
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in told.head)
    title = f"{say('paper.title')} {_text(home, 'address')}".strip()
    return (
        f'<!doctype html><html lang="{_LOCALES[words.tag]}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body>"
        f'<p class="mark-of">{escape(say("brand"))}</p><h1>{escape(say("paper.title"))}</h1>'
        f'<div class="head"><dl>{facts}</dl>'
        f'<img src="{qr_image(address)}" alt="{escape(say("paper.qr"))}"></div>'
        f'<p class="verdict{" good" if told.steering else ""}">{escape(told.verdict)}</p>'
        f"{''.join(_section(words, title, rows) for title, rows in told.parts)}"
        f'<p class="signed">{escape(say("paper.signed"))}</p>'
        f'<p class="hash">{digest_of(whole)}</p></body></html>'
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A handover in words: what the page and the PDF say.

    Attributes:
        words: In whose language.
        head: Which home and which gateway, name by name.
        steering: Whether batteries may be steered.
        verdict: The same as a sentence.
        parts: Title by title what was found, measured and agreed.
    """

    words: Words
    head: list[tuple[str, str]]
    steering: bool
    verdict: str
    parts: list[tuple[str, list[tuple[str, str]]]]


def handover_told(record: Mapping[str, Json], language: str = LANGUAGES[0]) -> Told:
    """Return a handover in words.

    Raises:
        ContractError: It is no handover of an edition that we know.
    """
    home, made_at_s = _part(record, "home"), record.get("made_at_s")
    if record.get("version") != _VERSION or type(made_at_s) is not int:
        raise ContractError("this handover is of no edition that is known here")
    if not 0 <= made_at_s <= LAST_INSTANT_S or not home:
        raise ContractError("this handover names no home, or no time")
    words = Words(language if language in LANGUAGES else LANGUAGES[0])
    say, steering = words.say, record.get("steering") is True
    made = datetime.fromtimestamp(made_at_s, HOME_ZONE)
    head = [
        (say("paper.address"), _text(home, "address") or say("paper.not-yet")),
        (say("paper.gateway"), _text(home, "gateway") if home.get("coop") else "\N{EN DASH}"),
        (say("paper.mark"), _text(home, "fingerprint")),
        (say("paper.made"), f"{made:%d-%m-%Y %H:%M}"),
    ]
    parts = [
        (say("paper.devices"), list(_devices(words, record))),
        (say("paper.steps"), list(_steps(words, record))),
        (say("paper.consent"), list(_consent(words, record))),
    ]
    verdict = say("paper.steer-on" if steering else "paper.steer-off")
    return Told(words, head, steering, verdict, parts)


def _section(words: Words, title: str, rows: list[tuple[str, str]]) -> str:
    """Return a table with its heading; where nothing is, a sentence."""
    head = f"<h2>{escape(title)}</h2>"
    if not rows:
        return f"{head}<p>{escape(words.say('paper.none'))}</p>"
    drawn = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(told)}</td></tr>'
        for name, told in rows
    )
    columns = "".join(
        f'<th scope="col">{escape(words.say(key))}</th>' for key in ("paper.what", "paper.how")
    )
    return f"{head}<table><thead><tr>{columns}</tr></thead><tbody>{drawn}</tbody></table>"


def _devices(words: Words, record: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    devices = record.get("devices")
    for one in devices[:_MOST_DEVICES] if isinstance(devices, list) else []:
        if isinstance(one, dict):
            told = [_text(one, "make"), _text(one, "model")]
            if one.get("serial4"):
                told.append(f"…{_text(one, 'serial4')}")
            if one.get("turned") is True:
                told.append(f"({words.say('paper.turned')})")
            yield _capital(words.device(_text(one, "name"))), " ".join(filter(None, told))


def _steps(words: Words, record: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, one in list(_part(record, "steps").items())[:_MOST_DEVICES]:
        key = f"step.{name}"
        if isinstance(one, dict) and name != "consent" and key in words.texts:
            verdict = words.say("paper.later" if one.get("mark") == "later" else "paper.good")
            told = [verdict, *_numbers(words, name, _part(one, "facts"))]
            yield words.say(key), ", ".join(told)[:_LONGEST]


def _numbers(words: Words, step: str, facts: Mapping[str, Json]) -> list[str]:
    """Return what was measured in a step; nothing where the record leaves a number out."""
    try:
        return numbers_of(words, step, facts)
    except (KeyError, ValueError, OverflowError):
        return []


def _consent(words: Words, record: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    facts = _part(_part(_part(record, "steps"), "consent"), "facts")
    yield words.say("field.name"), _text(facts, "name")
    for key, name in (("paper.readings", "readings"), ("paper.steering", "steering")):
        yield words.say(key), words.say("paper.yes" if facts.get(name) is True else "paper.no")


def _part(record: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _text(part: Mapping[str, Json], key: str) -> str:
    value = part.get(key)
    return value[:_LONGEST] if isinstance(value, str) else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _style() -> str:
    return files("api.papers").joinpath("style", "handover.css").read_text("utf-8")
