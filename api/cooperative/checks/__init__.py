"""The board's ten checks of a run: pure, each with its effect in cents, the largest first."""

from __future__ import annotations

from api.cooperative.checks.board import check_all
from api.cooperative.checks.case import (
    CheckCase,
    CheckLimits,
    CommunityTotal,
    MemberTotal,
    MeterCase,
    PastMonth,
    Prices,
    RegisterPoint,
    Window,
)
from api.cooperative.checks.finding import Code, Finding, Severity
from api.cooperative.checks.sentences import place_text, sentence

__all__ = [
    "CheckCase",
    "CheckLimits",
    "Code",
    "CommunityTotal",
    "Finding",
    "MemberTotal",
    "MeterCase",
    "PastMonth",
    "Prices",
    "RegisterPoint",
    "Severity",
    "Window",
    "check_all",
    "place_text",
    "sentence",
]
