"""The login card on paper: the code in letters and as a picture, and kept nowhere."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import segno
from pypdf import PdfReader

from api.pages.language import language
from api.pages.render import Pages
from api.routes.residents.papers import card_html
from tests.api.conftest import served
from tests.api.cooperative.stages import Stage
from tests.api.town import Town, Towns

CODE = "7K2M-9QXF-3HTW"


@pytest.fixture(scope="module")
def desk(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, httpx.Client]]:
    """A town, and a client whose writes come from our own pages."""
    with ExitStack() as open_things:
        made = towns.at(Stage.READY, tmp_path_factory.mktemp("cards"))
        town = open_things.enter_context(made)
        client = open_things.enter_context(served(town))
        client.headers["Origin"] = town.house.public_url
        yield town, client


def as_(client: httpx.Client, session: str) -> httpx.Client:
    """Return the client with a session."""
    client.cookies.clear()
    client.cookies.set("kwartier", session)
    return client


def test_an_operator_prints_the_code_that_was_just_shown(desk: tuple[Town, httpx.Client]) -> None:
    town, client = desk
    as_(client, town.operator())
    sent = client.post(
        "/accounts/kaart.pdf", data={"code": CODE, "home": "home-1", "name": "Mw. De Vries"}
    )
    text = PdfReader(io.BytesIO(sent.content)).pages[0].extract_text()

    assert sent.headers["content-type"] == "application/pdf"
    assert sent.headers["cache-control"] == "no-store"
    for said in (CODE, "home-1", "Mw. De Vries", "127.0.0.1:8000/inloggen", "Kaart kwijt?"):
        assert said in text


def test_the_page_that_shows_a_new_code_leads_to_its_paper(
    desk: tuple[Town, httpx.Client],
) -> None:
    town, client = desk
    as_(client, town.operator())
    shown = client.post("/accounts/kaart", data={"home": "home-2"}).text
    code = re.search(r'action="/accounts/kaart.pdf"><input [^>]*value="([^"]+)"', shown)
    assert code is not None
    sent = client.post("/accounts/kaart.pdf", data={"code": code[1]})

    assert sent.status_code == 200
    assert code[1] in PdfReader(io.BytesIO(sent.content)).pages[0].extract_text()


def test_the_picture_brings_the_code_behind_the_hash(desk: tuple[Town, httpx.Client]) -> None:
    town, _ = desk
    link = f"http://127.0.0.1:8000/inloggen#{CODE}"
    picture = segno.make(link, error="m", micro=False).svg_data_uri(border=0, dark="#1b211d")

    html = card_html(town.house, Pages(), language("en"), CODE, "", "<b>X</b>")

    assert f'src="{picture}"' in html.replace("&#39;", "'")
    assert "&lt;b&gt;X&lt;/b&gt;" in html
    assert html.count(CODE) == 1


def test_a_code_is_sent_in_a_form_only_and_only_by_who_keeps_accounts(
    desk: tuple[Town, httpx.Client],
) -> None:
    town, client = desk
    as_(client, town.operator())
    by_address = client.get(f"/accounts/kaart.pdf?code={CODE}")
    wrong = [
        client.post("/accounts/kaart.pdf", data={"code": code})
        for code in ("", "7K2M", "0000-0000-0000", f"{CODE}<script>")
    ]
    strange = client.post(
        "/accounts/kaart.pdf", data={"code": CODE}, headers={"Origin": "https://evil.example"}
    )
    resident = as_(client, town.resident("home-1")).post("/accounts/kaart.pdf", data={"code": CODE})
    client.cookies.clear()
    nobody = client.post("/accounts/kaart.pdf", data={"code": CODE})

    # Read from the address it is the page of an account with a strange name, which is not there.
    assert by_address.status_code in (404, 405)
    assert [each.status_code for each in wrong] == [422] * 4
    assert (strange.status_code, resident.status_code, nobody.status_code) == (403, 403, 303)
