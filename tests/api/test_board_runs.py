"""A month is settled in the browser: two people, every act once, and nothing behind their backs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

import httpx
import pytest

from api.cooperative.runs import State, findings, run_of, runs
from api.cooperative.tables.ledger import EntryRow
from tests.api.blocked_town import read_anew, town_with_blockers
from tests.api.conftest import served
from tests.api.cooperative.stages import BOARD, Stage
from tests.api.town import Town, Towns

RUN = "/bestuur/runs/2026-10/1"
REASON = "the box was off for days, and the resident agrees"


@dataclass(slots=True)
class Hand:
    """Somebody with a browser in hand.

    Attributes:
        client: What carries requests.
        town: Where.
        session: Whose.
    """

    client: httpx.Client
    town: Town
    session: str
    last: httpx.Response = field(default_factory=lambda: httpx.Response(200))

    def look(self, path: str) -> str:
        """Open a page and return what it says."""
        self.last = self.client.get(path, headers=self.headers)
        return self.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the hidden fields of the page that is open."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.text))
        self.last = self.client.post(
            path,
            data=hidden | fields,
            headers=self.headers | {"Origin": self.town.house.public_url},
        )
        return self.last

    def act(self, path: str, **fields: str) -> httpx.Response:
        """Open a form and send it."""
        self.look(path)
        return self.send(path, **fields)

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"Cookie": f"kwartier={self.session}", "Accept-Language": "nl"}

    @property
    def text(self) -> str:
        """What the open page says."""
        return unescape(self.last.text)


@pytest.fixture
def blocked(towns: Towns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose October is computed and has two blockers."""
    with town_with_blockers(towns, tmp_path_factory.mktemp("blocked")) as town:
        yield town


def hands(town: Town, client: httpx.Client) -> tuple[Hand, Hand]:
    """Return the treasurer and the board member."""
    return (
        Hand(client, town, town.officer("treasurer")),
        Hand(client, town, town.officer("board")),
    )


def state_of(town: Town, run: str = "2026-10/1") -> State:
    """Return where a run stands in the books."""
    with town.books.reading(BOARD) as desk:
        return run_of(desk, run).state


def waive_all(hand: Hand) -> None:
    """Answer for every blocker, one by one, as its page asks."""
    keys = set(re.findall(rf'{RUN}/bevinding/(A1[^"]+)"', hand.look(RUN)))
    assert len(keys) == 2
    for key in sorted(keys):
        answer = hand.act(f"{RUN}/bevinding/{key}", reden=REASON)
        assert answer.status_code == 303


def sign(hand: Hand) -> httpx.Response:
    """Approve as the page asks: tick every waiver and type the end of the hash."""
    page = hand.look(f"{RUN}/goedkeuren")
    ticks = dict.fromkeys(re.findall(r'name="(w-[0-9a-f]+)"', page), "ja")
    letters = re.search(r'name="kenmerk" value="([0-9a-f]{64})"', page)
    assert letters is not None
    return hand.send(f"{RUN}/goedkeuren", letters=letters[1][-6:], **ticks)


def test_a_blocked_month_is_settled_by_two_people_and_corrected(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, board = hands(blocked, client)

        page = treasurer.look(RUN)
        assert "Klaar: 8 van 10" in page
        assert "2 blokkades" in page
        assert "som leden = wijk" in page
        assert page.index("home-5 ontbreken 288") < page.index("home-6 ontbreken 96")

        assert "2 blokkades" in treasurer.look(f"{RUN}/voorstellen")
        assert treasurer.last.status_code == 409

        waive_all(treasurer)
        assert treasurer.act(f"{RUN}/voorstellen").headers["location"].startswith(f"{RUN}?klaar=")

        treasurer.look(f"{RUN}/goedkeuren")
        alone = treasurer.send(f"{RUN}/goedkeuren", gezien="3")
        assert alone.status_code == 403
        assert "Iemand anders van het bestuur moet tekenen" in treasurer.text
        assert state_of(blocked) is State.PROPOSED

        unread = board.act(f"{RUN}/goedkeuren", letters="000000")
        assert unread.status_code == 422
        assert "U bekeek nog niet alles" in board.text
        assert sign(board).status_code == 303

        for act in ("boeken", "nummeren", "afsluiten"):
            assert treasurer.act(f"{RUN}/{act}").status_code == 303
        assert state_of(blocked) is State.CLOSED
        assert "/bestuur/berichten?run=2026-10/1" in treasurer.look(RUN)

        read_anew(blocked.books, "home-5")
        short = treasurer.act("/bestuur/maanden/2026-10/verbeteren", reden="kort")
        assert short.status_code == 422
        assert "De reden is te kort of te lang" in treasurer.text
        begun = treasurer.send("/bestuur/maanden/2026-10/verbeteren", reden="home-5 is read now")
        assert begun.status_code == 303
        treasurer.look(begun.headers["location"])
        while "Kijk opnieuw" in treasurer.text:
            treasurer.look(begun.headers["location"])
        assert state_of(blocked, "2026-10/2") is State.COMPUTED
        difference = treasurer.look("/bestuur/runs/2026-10/2/vergelijk?met=2026-10/1")
        assert "de metingen" in difference
        assert difference.count('scope="row">home-5</th>') == 3  # 5, 6 and 7 October


def test_who_proposed_is_refused_even_with_the_board_s_role(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, board = hands(blocked, client)
        waive_all(treasurer)
        assert board.act(f"{RUN}/voorstellen").status_code == 303

        page = board.look(f"{RUN}/goedkeuren")

        assert "U legde deze afrekening zelf voor" in page
        assert "<form" not in page.split("<main")[1].split("</main>")[0]


def test_a_form_sent_twice_is_done_once(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with towns.at(Stage.APPROVED, tmp_path_factory.mktemp("twice")) as town, served(town) as client:
        treasurer, board = hands(town, client)
        treasurer.look(f"{RUN}/boeken")
        form = treasurer.last

        first = treasurer.send(f"{RUN}/boeken")
        with town.books.reading(BOARD) as desk:
            entries = desk.session.query(EntryRow).count()
        treasurer.last = form
        again = treasurer.send(f"{RUN}/boeken")

        assert (first.status_code, again.status_code) == (303, 303)
        assert first.headers["location"] == again.headers["location"]
        with town.books.reading(BOARD) as desk:
            assert desk.session.query(EntryRow).count() == entries
        board.last = form
        assert board.send(f"{RUN}/boeken").status_code == 409
        assert "Er gebeurde intussen iets anders" in board.text


def test_a_page_that_is_no_longer_true_changes_nothing(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, board = hands(blocked, client)
        waive_all(treasurer)
        treasurer.act(f"{RUN}/voorstellen")
        board.look(f"{RUN}/goedkeuren")
        seen = board.last
        treasurer.act(f"{RUN}/afwijzen", reden="home-5 was looked at again")

        board.last = seen
        ticks = dict.fromkeys(re.findall(r'name="(w-[0-9a-f]+)"', seen.text), "ja")
        late = board.send(f"{RUN}/goedkeuren", letters="abcdef", **ticks)

        assert late.status_code == 409
        assert "Er gebeurde intussen iets anders" in board.text
        assert state_of(blocked) is State.DRAFT


def test_a_month_is_computed_once_whoever_presses_how_often(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with towns.at(Stage.READY, tmp_path_factory.mktemp("compute")) as town, served(town) as client:
        treasurer, _ = hands(town, client)
        assert "Van alle 8 huizen is alles gemeten" in treasurer.look("/bestuur")
        treasurer.look("/bestuur/maanden/2026-10/bereken")
        form = treasurer.last

        answers = []
        for _ in range(2):
            treasurer.last = form
            answers.append(treasurer.send("/bestuur/maanden/2026-10/bereken"))
        place = answers[0].headers["location"]
        while "/bestuur/werk/" in place:
            treasurer.look(place)
            place = treasurer.last.headers.get("location", place)

        assert place == f"{RUN}?klaar=runs_compute"
        with town.books.reading(BOARD) as desk:
            assert [run.id for run in runs(desk)] == ["2026-10/1"]
            assert len(run_of(desk, "2026-10/1").steps) == 2


def test_every_waiver_is_ticked_before_a_signature_counts(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, board = hands(blocked, client)
        waive_all(treasurer)
        treasurer.act(f"{RUN}/voorstellen")
        page = board.look(f"{RUN}/goedkeuren")
        ticks = re.findall(r'name="(w-[0-9a-f]+)"', page)
        kept = re.search(r'name="kenmerk" value="([0-9a-f]{64})"', page)
        assert kept is not None

        half = board.send(f"{RUN}/goedkeuren", letters=kept[1][-6:], **{ticks[0]: "ja"})

        assert len(ticks) == 2
        assert page.count(REASON) == 2
        assert half.status_code == 422
        assert state_of(blocked) is State.PROPOSED
        assert sign(board).status_code == 303


def test_a_reason_that_is_too_short_stays_on_the_page(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, _ = hands(blocked, client)
        with blocked.books.reading(BOARD) as desk:
            key = findings(desk, "2026-10/1")[0].finding.key

        refused = treasurer.act(f"{RUN}/bevinding/{key}", reden="te kort")

        assert refused.status_code == 422
        assert ">te kort</textarea>" in treasurer.text
        with blocked.books.reading(BOARD) as desk:
            assert not any(each.waived for each in findings(desk, "2026-10/1"))


def test_a_hand_without_a_fresh_proof_shows_it_first(blocked: Town) -> None:
    with served(blocked) as client:
        treasurer, _ = hands(blocked, client)
        blocked.clock.advance(601)

        treasurer.look(f"{RUN}/intrekken")

        assert treasurer.last.status_code == 303
        assert treasurer.last.headers["location"].startswith("/bevestig?verder=")
