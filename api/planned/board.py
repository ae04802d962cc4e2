"""What the board's page of the plan shows: sums, and a row for each home."""

from __future__ import annotations

from api.pages.language import Language
from api.planned.compared import Compared
from api.planned.page import sums_values
from optimizer.why.members import Split


def split_values(compared: Compared, found: Split, lang: Language) -> dict[str, object]:
    """Return the values of ``board_plan.html``."""
    return {
        **sums_values(compared, lang),
        "split": found,
        "columns": tuple(compared.keys),
        "rows": [
            (
                one.member,
                lang.cents(one.alone_cents),
                lang.cents(one.pays_cents),
                lang.cents(one.benefit_cents),
                lang.kwh(one.exchanged_wh),
                [lang.kwh(key.shared_wh[one.member]) for key in compared.keys.values()],
            )
            for one in found.shares
        ],
        "total": (
            lang.cents(found.alone_cents),
            lang.cents(sum(one.pays_cents for one in found.shares)),
            lang.cents(sum(one.benefit_cents for one in found.shares)),
            lang.kwh(sum(one.exchanged_wh for one in found.shares)),
            [lang.kwh(sum(key.shared_wh.values())) for key in compared.keys.values()],
        ),
    }
