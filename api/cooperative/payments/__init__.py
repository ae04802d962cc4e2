"""Money out and in: payment files released by two people, bank statements, what is open."""

from __future__ import annotations

from api.cooperative.payments.bank_book import Imported, breaks, import_statement
from api.cooperative.payments.by_hand import (
    Unmatched,
    match_to_account,
    match_to_party,
    rematch,
    unmatched,
)
from api.cooperative.payments.drafting import Draft, collect, draft, pay_out
from api.cooperative.payments.files import FileState, PaymentFile, payment_file, payment_files
from api.cooperative.payments.items import OpenItem, ageing
from api.cooperative.payments.open_book import check_items, open_items
from api.cooperative.payments.planning import ByHand
from api.cooperative.payments.refusing import refuse
from api.cooperative.payments.release import export, release, withdraw
from api.cooperative.payments.sepa import LIMIT_CENTS, Direction
from api.cooperative.payments.writing_off import propose_write_off, write_off

__all__ = (
    "LIMIT_CENTS",
    "ByHand",
    "Direction",
    "Draft",
    "FileState",
    "Imported",
    "OpenItem",
    "PaymentFile",
    "Unmatched",
    "ageing",
    "breaks",
    "check_items",
    "collect",
    "draft",
    "export",
    "import_statement",
    "match_to_account",
    "match_to_party",
    "open_items",
    "pay_out",
    "payment_file",
    "payment_files",
    "propose_write_off",
    "refuse",
    "release",
    "rematch",
    "unmatched",
    "withdraw",
    "write_off",
)
