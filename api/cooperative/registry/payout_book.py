"""Accounts to pay members on: every one of them is seen by two officers."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import zip_longest

from sqlalchemy import select

from api.cooperative.chain import Fault, record
from api.cooperative.database import Desk
from api.cooperative.errors import TamperedError
from api.cooperative.four_eyes import Matter, Proposal, approvals, propose
from api.cooperative.officers import CLERKS
from api.cooperative.registry.numbers import checked_iban
from api.cooperative.registry.party_book import known_party
from api.cooperative.stamp import stamp
from api.cooperative.tables.ledger import AuditRow
from api.cooperative.tables.registry import MandateRow, PayoutAccountRow
from kwartier.wire import Json

ADDED = "iban.add"
"""The act under which the log knows of an account."""


def propose_iban(desk: Desk, party: str, iban: str) -> Proposal:
    """Propose an account to pay a party on; it counts once another officer approved it."""
    desk.officer.need(*CLERKS)
    known_party(desk, party)
    account = checked_iban(iban)
    row = PayoutAccountRow(
        party=party,
        iban=desk.keys.seal(account),
        iban_fingerprint=desk.keys.fingerprint(account),
        **stamp(desk),
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, ADDED, party, _body(row))
    return propose(desk, Matter.IBAN, party, _body(row))


def iban_of(desk: Desk, party: str) -> str | None:
    """Return the account to pay a party on: the newest that was approved; None without one."""
    return ibans_to_pay(desk, [party]).get(party)


def ibans_to_pay(desk: Desk, parties: Collection[str]) -> dict[str, str]:
    """Return the accounts to pay some parties on; those without one are left out."""
    rows: dict[str, list[PayoutAccountRow]] = {}
    for row in desk.session.scalars(
        select(PayoutAccountRow)
        .where(PayoutAccountRow.party.in_(parties))
        .order_by(PayoutAccountRow.id.desc())
    ):
        rows.setdefault(row.party, []).append(row)
    chosen: dict[str, PayoutAccountRow] = {}
    for newest in zip_longest(*rows.values()):
        asked = [row for row in newest if row is not None and row.party not in chosen]
        bodies = [(row.party, _body(row)) for row in asked]
        for row, given in zip(asked, approvals(desk, Matter.IBAN, bodies), strict=True):
            if given is not None:
                chosen[row.party] = row
    opened = {party: opened_iban(desk, row) for party, row in chosen.items()}
    return {party: iban for party, iban in opened.items() if iban}


def ibans_of(desk: Desk, party: str) -> list[str]:
    """Return every account that was ever written down to pay a party on."""
    rows = desk.session.scalars(
        select(PayoutAccountRow)
        .where(PayoutAccountRow.party == party)
        .order_by(PayoutAccountRow.id)
    )
    return [desk.keys.open(row.iban) for row in rows]


def accounts_as_logged(desk: Desk) -> list[Fault]:
    """Look whether every account that was ever proposed still stands as the audit log knows it."""
    rows = {row.id: row for row in desk.session.scalars(select(PayoutAccountRow))}
    logged: dict[int, Json] = {}
    for body in desk.session.scalars(select(AuditRow.body).where(AuditRow.act == ADDED)):
        facts = json.loads(body)["facts"]
        logged[facts["account"]] = facts
    faults = []
    for number in sorted({*rows, *logged}):
        row = rows.get(number)
        where = f"payout account {number}"
        if row is None:
            faults.append(Fault(where, "is in the audit log and not in the registry"))
        elif logged.get(number) != _body(row):
            faults.append(Fault(where, "is not as the audit log knows it"))
        else:
            try:
                opened_iban(desk, row)
            except TamperedError as error:
                faults.append(Fault(where, str(error)))
    return faults


def opened_iban(desk: Desk, row: PayoutAccountRow | MandateRow) -> str:
    """Return the account of a row; empty where it was erased.

    Raises:
        TamperedError: Another account was put in its place.
    """
    iban = desk.keys.open(row.iban)
    if iban and desk.keys.fingerprint(iban) != row.iban_fingerprint:
        raise TamperedError(
            f"the account of {row.party} was changed in the database: stop and look"
        )
    return iban


def _body(row: PayoutAccountRow) -> dict[str, Json]:
    return {"party": row.party, "account": row.id, "fingerprint": row.iban_fingerprint}
