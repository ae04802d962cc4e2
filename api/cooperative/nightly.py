"""What is looked at every night beside the ledger: the checks of every room of the company."""

from __future__ import annotations

from collections.abc import Sequence

from api.cooperative.payments.open_book import check_items
from api.cooperative.readings.record import days_as_hashed
from api.cooperative.registry.payout_book import accounts_as_logged
from api.cooperative.runs.verifying import verify_runs
from api.cooperative.verify import Check

CHECKS: Sequence[Check] = (days_as_hashed, accounts_as_logged, check_items, verify_runs)
"""The other rooms' checks: who is paid, what was read, and what was made of it."""
