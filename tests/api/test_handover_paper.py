"""The handover is a paper that everybody can read, and says what was measured."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from api.papers.handover import handover_html, handover_pdf, handover_told
from kwartier.errors import ContractError
from kwartier.packing import Json
from tests.api.cooperative.printed import entry

MADE_S = 1_781_431_980
"""14 June 2026, 12:13 in Amsterdam."""


def record() -> dict[str, Json]:
    signs: dict[str, Json] = {
        "kettle": "seen",
        "kettle_w": 1918,
        "kettle_after_s": 5,
        "inverter": {"sign": "good", "slope": -0.99, "minutes": 12.0, "turned": True},
    }
    meter: dict[str, Json] = {"telegrams": 66, "broken": 0, "meter_last4": "6789"}
    consent: dict[str, Json] = {"name": "M. Jansen <&>", "readings": True, "steering": False}
    return {
        "version": 1,
        "made_at_s": MADE_S,
        "home": {
            "gateway": "gw-014",
            "fingerprint": "FEA8-6840",
            "coop": "zonnehof",
            "address": "Zonlaan 14",
        },
        "devices": [
            {
                "name": "inverter",
                "kind": "solar",
                "make": "Voorbeeld",
                "model": "S5000",
                "serial4": "0042",
                "turned": True,
            }
        ],
        "steps": {
            "enrol": {"mark": "good", "at_s": MADE_S, "facts": {}},
            "meter": {"mark": "good", "at_s": MADE_S, "facts": meter},
            "signs": {"mark": "good", "at_s": MADE_S, "facts": signs},
            "live": {"mark": "later", "at_s": MADE_S, "facts": {"acknowledged_after_s": None}},
            "consent": {"mark": "good", "at_s": MADE_S, "facts": consent},
        },
        "steering": False,
    }


def test_it_is_tagged_says_its_language_and_holds_every_figure() -> None:
    reader = PdfReader(io.BytesIO(handover_pdf(record(), "nl", "https://wijk.example")))
    root = entry(reader.trailer, "/Root")
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())

    assert str(entry(root, "/MarkInfo", "/Marked")).lower() == "true"
    assert str(entry(root, "/Lang")) == "nl-NL"
    assert reader.metadata is not None
    assert reader.metadata.title == "Overdracht Zonlaan 14"
    for words in (
        "M. Jansen <&>",
        "14-06-2026 12:13",
        "helling −0,99",  # noqa: RUF001 - a minus
        "waterkoker +1.918 W na 5 s",
        "66 goede berichten",
        "plus en min omgedraaid",
        "later vanzelf",
        "geen batterij wordt gestuurd",
    ):
        assert words in text
    assert len(reader.pages) == 1


def test_it_speaks_english_too_and_another_language_is_dutch() -> None:
    assert "slope −0.99" in handover_html(record(), "en")  # noqa: RUF001 - a minus
    assert "helling" in handover_html(record(), "pl")


def test_the_same_record_gives_the_same_bytes() -> None:
    assert handover_pdf(record()) == handover_pdf(record())


@pytest.mark.parametrize(
    "wrong",
    [{}, {**record(), "version": 2}, {**record(), "home": "x"}, {**record(), "made_at_s": -1}],
)
def test_what_is_no_handover_is_refused(wrong: dict[str, Json]) -> None:
    with pytest.raises(ContractError):
        handover_pdf(wrong)


def test_the_page_tells_the_same_as_the_paper_in_words() -> None:
    told = handover_told(record(), "en")

    assert dict(told.head)["Address"] == "Zonlaan 14"
    assert not told.steering
    devices, steps, consent = (dict(rows) for _, rows in told.parts)
    assert list(devices.values()) == ["Voorbeeld S5000 …0042 (plus and minus turned round)"]
    assert "M. Jansen <&>" in consent.values()
    assert len(steps) == 4
