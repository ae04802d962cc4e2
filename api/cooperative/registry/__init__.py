"""Who belongs to the cooperative: parties, memberships, mandates, connections, owners, officers."""

from __future__ import annotations

from api.cooperative.law.vat_book import VatStatus
from api.cooperative.registry.connection_book import (
    Connection,
    add_connection,
    change_connection,
    connections,
)
from api.cooperative.registry.connection_book import connection_of as connection
from api.cooperative.registry.consent_book import (
    Consent,
    Purpose,
    consents,
    give_consent,
    may_use,
    withdraw_consent,
)
from api.cooperative.registry.mandate_book import (
    Mandate,
    Sequence,
    end_mandate,
    mandate_of,
    mandates,
    sign_mandate,
    use_mandate,
)
from api.cooperative.registry.member_book import (
    Membership,
    VoteClass,
    add_member,
    end_member,
    memberships,
    voters,
)
from api.cooperative.registry.officer_book import (
    NewSecret,
    OfficerTerm,
    confirm,
    end_officer,
    first_officers,
    officers,
    propose_new_secret,
    propose_officer,
    recognise,
    renew_secret,
)
from api.cooperative.registry.ownership_book import (
    OwnershipWindow,
    end_ownership,
    hand_over,
    own,
    ownership_between,
    windows,
    withdraw_ownership,
)
from api.cooperative.registry.party_book import (
    ERASED,
    Language,
    Party,
    PartyKind,
    add_party,
    change_party,
    parties,
    party_part,
    set_vat_status,
    vat_status,
)
from api.cooperative.registry.party_book import party_of as party
from api.cooperative.registry.payout_book import iban_of, propose_iban
from api.cooperative.registry.privacy import ERASED_NAME, Kept, erase, export
from api.cooperative.registry.supply_book import change_supplier, participation, supplier_at

__all__ = (
    "ERASED",
    "ERASED_NAME",
    "Connection",
    "Consent",
    "Kept",
    "Language",
    "Mandate",
    "Membership",
    "NewSecret",
    "OfficerTerm",
    "OwnershipWindow",
    "Party",
    "PartyKind",
    "Purpose",
    "Sequence",
    "VatStatus",
    "VoteClass",
    "add_connection",
    "add_member",
    "add_party",
    "change_connection",
    "change_party",
    "change_supplier",
    "confirm",
    "connection",
    "connections",
    "consents",
    "end_mandate",
    "end_member",
    "end_officer",
    "end_ownership",
    "erase",
    "export",
    "first_officers",
    "give_consent",
    "hand_over",
    "iban_of",
    "mandate_of",
    "mandates",
    "may_use",
    "memberships",
    "officers",
    "own",
    "ownership_between",
    "participation",
    "parties",
    "party",
    "party_part",
    "propose_iban",
    "propose_new_secret",
    "propose_officer",
    "recognise",
    "renew_secret",
    "set_vat_status",
    "sign_mandate",
    "supplier_at",
    "use_mandate",
    "vat_status",
    "voters",
    "windows",
    "withdraw_consent",
    "withdraw_ownership",
)
