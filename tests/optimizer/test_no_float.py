"""No floating-point number lies on the way from a reading to a bill: by type, and by the text.

The text: every module that settling imports is read, and holds nothing that makes a float. The
types: everything that comes out is walked through, down to the arrays' own number types.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings

from kwartier.interval import QUARTER_S, Quarter, local_day
from optimizer.as_json.bill_json import bill_text, resettle_text
from optimizer.as_json.period_json import period_text
from optimizer.as_json.settle_json import settle_quarter_text
from optimizer.bill import Volume, bill, correct
from optimizer.month import MonthCase, settle_month
from optimizer.settlement import settle_quarter
from optimizer.settling.correction import correct_month
from optimizer.settling.estimation import estimate_gap
from optimizer.settling.period import settle_period
from optimizer.settling.register_steps import RegisterStand, advanced_wh
from tests.optimizer.random_months import months, random_terms

ENTRANCES = (
    "optimizer.as_json.settle_json",
    "optimizer.as_json.period_json",
    "optimizer.as_json.bill_json",
    "optimizer.month",
    "optimizer.settling.correction",
    "optimizer.settling.estimation",
    "optimizer.settling.register_steps",
)
"""Where settling begins; what they import is found by reading."""
GROUND = ("kwartier.ledger", "kwartier.units")
"""The words for energy and money; instants are measured elsewhere, and may be floats there."""
WHOLE_MATH = {"lcm", "gcd", "floor", "isqrt"}
"""What of ``math`` gives whole numbers when it is given whole ones or fractions."""
WHOLE_ARRAYS = {"int64", "int32", "uint8", "bool_"}
"""The number types that an array on the way may have."""
FRESH_ARRAYS = {"zeros", "ones", "empty", "full"}
"""What makes an array of floats unless it is told otherwise."""
FLOAT_MAKERS = {
    "average",
    "divide",
    "double",
    "interp",
    "linspace",
    "mean",
    "median",
    "sqrt",
    "std",
    "true_divide",
    "var",
}
"""What of an array or of ``numpy`` makes floats of whole numbers."""
ALLOWED = {int, str, bool, Fraction, type(None)}


def modules_on_the_way() -> list[str]:
    """Return every module of the optimizer that the entrances import, however far down."""
    found: set[str] = set(GROUND)
    waiting = list(ENTRANCES)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [each for each in imports_of(name) if each.startswith("optimizer.")]
    return sorted(found)


def imports_of(name: str) -> list[str]:
    return [
        node.module
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.ImportFrom) and node.module is not None
    ]


def tree_of(name: str) -> ast.Module:
    path = importlib.import_module(name).__file__
    assert path is not None
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def offences(tree: ast.Module) -> Iterator[str]:
    """Yield what in a module makes a float, or may."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"line {node.lineno}: the number {node.value!r}"
            case ast.Name(id="float" | "complex" | "round" as name):
                yield f"line {node.lineno}: {name}"
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                if not (_is_exact(left) or _is_exact(right)):
                    yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.AugAssign(op=ast.Div()):
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in WHOLE_MATH:
                yield f"line {node.lineno}: math.{name}"
            case ast.Attribute(attr=name) if name in FLOAT_MAKERS or name.startswith("float"):
                yield f"line {node.lineno}: .{name}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
                if name in FRESH_ARRAYS and not _tells_its_type(node, name):
                    yield f"line {node.lineno}: np.{name} without a number type"
            case _:
                pass


def _is_exact(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "Fraction"


def _tells_its_type(call: ast.Call, name: str) -> bool:
    types = [*call.args[2 if name == "full" else 1 :], *(each.value for each in call.keywords)]
    return any(ast.unparse(each).removeprefix("np.") in WHOLE_ARRAYS for each in types)


def kinds(value: object) -> set[object]:
    """Return the type of every number and text within a value; an array's number type."""
    if isinstance(value, Enum | range):
        return {int}
    if isinstance(value, np.ndarray):
        return {int} if value.dtype.name in {"int64", "bool"} else {value.dtype}
    if is_dataclass(value):
        inner: list[object] = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, tuple | list):
        inner = list(value)
    else:
        return {type(value)}
    return {kind for each in inner for kind in kinds(each)}


def test_the_way_from_a_reading_to_a_bill_is_found_by_its_imports() -> None:
    way = modules_on_the_way()

    assert {
        "optimizer.sharing",
        "optimizer.settling.rounding",
        "optimizer.settling.battery_claims",
    } < set(way)
    assert {
        "optimizer.settling.matrix_settlement",
        "optimizer.settling.invoicing",
        "optimizer.tariff",
    } < set(way)
    assert not {"optimizer.dispatch", "optimizer.forecast"} & set(way)


@pytest.mark.parametrize("name", modules_on_the_way())
def test_no_module_on_the_way_can_make_a_float(name: str) -> None:
    assert list(offences(tree_of(name))) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.5",
        "x = float(y)",
        "x: float = y",
        "x = a / b",
        "x /= b",
        "x = math.sqrt(y)",
        "x = y.mean()",
        "x = np.zeros(5)",
        "x = np.full(5, 1)",
        "x = np.float64(y)",
        "x = y.astype(np.float32)",
        "x = round(y)",
    ],
)
def test_what_makes_a_float_would_be_found(text: str) -> None:
    assert list(offences(ast.parse(text)))


@settings(max_examples=200, deadline=None)
@given(case=months)
def test_no_float_is_in_anything_that_a_month_makes(case: MonthCase) -> None:
    result = settle_month(case)
    quarters = [case.readings.column(column) for column in range(0, case.readings.quarters, 12)]
    settled = [
        settle_quarter(readings, case.agreement.rules_at(readings.quarter)) for readings in quarters
    ]
    first = bill([Volume("A", 1250, 7)], case.tariffs[0].terms)
    other = bill([Volume("A", 1250, 8)], case.tariffs[-1].terms)

    assert kinds(result) <= ALLOWED
    assert kinds(correct_month(result.invoices, {})) <= ALLOWED
    assert kinds(settled) <= ALLOWED
    assert kinds(
        [each.claims_move({"A": Fraction(5, 3)}, Fraction(9, 10)) for each in settled]
    ) <= (ALLOWED)
    assert kinds(settle_period(quarters, case.agreement)) <= ALLOWED
    assert kinds(correct(first, other)) <= ALLOWED
    for invoice in result.invoices.values():
        told = (invoice.net, invoice.gross, invoice.earned_gross, invoice.to_pay)
        assert kinds(told) == {int}
        assert type(invoice.exact_eur) is Fraction


def test_no_float_is_in_what_the_pocket_calculator_answers() -> None:
    quarter = (
        '{"readings": {"A": {"import": "0.160"}, "P": {"export": "0.333"}}, "eta": "0.9",'
        ' "key": {"type": "proportional"}, "claims": {"P": "225"},'
        ' "battery": {"discharge": "0.270"}}'
    )
    period = (
        '{"quarters": [{"ts": "2026-07-01T09:45:00Z", "readings": {"A": {"import": "0.160"}}}],'
        ' "keys": [{"from": "2020-01-01T00:00:00Z", "key": {"type": "proportional"}}]}'
    )
    july = '{"volumes": [{"member": "A", "bought": "1.5"}], "tariff": {"buy": "1/3", "sell": "0"}}'

    answers = [
        settle_quarter_text(quarter),
        period_text(period),
        bill_text(july),
        resettle_text(f'{{"old": {july}, "new": {july}}}'),
    ]

    assert kinds(answers) <= ALLOWED


def test_no_float_is_in_an_estimate_or_a_registers_step() -> None:
    noon = Quarter(local_day(date(2026, 7, 1))[0])
    stands = [RegisterStand("m", 0, 5), RegisterStand("m", 900, 9)]

    assert kinds(estimate_gap([noon, noon.next()], {noon.start_s - 672 * QUARTER_S: 5}, 7)) <= (
        ALLOWED
    )
    assert type(advanced_wh(stands)) is int
    assert kinds(random_terms(Random(1))) <= ALLOWED  # noqa: S311 - makes up an example
