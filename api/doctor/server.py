"""Links of the server itself: plans, prices, pages, Grafana, disks, backups and the clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from api.cooperative.backup.remark import remark_of
from api.doctor.finding import DAY_S, Finding, State
from api.doctor.sockets import ask_http, here
from api.outside import PRICES
from collectors.checkup import Disk
from gateway.dating import EARLIEST_S, MachineTime, TimeService
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS

PLANS = "plans.db"
OLD_PLAN_S, TOO_OLD_PLAN_S = 1_200, 1_800
FULL_PERMILLE, TOO_FULL_PERMILLE = 800, 900
OLD_BACKUP_S, TOO_OLD_BACKUP_S = 2 * DAY_S, 7 * DAY_S
PRICES_AHEAD_S = 6 * 3_600
"""How far ahead prices should be known at any time of the day [s]."""


def planner(state: Path, now_s: EpochS) -> Finding:
    """Look how old the plan in force is."""
    do = "look at prices and at the log: journalctl -u kwartier-serve"
    made_s = _newest_s(state / PLANS, "SELECT max(made_s) FROM plan")
    if made_s is None:
        return Finding("planner", State.BROKEN, "no plan was ever made", do)
    age_s = now_s - made_s
    what = f"the plan in force is {age_s} s old"
    if age_s <= OLD_PLAN_S:
        return Finding("planner", State.GOOD, what)
    broken = age_s > TOO_OLD_PLAN_S
    if broken:
        what += ": batteries fall back to their own safe mode"
    return Finding("planner", State.BROKEN if broken else State.LOOK, what, do, made_s)


def prices(state: Path, now_s: EpochS) -> Finding:
    """Look until when prices are known."""
    do = "see 'kwartier prices' which source answers; plans go on with the usual prices"
    last_s = _newest_s(state / PRICES, "SELECT max(start_s) FROM price")
    told_s = _newest_s(state / PRICES, "SELECT max(told_s) FROM price")
    if last_s is None:
        return Finding("prices", State.BROKEN, "no price was ever fetched", do)
    left_s = last_s + QUARTER_S - now_s
    if left_s <= 0:
        return Finding("prices", State.BROKEN, "no price of now is known", do, last_s + QUARTER_S)
    what = f"known for {left_s // 3600} hours from now"
    if left_s < PRICES_AHEAD_S:
        return Finding("prices", State.LOOK, what, do, told_s)
    return Finding("prices", State.GOOD, what)


def pages(host: str, port: int) -> Finding:
    """Look whether the web server answers."""
    do = "start it: systemctl start kwartier-serve; then journalctl -u kwartier-serve"
    status, _ = ask_http(here(host, port), "/healthz")
    if status != 200:
        return Finding("pages", State.BROKEN, f"they answer {status}", do)
    return Finding("pages", State.GOOD, "they answer")


def grafana(url: str) -> Finding:
    """Look whether Grafana answers."""
    do = "start it; our own pages do not need it"
    status, _ = ask_http(url, "/api/health")
    if status != 200:
        return Finding("grafana", State.BROKEN, f"it answers {status}", do)
    return Finding("grafana", State.GOOD, "it answers")


def disks(folders: Sequence[Path], disk: Disk) -> Finding:
    """Look how full the fullest disk is.

    Raises:
        StoreBusyError: A folder cannot be reached now.
    """
    used = {folder: disk(folder) for folder in folders}
    fullest = max(used, key=lambda folder: used[folder])
    what = f"the fullest, of {fullest}, is used for {used[fullest] // 10} %"
    if used[fullest] < FULL_PERMILLE:
        return Finding("disk", State.GOOD, what)
    state = State.BROKEN if used[fullest] >= TOO_FULL_PERMILLE else State.LOOK
    return Finding("disk", state, what, "make room or grow it; gateways keep what does not fit")


def backups(folder: Path, of: str, now_s: EpochS) -> Finding:
    """Look when something was backed up last."""
    link, do = f"backup of {of}", "run 'kwartier backup', and see systemctl list-timers kwartier-*"
    remark = remark_of(folder)
    if remark.made_s is None:
        return Finding(link, State.LOOK, "none was ever made", do)
    days = (now_s - remark.made_s) // DAY_S
    practised = "never"
    if remark.drilled_s is not None:
        practised = f"{(now_s - remark.drilled_s) // DAY_S} days ago"
    what = f"made {days} days ago, practised {practised}"
    if now_s - remark.made_s <= OLD_BACKUP_S:
        return Finding(link, State.GOOD, what)
    state = State.BROKEN if now_s - remark.made_s > TOO_OLD_BACKUP_S else State.LOOK
    return Finding(link, state, what, do, remark.made_s)


def clock(now_s: EpochS, service: TimeService | None = None) -> Finding:
    """Look whether this machine's clock was set."""
    do = "see 'timedatectl status': plans, codes and certificates need the time"
    if now_s < EARLIEST_S:
        return Finding("clock", State.BROKEN, "it was never set", do)
    if not (service or MachineTime()).synchronised():
        return Finding("clock", State.LOOK, "no time server has set it since the start", do)
    return Finding("clock", State.GOOD, "it is set")


def _newest_s(file: Path, question: str) -> EpochS | None:
    if not file.exists():
        return None
    address = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=2.0)) as db:
        (newest_s,) = db.execute(question).fetchone()
    return None if newest_s is None else int(newest_s)
