"""What if: the last twelve months with another key, tariff, battery or roof, for everybody."""

from __future__ import annotations

from api.cooperative.whatif.candidate import Against, Candidate, key_terms, tariff_terms
from api.cooperative.whatif.classes import Bar, Group, bars_of, groups_of
from api.cooperative.whatif.effects import (
    Distribution,
    MemberEffect,
    MissingMonth,
    Replay,
    ReplayedMonth,
    replay_hash,
    replay_of,
    told_of,
)
from api.cooperative.whatif.months import MONTHS, last_months
from api.cooperative.whatif.replaying import replay
from api.cooperative.whatif.street import BatteryTerms, RoofTerms, StreetTerms, street_terms
from api.cooperative.whatif.street_effect import StreetEffect, StreetSums
from api.cooperative.whatif.surroundings import Surroundings
from api.cooperative.whatif.trying import Draft, Tryout, Tryouts
from api.cooperative.whatif.worlds import ASSUMED_BATTERY

__all__ = (
    "ASSUMED_BATTERY",
    "MONTHS",
    "Against",
    "Bar",
    "BatteryTerms",
    "Candidate",
    "Distribution",
    "Draft",
    "Group",
    "MemberEffect",
    "MissingMonth",
    "Replay",
    "ReplayedMonth",
    "RoofTerms",
    "StreetEffect",
    "StreetSums",
    "StreetTerms",
    "Surroundings",
    "Tryout",
    "Tryouts",
    "bars_of",
    "groups_of",
    "key_terms",
    "last_months",
    "replay",
    "replay_hash",
    "replay_of",
    "street_terms",
    "tariff_terms",
    "told_of",
)
