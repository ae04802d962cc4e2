"""What the ledger shows: balances, members' accounts, funds and cost centres, as views."""

# ruff: noqa: S608 - put together of names of ours alone
from __future__ import annotations

from alembic import op

_ACCOUNT = "CASE WHEN part = '' THEN chart ELSE chart || ':' || part END AS account"
_SUM = "CAST(SUM(amount) AS BIGINT) AS balance"
_COLUMNS = (
    "p.chart, p.part, p.unit, p.entry, p.line, p.amount, p.cost_centre, e.day, e.period, "
    "e.service_period, e.reference, e.item, e.source, e.reason, e.decision, e.reverses"
)
_RUNNING = (
    "CAST(SUM(p.amount) OVER (PARTITION BY p.chart, p.part ORDER BY p.entry, p.line) AS BIGINT) "
    "AS balance"
)
_VIEWS = {
    "trial_balance": f"SELECT {_ACCOUNT}, unit, {_SUM} FROM posting GROUP BY chart, part, unit",
    "account_line": f"SELECT {_ACCOUNT}, {_COLUMNS}, {_RUNNING} "
    "FROM posting AS p JOIN entry AS e ON e.id = p.entry",
    "member_account": "SELECT * FROM account_line "
    "WHERE chart IN ('receivable', 'payable', 'wijk') AND part <> ''",
    "fund_statement": "SELECT * FROM account_line WHERE chart = 'fund' OR chart LIKE 'fund:%'",
    "cost_centre_balance": f"SELECT cost_centre, {_ACCOUNT}, unit, {_SUM} FROM posting "
    "GROUP BY cost_centre, chart, part, unit",
}


def create_views() -> None:
    """Make the views; they hold nothing of their own."""
    for name, selection in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {selection}")
