"""A town that is served to several people at once, for the tests of the board's pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx

from tests.api.conftest import served
from tests.api.town import Town


@dataclass(frozen=True)
class Served:
    """A town that is served, and a client for anybody in it."""

    town: Town
    base: httpx.URL
    _open: ExitStack = field(default_factory=ExitStack)

    def client(self, session: str) -> httpx.Client:
        """Return a client with a session; it is closed with the town."""
        client = httpx.Client(
            base_url=self.base,
            cookies={"kwartier": session},
            headers={"Origin": self.town.house.public_url, "Accept-Language": "nl"},
            timeout=60,
        )
        return self._open.enter_context(client)

    def close(self) -> None:
        """Close every client."""
        self._open.close()

    def tried(self, client: httpx.Client, form: dict[str, str], kind: str = "tarief") -> str:
        """Return the address of a replay that is over."""
        sent = client.post(f"/bestuur/regels/{kind}", data=form)
        assert sent.status_code == 303, sent.text
        path = sent.headers["location"]
        while "Refresh" in client.get(path).headers:
            pass
        return str(path)

    def proposed(self, client: httpx.Client, form: dict[str, str]) -> int:
        """Return the number of a proposal that was made after its replay."""
        path = self.tried(client, form)
        sent = client.post(path, data={"hash": hidden(client.get(path).text)})
        found = re.fullmatch(r"/bestuur/voorstellen/(\d+)\?klaar=.*", sent.headers["location"])
        assert found is not None
        return int(found[1])


@contextmanager
def served_to_many(town: Town) -> Iterator[Served]:
    """Yield a town that is served."""
    with served(town) as first:
        place = Served(town, first.base_url)
        try:
            yield place
        finally:
            place.close()


def hidden(page: str) -> str:
    found = re.search(r'name="hash" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]
