"""What the pages say, without a browser: words, states, headers and weight."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter
from urllib.parse import urljoin

import httpx
import pytest

from api.pages.language import LANGUAGES, catalogues, language
from kwartier.interval import QUARTER_S
from tests.api.conftest import log_in, served
from tests.api.street import Street, street


def words_of(tag: str) -> dict[str, str]:
    """Return a language's words by key; of what is counted, one text a number."""
    told: dict[str, str] = {}
    for part in catalogues(tag).values():
        for message in part:
            key = message.id if isinstance(message.id, str) else message.id[0]
            many = not isinstance(message.string, str)
            for place, text in enumerate(message.string if many else [message.string]):
                if key:
                    told[f"{key}[{place}]" if many else key] = str(text)
    return told


def visible(page: str) -> str:
    """Return a page's text without its tags, spaces made single."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&#39;", "'").split())


def test_the_languages_have_the_same_words_with_the_same_gaps() -> None:
    told = {
        tag: {
            key: {name for _, name, _, _ in Formatter().parse(text) if name}
            for key, text in words_of(tag).items()
        }
        for tag in LANGUAGES
    }

    assert told["nl"] == told["en"]


def test_dutch_sentences_are_short() -> None:
    long = [
        sentence
        for text in words_of("nl").values()
        for sentence in re.split(r"[.?!:]\s", text)
        if len(sentence.split()) > 15
    ]

    assert long == []


@pytest.mark.parametrize("word", ["saldo", "allocatie", "injectie", "SoC", "kWp", "onjuist"])
def test_hard_words_stay_off_the_pages(word: str) -> None:
    assert not [text for text in words_of("nl").values() if word.lower() in text.lower().split()]


def test_the_signal_comes_first_and_then_the_two_numbers(client: httpx.Client) -> None:
    text = visible(client.get("/").text)

    order = ["Nu is een goed moment", "Gedeelde zon", "De wijk bespaarde", "De dag in de wijk"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "Stroom nu" in text
    assert "Tip" in text


def test_a_resident_reads_their_own_numbers(noon: Street, client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url) as resident:
        log_in(noon, resident, "huis-02")
        page = resident.get("/").text

    text = visible(page)
    assert "U bespaarde" in text
    assert "Uw huis vandaag" in text
    assert "Uitloggen" in text


@pytest.mark.parametrize(
    ("address", "accepts", "words"),
    [
        ("/", "", "Goedemiddag"),
        ("/", "en-US,en;q=0.9", "Good afternoon"),
        ("/", "de-DE,de", "Goedemiddag"),
        ("/?lang=en", "nl", "Good afternoon"),
        ("/?lang=xx", "nl", "Goedemiddag"),
    ],
)
def test_the_page_speaks_the_language_that_is_asked_for(
    client: httpx.Client, address: str, accepts: str, words: str
) -> None:
    reply = client.get(address, headers={"Accept-Language": accepts})
    client.cookies.clear()

    assert words in reply.text


def test_a_chosen_language_is_remembered(client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url) as reader:
        reader.get("/?lang=en")
        assert "Good afternoon" in reader.get("/").text


def test_old_data_is_said_to_be_old(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as visitor:
        made.clock.advance(3600)
        text = visible(visitor.get("/").text)

    assert "De getallen zijn niet nieuw. Laatste meting: 13.04 uur." in text


def test_an_empty_record_says_that_the_first_day_is_to_come(tmp_path: Path) -> None:
    # 00:05 in Amsterdam: no quarter of the day has ended.
    midnight_s = int(datetime(2026, 6, 30, 22, 5, tzinfo=UTC).timestamp())
    with street(tmp_path, now_s=midnight_s, planned=False) as made, served(made) as visitor:
        first = {path: visible(visitor.get(path).text) for path in ("/", "/wijk")}
        made.clock.advance(QUARTER_S)
        text = visible(visitor.get("/").text)

    assert "Uw eerste dag komt morgen." in text
    # Who has only just begun knows more soon; a quarter of an hour later that is no excuse.
    assert all("De gegevens komen eraan" in each for each in first.values())
    assert "We weten het even niet" in text
    assert "Er is nog geen plan voor de batterij." in text


def test_a_gap_is_hatched_and_dashed_and_never_zero(tmp_path: Path) -> None:
    quiet = {f"huis-{number:02}": range(40, 200) for number in range(1, 41)}
    with street(tmp_path, silent=quiet) as made, served(made) as visitor:
        page = visitor.get("/").text

    rows = re.findall(r"<tr[^>]*><th scope=\"row\">([^<]+)</th><td>([^<]+)</td>", page)
    assert dict(rows)["11.00"] == "-"
    assert "#street-gap" in page
    assert "geen gegevens" in page
    assert "De getallen zijn niet nieuw. Laatste meting: 09.45 uur." in page


@pytest.mark.parametrize(
    ("day", "note", "rows"),
    [
        (date(2026, 3, 29), "Vandaag duurt 23 uur", 92),
        (date(2026, 10, 25), "Vandaag duurt 25 uur", 100),
    ],
)
def test_a_day_of_another_length_says_so(tmp_path: Path, day: date, note: str, rows: int) -> None:
    now_s = int(datetime(day.year, day.month, day.day, 12, 5, tzinfo=UTC).timestamp())
    with street(tmp_path, homes=5, day=day, now_s=now_s) as made, served(made) as visitor:
        page = visitor.get("/").text

    assert note in page
    assert page.count('scope="row"') == rows


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first_s = int(datetime(2026, 10, 25, 0, 15, tzinfo=UTC).timestamp())

    dutch = language("nl")
    assert dutch.quarter_name(first_s) == "02.15 (zomertijd)"
    assert dutch.quarter_name(first_s + 3600) == "02.15 (wintertijd)"
    assert dutch.quarter_name(first_s + 7200) == "03.15"


def test_the_page_asks_for_nothing_from_elsewhere_and_has_nothing_inline(
    client: httpx.Client,
) -> None:
    reply = client.get("/")

    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", reply.text)
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*src=)|\son[a-z]+=", reply.text)


def test_the_first_load_is_lighter_than_sixty_kilobytes(client: httpx.Client) -> None:
    page = client.get("/")
    parts = re.findall(r"(?:href|src)=\"(/static/[^\"]+)\"", page.text)

    weight = sum(
        len(gzip.compress(client.get(urljoin("/", part)).content, 6)) for part in ["/", *parts]
    )

    assert len(parts) == 2
    assert weight < 60_000


def test_answers_are_packed_and_not_sent_twice(client: httpx.Client) -> None:
    page = client.get("/")
    again = client.get("/", headers={"If-None-Match": page.headers["etag"]})
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    asset = client.get(re.findall(r"/static/[^\"]+\.css", page.text)[0])

    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["cache-control"] == "private, no-cache"
    assert again.status_code == 304
    assert again.content == b""
    assert plain.headers["etag"] == page.headers["etag"]
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_the_big_screen_loads_itself_anew_and_shows_sums_only(client: httpx.Client) -> None:
    reply = client.get("/wijk")

    assert reply.headers["refresh"] == "120"
    assert "Nu is een goed moment" in reply.text
    assert "Inloggen" not in reply.text


def test_an_unknown_page_is_a_page(client: httpx.Client) -> None:
    reply = client.get("/onbekend")

    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert "Deze pagina is er niet." in reply.text


def test_what_is_typed_never_comes_back_as_markup(noon: Street, client: httpx.Client) -> None:
    origin = {"Origin": noon.house.public_url}
    for payload in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'):
        pages = [
            client.get("/", params={"lang": payload}),
            client.post("/inloggen", data={"code": payload}, headers=origin),
            client.get(f"/{payload}"),
        ]
        assert all(payload not in page.text for page in pages)
