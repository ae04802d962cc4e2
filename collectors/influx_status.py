"""How InfluxDB is: whether it answers, and how far it is behind the record."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.forward_book import ForwardBook, book_path
from collectors.influx import Influx, InfluxSettings
from collectors.influx_office import Office
from collectors.settings import CollectorSettings
from collectors.sqlite_store import SqliteStore
from kwartier.errors import KwartierError, SettingsError


@dataclass(frozen=True, slots=True)
class InfluxStatus:
    """What is known now.

    Attributes:
        version: The server's; None when it does not answer.
        trouble: Why it does not answer; None when it does.
        forwarded: Up to which position of the journal blocks were sent.
        end: The journal's last position.
        behind: How many blocks wait, at most.
        refused: How many lines were refused for good.
        newest_refusal: Why the newest of them was; None when there is none.
        conflicts: How often a value came again otherwise; the record keeps the first.
    """

    version: str | None
    trouble: str | None
    forwarded: int
    end: int
    behind: int
    refused: int
    newest_refusal: str | None
    conflicts: int


def status_of(settings: CollectorSettings) -> InfluxStatus:
    """Return how InfluxDB is, beside a collector that runs or not.

    Raises:
        SettingsError: The settings name no InfluxDB.
        StoreBusyError: There is no record yet, or it cannot be read now.
    """
    place = settings.influx
    if place is None:
        raise SettingsError("there is no table [influx] in the settings: see docs/settings.md")
    path = book_path(settings.keeping.path)
    with SqliteStore(settings.keeping.path, read_only=True) as record:
        end, conflicts = record.journal_end()
        generation = record.generation
    forwarded, refused, newest = 0, 0, None
    if path.exists():
        book = ForwardBook(path)
        try:
            forwarded, refused = book.position(generation), book.dead
            newest = next((one.reason for one in book.dead_lines(1)), None)
        finally:
            book.close()
    version, trouble = None, None
    try:
        with Influx(
            InfluxSettings(place.url, place.token, place.organisation, place.bucket)
        ) as door:
            version = Office(door).version()
    except KwartierError as error:
        trouble = str(error)
    return InfluxStatus(
        version, trouble, forwarded, end, max(0, end - forwarded), refused, newest, conflicts
    )
