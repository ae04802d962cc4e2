"""The handover as a page to print: what was measured, who agreed, and a QR."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

import segno

from gateway.commission.book import Mark, Step
from gateway.commission.pages import page
from gateway.commission.view import Value
from gateway.commission.words import Words
from kwartier.interval import HOME_ZONE
from kwartier.packing import Json


def handover_page(words: Words, record: Mapping[str, Json], address: str, digest: str) -> str:
    """Return the page of a handover.

    Args:
        words: Whose language.
        record: As ``record_of`` made it.
        address: What the QR says.
        digest: The record's SHA-256 in hex.
    """
    say = words.say
    home = _part(record, "home")
    made = datetime.fromtimestamp(_whole(record.get("made_at_s")), HOME_ZONE)
    place = str(home.get("address") or "") or say("paper.not-yet")
    steering = record.get("steering") is True
    facts = (
        ("paper.address", place),
        ("paper.gateway", str(home.get("gateway")) if home.get("coop") else say("paper.not-yet")),
        ("paper.mark", str(home.get("fingerprint") or "")),
        ("paper.made", f"{made:%d-%m-%Y %H:%M}"),
    )
    body = (
        f'<article class="paper"><h1>{escape(say("paper.title"))}</h1>'
        f'<div class="sheet"><section><h2>{escape(say("paper.home"))}</h2><dl>'
        + "".join(f"<div><dt>{escape(say(k))}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
        + f"</dl></section>{_qr(address, say('paper.qr'))}</div>"
        f'<p class="notice {"good" if steering else "wait"}">'
        f"{escape(say('paper.steer-on' if steering else 'paper.steer-off'))}</p>"
        f"{_devices(words, record)}{_measured(words, record)}{_consent(words, record)}"
        f'<p class="hash">{escape(say("paper.signed"))} {escape(digest)}</p>'
        f'<p class="screen"><a class="button second" href="/stap/7">'
        f"{escape(say('paper.back'))}</a></p></article>"
    )
    return page(words, say("paper.title"), body, "/overdracht")


def _qr(address: str, title: str) -> str:
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=4, light="#fff", svgclass="qr", lineclass=None, title=title, omitsize=True
    )
    return f'<figure role="img" aria-label="{escape(title)}">{drawn}</figure>'


def _devices(words: Words, record: Mapping[str, Json]) -> str:
    say = words.say
    devices = record.get("devices")
    rows = ""
    for one in devices if isinstance(devices, list) else []:
        if isinstance(one, dict):
            told = " ".join(str(one.get(key) or "") for key in ("make", "model")).strip()
            serial = f" …{one['serial4']}" if one.get("serial4") else ""
            turned = f" ({say('paper.turned')})" if one.get("turned") is True else ""
            rows += (
                f"<tr><th scope=row>{escape(words.device(str(one.get('name'))))}</th>"
                f"<td>{escape(told + serial + turned)}</td></tr>"
            )
    if not rows:
        return f"<h2>{escape(say('paper.devices'))}</h2><p>{escape(say('paper.none'))}</p>"
    return f"<h2>{escape(say('paper.devices'))}</h2>{_table(words, rows)}"


def _measured(words: Words, record: Mapping[str, Json]) -> str:
    say = words.say
    steps = _part(record, "steps")
    rows = ""
    for name, one in steps.items():
        if isinstance(one, dict) and name != Step.CONSENT.value:
            later = one.get("mark") == Mark.LATER.value
            told = [say("paper.later" if later else "paper.good")]
            told += numbers_of(words, name, _part(one, "facts"))
            rows += (
                f"<tr><th scope=row>{escape(say(f'step.{name}'))}</th>"
                f"<td>{escape(', '.join(told))}</td></tr>"
            )
    return f"<h2>{escape(say('paper.steps'))}</h2>{_table(words, rows)}"


def numbers_of(words: Words, step: str, facts: Mapping[str, Json]) -> list[str]:
    """Return what was measured in a step, in words, the figures that matter first."""
    plain: dict[str, Value] = {
        key: value
        for key, value in facts.items()
        if value is None or isinstance(value, str | int | float)
    }
    if step == Step.METER.value:
        return [words.say("paper.meter", plain)]
    if step == Step.LIVE.value and facts.get("acknowledged_after_s") is not None:
        return [words.say("paper.live", plain)]
    if step != Step.SIGNS.value:
        return []
    told = []
    for name, one in facts.items():
        slope = one.get("slope") if isinstance(one, dict) else None
        if isinstance(slope, int | float):
            told.append(words.say("paper.slope", {"device": name, "slope": float(slope)}))
    if facts.get("kettle") == "seen":
        told.append(words.say("paper.kettle", plain))
    return told


def _consent(words: Words, record: Mapping[str, Json]) -> str:
    say = words.say
    facts = _part(_part(_part(record, "steps"), Step.CONSENT.value), "facts")
    rows = "".join(
        f"<tr><th scope=row>{escape(label)}</th><td>{escape(value)}</td></tr>"
        for label, value in (
            (say("field.name"), str(facts.get("name") or "")),
            (say("paper.readings"), say(_yes(facts.get("readings")))),
            (say("paper.steering"), say(_yes(facts.get("steering")))),
        )
    )
    return f"<h2>{escape(say('paper.consent'))}</h2>{_table(words, rows)}"


def _table(words: Words, rows: str) -> str:
    what, how = escape(words.say("paper.what")), escape(words.say("paper.how"))
    return (
        f"<table><thead><tr><th scope=col>{what}</th><th scope=col>{how}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _yes(value: Json) -> str:
    return "paper.yes" if value is True else "paper.no"


def _part(record: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0
