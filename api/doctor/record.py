"""Links that the record tells of: meters and gateways, collector, dead letters, InfluxDB."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from api.doctor.finding import DAY_S, Finding, State
from api.doctor.sockets import ask_http, here
from api.health.gateways import FRESH_S, Link, heard_in, links_of
from collectors.backlog import backlog_of
from collectors.power import meters_of
from collectors.settings import CollectorSettings, InfluxPlace
from collectors.sqlite_schema import translated
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.errors import LinkDownError
from kwartier.identity import GatewayId
from kwartier.model import Community
from kwartier.units import EpochS

BEHIND_S, FAR_BEHIND_S = 600, 3_600
"""How old the oldest block that waits for InfluxDB may be [s]."""
_AHEAD_S = 60
_SHOWN = 5
_DO = {
    Link.CENTRE: "nothing is heard at all: look at broker and collector below first",
    Link.BOX: "a silent gateway: its power, or the internet in that home",
    Link.METER: "a silent meter: the cable between gateway and meter",
    Link.INVERTER: "a silent inverter: its cable or its network",
    Link.NEVER: "one that was never heard: it is still to be installed",
}


def meters(records: Sequence[Path], community: Community, now_s: EpochS) -> Finding:
    """Look at the way from meters by gateways into the records."""
    known = _heard(records)
    links = links_of(community, known, now_s)
    broken = {name: link for name, link in links.items() if link is not Link.NONE}
    if not broken:
        return Finding("meters", State.GOOD, f"all {len(links)} gateways are heard")
    count = Counter(broken.values())
    told = ", ".join(f"{link.value}: {number}" for link, number in count.most_common())
    first = ", ".join(sorted(broken)[:_SHOWN])
    more = " …" if len(broken) > _SHOWN else ""
    serious = Link.CENTRE in count or len(broken) * 2 > len(links)
    return Finding(
        "meters",
        State.BROKEN if serious else State.LOOK,
        f"{len(broken)} of {len(links)} gateways have a broken link ({told}): {first}{more}",
        _DO[count.most_common(1)[0][0]],
        _silent_since_s(known, broken),
    )


def fresh(records: Sequence[Path], community: Community | None, now_s: EpochS) -> Finding:
    """Look whether all records can be read, and how old the newest reading is."""
    known = _heard(records)
    wanted = None if community is None else meters_of(community)
    at_s = [one for key, one in known.items() if wanted is None or key in wanted]
    if not at_s:
        return Finding("record", State.BROKEN, "no reading was ever stored", "bring a home on air")
    newest_s = max(at_s)
    if newest_s > now_s + _AHEAD_S:
        what = f"its newest reading is {newest_s - now_s} s ahead of this machine's clock"
        return Finding("record", State.LOOK, what, "set the clock: timedatectl status", newest_s)
    what = f"it can be read; its newest reading is {now_s - newest_s} s old"
    if now_s - newest_s > FRESH_S:
        do = "look at broker, collector and gateways"
        return Finding("record", State.BROKEN, what, do, newest_s)
    return Finding("record", State.GOOD, what)


def dead_letters(records: Sequence[Path], now_s: EpochS) -> Finding:
    """Look whether messages were set aside in the last day."""
    count, since_s = 0, now_s
    for record in records:
        address = f"{record.absolute().as_uri()}?mode=ro"
        with translated(record), closing(sqlite3.connect(address, uri=True, timeout=2.0)) as db:
            letters, first_s = db.execute(
                "SELECT count(*), min(received_s) FROM dead_letter WHERE received_s > ?",
                (now_s - DAY_S,),
            ).fetchone()
        if letters:
            count, since_s = count + letters, min(since_s, first_s)
    if not count:
        return Finding("dead letters", State.GOOD, "none in the last day")
    what = f"{count} messages of the last day could not be read and are kept aside"
    return Finding("dead letters", State.LOOK, what, "see /ops for which gateway", since_s)


def collector(settings: CollectorSettings, now_s: EpochS) -> Finding:
    """Look whether the collector runs: it answers, or holds its record's lock."""
    do = "start it: systemctl start kwartier-collect; then journalctl -u kwartier-collect"
    written_s = _written_s(settings.keeping.path)
    if settings.metrics is not None:
        try:
            status, _ = ask_http(here(settings.metrics.host, settings.metrics.port), "/healthz")
        except LinkDownError as error:
            return Finding("collector", State.BROKEN, f"it does not answer: {error}", do, written_s)
        if status != 200:
            return Finding("collector", State.BROKEN, f"it answers {status}", do, written_s)
        return Finding("collector", State.GOOD, "it answers")
    if _is_locked(settings.keeping.path):
        return Finding("collector", State.GOOD, "it has its record open")
    if written_s is not None and now_s - written_s <= FRESH_S:
        return Finding("collector", State.GOOD, "its record was written in the last minutes")
    return Finding("collector", State.BROKEN, "nobody writes the record", do, written_s)


def influx(place: InfluxPlace, record: Path, now_s: EpochS) -> Finding:
    """Look whether InfluxDB answers, and how far it is behind."""
    do = "start it; nothing is lost meanwhile, and the collector catches up by itself"
    behind = backlog_of(record) if record.exists() else None
    since_s = None if behind is None else behind.oldest_s
    try:
        status, _ = ask_http(place.url, "/health")
    except LinkDownError as error:
        return Finding("influx", State.BROKEN, str(error), do, since_s)
    if status != 200:
        return Finding("influx", State.BROKEN, f"it answers {status}", do, since_s)
    refused = behind.refused if behind is not None else 0
    if behind is not None and since_s is not None and now_s - since_s > BEHIND_S:
        state = State.BROKEN if now_s - since_s > FAR_BEHIND_S else State.LOOK
        what = f"it answers, and {behind.blocks} blocks wait"
        return Finding("influx", state, what, "see 'kwartier influx status'", since_s)
    if refused:
        what = f"it answers; {refused} lines were refused for good and are kept aside"
        return Finding("influx", State.LOOK, what, "see 'kwartier influx status'")
    return Finding("influx", State.GOOD, "it answers and is not behind")


def _heard(records: Sequence[Path]) -> Mapping[DeviceKey, EpochS]:
    """Return when each device's newest reading was stored, in whichever record [s]."""
    found: dict[DeviceKey, EpochS] = {}
    for record in records:
        with SqliteStore(record, read_only=True, busy_s=2.0) as store:
            for key, at_s in heard_in(store).items():
                found[key] = max(at_s, found.get(key, at_s))
    return found


def _silent_since_s(
    known: Mapping[DeviceKey, EpochS], broken: Mapping[GatewayId, Link]
) -> EpochS | None:
    """Return when the gateway that is silent longest was heard last."""
    newest: dict[GatewayId, EpochS] = {}
    for key, at_s in known.items():
        if key.gateway in broken:
            newest[key.gateway] = max(at_s, newest.get(key.gateway, at_s))
    return min(newest.values(), default=None)


def _written_s(record: Path) -> EpochS | None:
    """Return when the record was written last."""
    files = [record, record.with_name(f"{record.name}-wal")]
    return max((int(file.stat().st_mtime) for file in files if file.exists()), default=None)


def _is_locked(record: Path) -> bool:
    """Return whether somebody holds the writer's lock; to try it would keep a collector out."""
    life = record.with_name(f"{record.name}.life")
    try:
        kept = life.stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return False
    place = f"{os.major(kept.st_dev):02x}:{os.minor(kept.st_dev):02x}:{kept.st_ino}"
    return any("FLOCK" in line and f" {place} " in line for line in locks.splitlines())
