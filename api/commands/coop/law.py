"""``kwartier coop decision|parameter``: what was decided, and what the rules of law say."""

from __future__ import annotations

import argparse
import hashlib

from api.commands.coop.acting import (
    day,
    fields_of,
    midnight,
    read_bytes,
    reading_desk,
    writing_desk,
)
from api.commands.coop.word import Word
from api.cooperative.law import (
    Decision,
    DecisionKind,
    Parameter,
    Result,
    decisions,
    parameters,
    record_decision,
    set_parameter,
)
from api.cooperative.law.dutch import RULES
from kwartier.cli import print_json
from kwartier.interval import instant_text
from kwartier.wire import Json


def _decision_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decision", help="its number, such as 2026-07")
    parser.add_argument("--kind", choices=list(DecisionKind), required=True)
    parser.add_argument("--title", required=True, help="what it is about, in a line")
    parser.add_argument("--text", required=True, metavar="FILE", help="the text decided on")
    parser.add_argument("--on", type=day, required=True, metavar="DAY", help="day it was taken")
    parser.add_argument("--eligible", type=int, required=True, help="how many had a vote")
    parser.add_argument("--turnout", type=int, required=True, help="how many used it")
    parser.add_argument("--result", choices=list(Result), default=Result.ADOPTED)
    parser.add_argument(
        "--from", dest="start_s", type=midnight, required=True, metavar="DAY", help="holds from"
    )


def _decision_record(chosen: argparse.Namespace) -> int:
    decision = Decision(
        chosen.decision,
        DecisionKind(chosen.kind),
        chosen.title,
        hashlib.sha256(read_bytes(chosen.text)).hexdigest(),
        chosen.on,
        chosen.eligible,
        chosen.turnout,
        Result(chosen.result),
        chosen.start_s,
    )
    with writing_desk(chosen) as desk:
        record_decision(desk, decision)
    print_json(_told_decision(decision))
    return 0


def _decision_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([_told_decision(each) for each in decisions(desk)])
    return 0


def _told_decision(decision: Decision) -> dict[str, Json]:
    told = fields_of(decision)
    told["effective"] = instant_text(decision.effective_s)
    del told["effective_s"]
    return told


def _parameter_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", help="the rule, such as correction_months")
    parser.add_argument("value", help="what it is from then on")
    parser.add_argument("--decision", required=True, help="number of the decision")
    parser.add_argument("--source", default="", help="where it was read")
    parser.add_argument(
        "--from", dest="start_s", type=midnight, required=True, metavar="DAY", help="holds from"
    )


def _parameter_set(chosen: argparse.Namespace) -> int:
    with writing_desk(chosen) as desk:
        made = set_parameter(
            desk, chosen.rule, chosen.value, chosen.start_s, chosen.decision, chosen.source
        )
    print_json(_told_parameter(made))
    return 0


def _parameter_list(chosen: argparse.Namespace) -> int:
    with reading_desk(chosen) as desk:
        print_json([_told_parameter(each) for each in parameters(desk)])
    return 0


def _told_parameter(rule: Parameter) -> dict[str, Json]:
    told = fields_of(rule)
    del told["start_s"]
    meaning = next(known.meaning for known in RULES if known.name == rule.name)
    return {**told, "from": instant_text(rule.start_s), "meaning": meaning}


def _none(_: argparse.ArgumentParser) -> None:
    """Add nothing."""


WORDS = (
    Word(
        "decision",
        "record",
        "write down a decision, with the hash of its text",
        "kwartier coop decision record 2026-07 --kind tariff --title 'Tarief juli' "
        "--text besluit.pdf --on 2026-06-12 --eligible 62 --turnout 41 --from 2026-07-01 "
        "--as board",
        _decision_arguments,
        _decision_record,
    ),
    Word(
        "decision",
        "list",
        "show all decisions",
        "kwartier coop decision list --as board",
        _none,
        _decision_list,
    ),
    Word(
        "parameter",
        "set",
        "let a rule have another value from a day on, by a decision",
        "kwartier coop parameter set correction_months 6 --from 2026-07-01 --decision 2026-08 "
        "--as board",
        _parameter_arguments,
        _parameter_set,
    ),
    Word(
        "parameter",
        "list",
        "show all rules with their source and how sure they are",
        "kwartier coop parameter list --as board",
        _none,
        _parameter_list,
    ),
)
