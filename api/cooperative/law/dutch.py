"""The Dutch rules and the house's defaults, as data: what the state of knowledge was on 2026-11-21.

Nothing here is a constant of the program: every value has an instant from which it holds, and the
cooperative's own records come after these.
"""

from __future__ import annotations

from api.cooperative.law.rule import UNCONFIRMED, UNKNOWN, Kind, Mark, Rule, since

ALWAYS = "1970-01-01T00:00:00Z"
"""From the beginning, for what has no first day that matters here."""

_REASONABLE_FEE = "minimum_reasonable_fee"
_NET_METERING = "net_metering"
_ENERGY_TAX = "energy_tax_eur_per_kwh"
_TAX_CREDIT = "energy_tax_credit_eur"

RULES: tuple[Rule, ...] = (
    Rule(
        _NET_METERING,
        Kind.YES_NO,
        "whether suppliers offset a year's export against import",
        since(
            _NET_METERING,
            (ALWAYS, "yes", Mark.KNOWN, "Elektriciteitswet 1998, article 31c"),
            ("2026-12-31T23:00:00Z", "no", Mark.SOURCE, "law 36 611, kst-36611-3"),
        ),
    ),
    Rule(
        _REASONABLE_FEE,
        Kind.EXACT,
        "the least a supplier pays for export, as part of the bare supply price",
        since(
            _REASONABLE_FEE,
            ("2025-12-31T23:00:00Z", "1/2", Mark.SOURCE, "kst-36611-D, until 2030-01-01"),
            ("2029-12-31T23:00:00Z", "0", Mark.SOURCE, "kst-36611-D, until 2030-01-01"),
        ),
    ),
    Rule(
        _ENERGY_TAX,
        Kind.EXACT,
        "energy tax of the first band, excluding VAT [EUR/kWh]; shown, never collected",
        since(
            _ENERGY_TAX,
            ("2025-12-31T23:00:00Z", "0.09160", Mark.SOURCE, "gelijkvergelijk.nl"),
            ("2026-12-31T23:00:00Z", UNKNOWN, Mark.UNCERTAIN, "2027 rates are not published"),
        ),
    ),
    Rule(
        _TAX_CREDIT,
        Kind.EXACT,
        "energy tax credit of a dwelling and year, excluding VAT [EUR]; shown, never paid",
        since(
            _TAX_CREDIT,
            ("2024-12-31T23:00:00Z", "524.95", Mark.SOURCE, "rijksfinancien.nl"),
            ("2025-12-31T23:00:00Z", UNKNOWN, Mark.UNCERTAIN, "raised in 2026, figure not read"),
        ),
    ),
    Rule(
        "correction_months",
        Kind.WHOLE,
        "how long after a month it is corrected without a decision [months]",
        since(
            "correction_months",
            (ALWAYS, "4", Mark.SOURCE, "nedu.nl, Allocatie 2.0: settlement in 4 months"),
        ),
        most=120,
    ),
    Rule(
        "payment_days",
        Kind.WHOLE,
        "how long after its day a paper is collected or paid; SEPA Core wants members told 14 "
        "days before, unless agreed otherwise [days]",
        since(
            "payment_days",
            (ALWAYS, "14", Mark.KNOWN, "EPC016-06, SEPA Core rulebook: pre-notification"),
        ),
        most=90,
    ),
    Rule(
        "retention_years",
        Kind.WHOLE,
        "how long ledger, invoices, debtors and creditors are kept [years]",
        since(
            "retention_years",
            (ALWAYS, "7", Mark.SOURCE, "accountants' pages on the duty to keep records"),
        ),
    ),
    Rule(
        "retention_years_real_estate",
        Kind.WHOLE,
        "how long records of real estate are kept [years]",
        since(
            "retention_years_real_estate",
            (ALWAYS, "10", Mark.SOURCE, "accountants' pages on the duty to keep records"),
        ),
    ),
    Rule(
        "mandate_unused_months",
        Kind.WHOLE,
        "after how long without a collection a SEPA mandate lapses [months]",
        since(
            "mandate_unused_months",
            (ALWAYS, "36", Mark.KNOWN, "EPC016-06, SEPA Core rulebook, section 4.1"),
        ),
    ),
    Rule(
        "mandate_kept_months",
        Kind.WHOLE,
        "how long a mandate is kept after its last collection [months]",
        since(
            "mandate_kept_months",
            (ALWAYS, "14", Mark.KNOWN, "EPC016-06: 13 months to claim back, then handling"),
        ),
    ),
    Rule(
        "sharing_supplier",
        Kind.NAME,
        "the one supplier of the sharing group; empty for each connection's first one",
        since(
            "sharing_supplier",
            (ALWAYS, "", Mark.SOURCE, "amendment 56 of 2024-06-04: one and the same supplier"),
        ),
    ),
    Rule(
        "tax_treatment",
        Kind.WORDS,
        "who confirmed how energy tax and VAT fall on shared kWh, and when",
        since("tax_treatment", (ALWAYS, UNCONFIRMED, Mark.UNCERTAIN, "no exemption found")),
        "tax_unconfirmed",
    ),
    Rule(
        "organiser_role",
        Kind.WORDS,
        "who confirmed that the cooperative may share and bill without a supplier's licence",
        since(
            "organiser_role",
            (ALWAYS, UNCONFIRMED, Mark.UNCERTAIN, "directive 2019/944, article 15a; open in law"),
        ),
        "organiser_unconfirmed",
    ),
)
"""Every rule the books know."""

VAT_RATES: tuple[tuple[str, str, str, Mark, str], ...] = (
    ("high", "2012-09-30T22:00:00Z", "21/100", Mark.KNOWN, "Wet OB 1968, article 9 paragraph 1"),
    ("low", "2018-12-31T23:00:00Z", "9/100", Mark.KNOWN, "Wet OB 1968, article 9 paragraph 2"),
    ("zero", ALWAYS, "0", Mark.KNOWN, "Wet OB 1968, article 9 paragraph 2 under b"),
    ("none", ALWAYS, "0", Mark.KNOWN, "outside VAT"),
    ("exempt", ALWAYS, "0", Mark.KNOWN, "Wet OB 1968, article 11"),
    ("reverse", ALWAYS, "0", Mark.KNOWN, "Wet OB 1968, article 12: the buyer owes it"),
)
"""Code, first instant, rate as a part, mark and source."""
