"""The ledger: entries that are posted once, reversed whole, and shown as accounts."""

from api.cooperative.books.accounts import (
    AccountLine,
    CentreBalance,
    FundStatement,
    OpenItem,
    cost_centres,
    fund_statement,
    member_account,
    open_items,
    trial_balance,
)
from api.cooperative.books.journal import (
    JOURNAL_LIMIT_CENTS,
    MANUAL,
    WRITE_OFF,
    BookedEntry,
    Journal,
    Posted,
    entries,
    entry,
    reversed_by,
)
from api.cooperative.books.posting import (
    approved_matter,
    journal_body,
    post,
    reversal,
    reverse,
)

__all__ = [
    "JOURNAL_LIMIT_CENTS",
    "MANUAL",
    "WRITE_OFF",
    "AccountLine",
    "BookedEntry",
    "CentreBalance",
    "FundStatement",
    "Journal",
    "OpenItem",
    "Posted",
    "approved_matter",
    "cost_centres",
    "entries",
    "entry",
    "fund_statement",
    "journal_body",
    "member_account",
    "open_items",
    "post",
    "reversal",
    "reverse",
    "reversed_by",
    "trial_balance",
]
