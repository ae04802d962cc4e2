"""Step 6: the resident agrees, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.commission.book import Outcome, Step
from gateway.commission.refusal import Refusal
from gateway.commission.view import Act, Line, Tone, View
from kwartier.packing import Json

_LONGEST = 120


def view(done: Outcome | None, words: str, *, battery: bool) -> View:
    """Return what the resident is asked, or said.

    Args:
        done: What was agreed; None before it was.
        words: What the neighbourhood adds; empty for nothing.
        battery: Whether there is one to steer.
    """
    facts = {} if done is None else {"name": str(done.facts.get("name", ""))}
    steering = ("agree-steering",) if battery else ()
    fields = ("name", "contact", "agree-readings", *steering)
    act = Act("next", "act.sign", fields=fields, second=False)
    lines = (Line("consent.words", {"words": words}),) if words else ()
    tone = Tone.STOP if done is None else Tone.GOOD
    key = "consent.ask" if done is None else "consent.given"
    return View(Step.CONSENT, key, facts, tone, lines, (act,))


def consent_of(form: Mapping[str, str]) -> dict[str, Json]:
    """Return what was agreed.

    Raises:
        Refusal: There is no name, or no consent for the readings.
    """
    name = form.get("name", "").strip()
    contact = form.get("contact", "").strip()
    if not name or len(name) > _LONGEST or len(contact) > _LONGEST:
        raise Refusal("refused.name")
    if form.get("agree-readings") != "yes":
        raise Refusal("refused.agree")
    return {
        "name": name,
        "contact": contact,
        "readings": True,
        "steering": form.get("agree-steering") == "yes",
    }
