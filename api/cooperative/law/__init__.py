"""Law as data: decisions, and the versions of keys, tariffs, VAT codes and rules they made."""

from __future__ import annotations

from api.cooperative.law.decision import (
    Decision,
    DecisionKind,
    Result,
    adopted_decision,
    decision_or_none,
    decisions,
    record_decision,
)
from api.cooperative.law.key_book import (
    KeyRecord,
    KeyTerms,
    add_key,
    key_is_approved,
    key_records,
    key_versions,
)
from api.cooperative.law.parameter import (
    parameter,
    parameter_or_none,
    parameters,
    set_parameter,
)
from api.cooperative.law.remarks import reasonable_fee, warnings_at
from api.cooperative.law.rule import Mark, Parameter
from api.cooperative.law.tariff_book import (
    TariffRecord,
    TariffTerms,
    add_tariff,
    tariff_is_approved,
    tariff_records,
    tariff_versions,
)
from api.cooperative.law.vat_book import (
    VatCode,
    add_vat_code,
    rate_on_sales,
    vat_code,
    vat_codes,
)

__all__ = (
    "Decision",
    "DecisionKind",
    "KeyRecord",
    "KeyTerms",
    "Mark",
    "Parameter",
    "Result",
    "TariffRecord",
    "TariffTerms",
    "VatCode",
    "add_key",
    "add_tariff",
    "add_vat_code",
    "adopted_decision",
    "decision_or_none",
    "decisions",
    "key_is_approved",
    "key_records",
    "key_versions",
    "parameter",
    "parameter_or_none",
    "parameters",
    "rate_on_sales",
    "reasonable_fee",
    "record_decision",
    "set_parameter",
    "tariff_is_approved",
    "tariff_records",
    "tariff_versions",
    "vat_code",
    "vat_codes",
    "warnings_at",
)
