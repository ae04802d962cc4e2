"""What `kwartier serve` needs to know, from one TOML file; docs/settings.md lists every key."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from api.charts import ChartsSettings, read_charts
from api.elsewhere import OidcSettings
from api.enrolment.settings import EnrolmentSettings, read_enrolment
from api.post.settings import MailSettings, WebhookSettings, read_mail, read_webhook
from api.reach import LOCAL_URL, HelpLine, is_loopback
from api.retail import Retail
from collectors.prices.settings import PriceSettings, SourceSettings, read_price_settings
from collectors.shard import MOST_SHARDS
from collectors.weather.settings import WeatherSettings, read_weather_settings
from kwartier.broker import Broker, read_broker
from kwartier.errors import SettingsError
from kwartier.model import Community, read_community
from kwartier.settings import Table, read_secret, read_toml


@dataclass(frozen=True, slots=True)
class PlanningSettings:
    """How the batteries are planned.

    Attributes:
        prices: Where day-ahead prices come from.
        retail: What a kWh at the meter costs and earns beside its market price.
        learn: Whether forecasts may be learned at night; that takes scikit-learn.
        street_file: The neighbourhood's file, from which changed limits are taken over.
    """

    prices: PriceSettings
    retail: Retail
    learn: bool = False
    street_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The settings of the web server.

    Attributes:
        community: The neighbourhood.
        store: The record's file, which a collector keeps.
        state: The folder for plans, cards and sessions.
        host: Where to listen.
        port: On which port.
        public_url: The address people type.
        broker: Where live values come from and plans go to; None for neither.
        planning: How batteries are planned; None to leave that to another process.
        books: The folder of the cooperative's books; None where none are kept.
        mail: What takes letters away; None to send none.
        webhook: Where messages go that are no mail; None for nowhere.
        help_line: Whom people call; None for the number in the books.
        oidc: Another service at which people log in; None for none.
        grafana_url: Where the board can look closer; empty for nowhere.
        enrolment: How gateways are let in; None where they are not.
        weather: Where weather comes from; None to fetch none.
        charts: Where sums and plans go for boards; None for nowhere.
        shards: The records of further collectors, read as one with ``store``.
    """

    community: Community
    store: Path
    state: Path
    host: str
    port: int
    public_url: str
    broker: Broker | None
    planning: PlanningSettings | None
    books: Path | None = None
    mail: MailSettings | None = None
    webhook: WebhookSettings | None = None
    help_line: HelpLine | None = None
    oidc: OidcSettings | None = None
    grafana_url: str = ""
    enrolment: EnrolmentSettings | None = None
    weather: WeatherSettings | None = None
    charts: ChartsSettings | None = None
    shards: tuple[Path, ...] = ()

    @property
    def records(self) -> tuple[Path, ...]:
        """Every record of the neighbourhood."""
        return (self.store, *self.shards)


def read_serve_settings(path: Path) -> ServeSettings:
    """Return the settings of a TOML file; files named in it are sought beside it.

    Raises:
        SettingsError: A file is away or a key is wrong; file and key are named.
    """
    return read_toml(path, lambda top: _settings(top, path.parent))


def _settings(top: Table, folder: Path) -> ServeSettings:
    settings = ServeSettings(
        read_community(folder / top.text("community")),
        folder / top.text("store"),
        folder / top.text("state"),
        top.text("host", "127.0.0.1"),
        top.whole("port", 8000, low=0, high=65_535),
        top.text("public_url", LOCAL_URL).rstrip("/"),
        read_broker(top.table("broker"), folder) if "broker" in top.values else None,
        _planning(top, folder) if "planner" in top.values else None,
        folder / top.text("books") if "books" in top.values else None,
        read_mail(top.table("mail"), folder) if "mail" in top.values else None,
        read_webhook(top.table("webhook"), folder) if "webhook" in top.values else None,
        help_line=_help_line(top.table("help")) if "help" in top.values else None,
        oidc=_oidc(top.table("oidc"), folder) if "oidc" in top.values else None,
        grafana_url=_web_address(top.text("grafana_url", ""), f"{top.place}grafana_url"),
        enrolment=(
            read_enrolment(top.table("gateways"), folder) if "gateways" in top.values else None
        ),
        weather=read_weather_settings(top.table("weather")) if "weather" in top.values else None,
        charts=read_charts(top.table("charts"), folder) if "charts" in top.values else None,
        shards=tuple(_shard(row, folder) for row in top.tables("shards", MOST_SHARDS - 1)),
    )
    if settings.planning is None and "prices" in top.values:
        raise SettingsError("prices are fetched for a [planner]: add one, or leave them out")
    if settings.planning is not None and settings.broker is None:
        raise SettingsError("planner needs a [broker] to send plans to: add it")
    top.refuse_the_rest()
    return settings


def _shard(row: Table, folder: Path) -> Path:
    path = folder / row.text("store")
    row.refuse_the_rest()
    return path


def _web_address(address: str, key: str) -> str:
    if address and urlsplit(address).scheme not in {"http", "https"}:
        raise SettingsError(f"{key} {address!r}: write it as 'https://HOST/…'")
    return address


def _help_line(table: Table) -> HelpLine:
    line = HelpLine(table.text("phone"), table.text("hours", ""))
    table.refuse_the_rest()
    return line


def _oidc(table: Table, folder: Path) -> OidcSettings:
    issuer = table.text("issuer")
    address = urlsplit(issuer)
    plain = address.scheme == "http" and is_loopback(address.hostname or "")
    if not address.hostname or not (address.scheme == "https" or plain):
        raise SettingsError(f"{table.place}issuer must be https://HOST, or http:// on this machine")
    settings = OidcSettings(
        issuer,
        table.text("client_id"),
        read_secret(table, "client_secret_file", folder),
        table.text("name", address.hostname),
    )
    table.refuse_the_rest()
    return settings


def _learns(table: Table) -> bool:
    learns = table.flag("learn", default=False)
    if learns and find_spec("sklearn") is None:
        raise SettingsError(f"{table.place}learn: install it first: pip install 'kwartier[learn]'")
    return learns


def _planning(top: Table, folder: Path) -> PlanningSettings:
    usual = Retail()
    table = top.table("planner")
    file = table.text("prices", "energyzero")
    if "prices" in top.values and "prices" in table.values:
        raise SettingsError(f"{table.place}prices and [prices] both say where from: keep one")
    prices = read_price_settings(top.table("prices"), folder)
    if file != "energyzero":
        prices = PriceSettings((SourceSettings("file", file=folder / file),))
        if not (folder / file).is_file():
            raise SettingsError(
                f"{table.place}prices: there is no file {folder / file}: name one, or 'energyzero'"
            )
    planning = PlanningSettings(
        prices,
        Retail(
            table.number("buy_extra_eur_per_kwh", usual.buy_extra_eur_per_kwh, high=1.0),
            table.number("sell_less_eur_per_kwh", usual.sell_less_eur_per_kwh, high=1.0),
            table.number("peak_price_eur_per_kw", usual.peak_price_eur_per_kw, high=1000.0),
        ),
        learn=_learns(table),
        street_file=folder / top.text("community"),
    )
    table.refuse_the_rest()
    return planning
