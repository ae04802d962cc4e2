"""Which links there are to look at, by the settings of the services on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from api.doctor import record, server
from api.doctor.certificates import SOON_S, certificates, revoked
from api.doctor.condition import condition
from api.doctor.finding import DAY_S, Check, Finding, State, examined
from api.doctor.sockets import ask_broker
from api.enrolment.broker_files import CRL_FILE
from api.settings import ServeSettings, read_serve_settings
from collectors.checkup import Disk, disk_permille
from collectors.settings import CollectorSettings, read_settings
from gateway.dating import TimeService
from kwartier.broker import Broker
from kwartier.errors import KwartierError, SettingsError
from kwartier.settings import Table, read_toml
from kwartier.units import EpochS


@dataclass(slots=True)
class Services:
    """The services whose settings were named.

    Attributes:
        collect: The collector's settings, or None.
        serve: The server's, or None.
        unread: What could not be read, each a finding.
    """

    collect: CollectorSettings | None = None
    serve: ServeSettings | None = None
    unread: list[Finding] = field(default_factory=list)

    @property
    def records(self) -> tuple[Path, ...]:
        """The files of all records that these services keep or read, each once."""
        ours = () if self.collect is None else (self.collect.keeping.path,)
        read = () if self.serve is None else self.serve.records
        return tuple({path.resolve(): path for path in (*ours, *read)}.values())

    @property
    def brokers(self) -> dict[str, Broker]:
        """The broker as each service asks it, by its link's name; once where all ask alike."""
        asked = {
            "collector": None if self.collect is None else self.collect.broker,
            "server": None if self.serve is None else self.serve.broker,
        }
        named = {f"broker for {name}": one for name, one in asked.items() if one is not None}
        alike = len(set(named.values())) == 1
        return {"broker": next(iter(named.values()))} if alike else named


def read_services(files: Sequence[Path]) -> Services:
    """Return the settings of some files; one that cannot be read becomes a finding.

    Raises:
        SettingsError: A file is a gateway's, which has a check of its own, or a second service's
            of one kind, which needs a look of its own.
    """
    services = Services()
    for file in files:
        try:
            keys = read_toml(file, _keys)
            elsewhere = _elsewhere(services, file, keys)
            if not elsewhere:
                _read(services, file, keys)
        except KwartierError as error:
            do = "put it right; see docs/settings.md"
            services.unread.append(Finding("settings", State.BROKEN, str(error), do))
            continue
        if elsewhere:
            raise SettingsError(elsewhere)
    return services


def examine(
    services: Services,
    now_s: EpochS,
    time: TimeService | None = None,
    disk: Disk = disk_permille,
) -> list[Finding]:
    """Look at every link, and return what was found in the order in which a reading travels."""
    checks = [*_of_record(services, now_s), *_of_server(services, now_s, disk)]
    checks.append(Check("clock", partial(server.clock, now_s, time), ""))
    found = [*services.unread, *examined(checks)]
    return sorted(found, key=lambda one: _place(one.link))


_ORDER = (
    "settings", "meters", "broker", "collector", "record", "dead letters", "influx", "grafana",
    "prices", "planner", "pages", "certificates", "revoked list", "disk", "backup", "clock",
)  # fmt: skip


def _place(link: str) -> int:
    return next(place for place, name in enumerate(_ORDER) if link.startswith(name))


def _of_record(services: Services, now_s: EpochS) -> list[Check]:
    checks: list[Check] = []
    collect, serve = services.collect, services.serve
    records = services.records
    for link, broker in services.brokers.items():
        do = "start it: systemctl start mosquitto; then journalctl -u mosquitto"
        checks.append(Check(link, partial(_broker, link, broker, now_s), do))
    if records:
        do = "start the collector; if the file is damaged: kwartier restore, gateways fill the rest"
        community = None if serve is None else serve.community
        checks.append(Check("record", partial(record.fresh, records, community, now_s), do))
        checks.append(Check("dead letters", partial(record.dead_letters, records, now_s), do))
        if serve is not None:
            look = partial(record.meters, records, serve.community, now_s)
            checks.append(Check("meters", look, do))
    for path in records:
        link = "record file" if len(records) == 1 else f"record file {path.name}"
        do = "remove what cannot be read; the collector writes it anew within a minute"
        checks.append(Check(link, partial(condition, path, link, now_s), do))
    if collect is not None:
        checks.append(Check("collector", partial(record.collector, collect, now_s), ""))
        look = partial(_none, "influx", "readings are passed on to no InfluxDB")
        if collect.influx is not None:
            look = partial(record.influx, collect.influx, collect.keeping.path, now_s)
        checks.append(Check("influx", look, "look at its settings in [influx]"))
    return checks


def _of_server(services: Services, now_s: EpochS, disk: Disk) -> list[Check]:
    checks: list[Check] = []
    serve = services.serve
    folders = list(dict.fromkeys(path.parent for path in services.records))
    files = _certificate_files(services)
    if serve is not None:
        pages = partial(server.pages, serve.host, serve.port)
        do = "start it: systemctl start kwartier-serve; then journalctl -u kwartier-serve"
        checks.append(Check("pages", pages, do))
        look = partial(_none, "grafana", "no grafana_url is set")
        if serve.grafana_url:
            look = partial(server.grafana, serve.grafana_url)
        checks.append(Check("grafana", look, "start it; our own pages do not need it"))
        if serve.planning is not None:
            do = "see whether the server runs and may write its folder"
            checks.append(Check("planner", partial(server.planner, serve.state, now_s), do))
            checks.append(Check("prices", partial(server.prices, serve.state, now_s), do))
        people = partial(server.backups, serve.state, "people", now_s)
        checks.append(Check("backup of people", people, ""))
        folders.append(serve.state)
        if serve.books is not None:
            books = partial(server.backups, serve.books, "books", now_s)
            checks.append(Check("backup of books", books, ""))
            folders.append(serve.books)
        if serve.enrolment is not None and serve.enrolment.broker_folder is not None:
            file = serve.enrolment.broker_folder / CRL_FILE
            do = "make the broker's files: 'kwartier broker config'"
            checks.append(Check("revoked list", partial(revoked, file, now_s), do))
    if files:
        do = "see whether this account may read them"
        checks.append(Check("certificates", partial(certificates, files, now_s), do))
    if folders:
        checks.append(Check("disk", partial(server.disks, folders, disk), "make the folder"))
    return checks


def _broker(link: str, broker: Broker, now_s: EpochS) -> Finding:
    answer, do = ask_broker(broker), "make keys and certificates anew: 'kwartier broker config'"
    if answer.reason:
        return Finding(link, State.BROKEN, f"it answers and refuses {answer.reason}", do)
    until_s = answer.certificate_until_s
    if until_s is not None and until_s - now_s < SOON_S:
        days = (until_s - now_s) // DAY_S
        return Finding(link, State.LOOK, f"its certificate ends in {days} days", do)
    return Finding(link, State.GOOD, "it lets us in")


def _certificate_files(services: Services) -> dict[str, Path]:
    """Return the certificates that this machine's services use or make, by what they are for."""
    files: dict[str, Path] = {}
    for name, broker in (
        ("collector", services.collect.broker if services.collect else None),
        ("server", services.serve.broker if services.serve else None),
    ):
        if broker is not None and broker.tls is not None:
            if broker.tls.certificate_file is not None:
                files[name] = broker.tls.certificate_file
            if broker.tls.ca_file is not None:
                files["authority"] = broker.tls.ca_file
    enrolment = None if services.serve is None else services.serve.enrolment
    if enrolment is not None:
        files["issuing authority"] = enrolment.ca / "issuing.crt"
        if enrolment.broker_folder is not None:
            files["broker"] = enrolment.broker_folder / "broker.crt"
    return files


def _none(link: str, what: str) -> Finding:
    return Finding(link, State.NONE, what)


def _elsewhere(services: Services, file: Path, keys: frozenset[str]) -> str:
    """Return why a file needs a look of its own; empty where it does not."""
    if "gateway" in keys:
        look = f"kwartier gateway check --config {file.name}"
        return f"{file} is a gateway's: look there with '{look}'"
    kind = "server" if "community" in keys else "collector"
    if (services.serve if kind == "server" else services.collect) is None:
        return ""
    look = f"kwartier doctor --config {file.name}"
    return f"{file} is of a second {kind}: look at it by itself with '{look}'"


def _read(services: Services, file: Path, keys: frozenset[str]) -> None:
    if "community" in keys:
        services.serve = read_serve_settings(file)
    else:
        services.collect = read_settings(file)


def _keys(top: Table) -> frozenset[str]:
    return frozenset(top.values)
