"""What holds for every settlement, whatever the readings and the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kwartier.ledger import Entry, balances
from kwartier.model import Tariff
from optimizer.balance import QuarterReadings, Registers, SelfRule, balance_of
from optimizer.settlement import MemberDay, Rules, Source, Status, settle_day, settle_quarter
from optimizer.settling.rounding import Tie, half_away_from_zero
from optimizer.sharing import Pot, SharingKey
from tests.optimizer.cases import (
    any_registers,
    energies_wh,
    known_registers,
    quarters,
    rules,
    steady_keys,
)
from tests.optimizer.second_opinion import caps_by_rule, rounded, whose_export

prices = st.decimals(min_value=-1, max_value=1, places=4).map(Decimal)
days = st.lists(
    quarters(any_registers), min_size=1, max_size=4, unique_by=lambda readings: readings.quarter
)


@given(readings=quarters(any_registers), rules=rules)
def test_every_watt_hour_has_a_place(readings: QuarterReadings, rules: Rules) -> None:
    quarter = settle_quarter(readings, rules)

    balance = quarter.balance
    assert sum(quarter.exact.values()) <= balance.supply_wh
    assert quarter.shared_total_wh == sum(quarter.exact.values()) // 1
    assert sum(quarter.shared_out_wh.values()) + quarter.battery_to_members_wh == (
        quarter.shared_total_wh
    )
    assert 0 <= quarter.battery_to_members_wh <= balance.discharge_wh
    for name in readings.connections:
        assert 0 <= quarter.exact[name] <= balance.caps_wh[name]
        assert 0 <= quarter.allocated_wh[name] <= balance.caps_wh[name]
        assert -1 < quarter.allocated_wh[name] - quarter.exact[name] < 1
        assert 0 <= quarter.shared_out_wh[name] <= balance.exports_wh[name]


@given(readings=quarters(any_registers), rules=rules)
def test_a_second_opinion_agrees_to_the_watt_hour(readings: QuarterReadings, rules: Rules) -> None:
    rules = replace(rules, source=Source.PROPORTIONAL)
    imports = {name: read.import_wh or 0 for name, read in readings.connections.items()}
    exports = {name: read.export_wh or 0 for name, read in readings.connections.items()}
    if rules.self_rule is SelfRule.NET:
        both = {name: min(imports[name], exports[name]) for name in imports}
        imports = {name: wh - both[name] for name, wh in imports.items()}
        exports = {name: wh - both[name] for name, wh in exports.items()}
    discharge = readings.battery.export_wh or 0
    caps = caps_by_rule(rules.self_rule, imports, exports, discharge)
    order = sorted(imports)
    if rules.tie is Tie.ROTATE:
        order = [
            order[(place + readings.quarter.number) % len(order)] for place in range(len(order))
        ]
    exact = rules.key.share(Pot(sum(exports.values()) + discharge, imports, caps))

    quarter = settle_quarter(readings, rules)

    assert quarter.exact == exact
    assert quarter.allocated_wh == rounded(exact, order)
    assert quarter.shared_out_wh == whose_export(
        quarter.allocated_wh, exports, order, pool=rules.self_rule is SelfRule.POOL
    )


@given(readings=quarters(any_registers), rules=rules)
def test_nobody_has_to_be_served_by_itself(readings: QuarterReadings, rules: Rules) -> None:
    """Gale's condition: received plus given is at most what was shared."""
    quarter = settle_quarter(readings, replace(rules, self_rule=SelfRule.NO_SELF))

    for name in readings.connections:
        assert quarter.allocated_wh[name] + quarter.shared_out_wh[name] <= quarter.shared_total_wh


@given(
    readings=quarters(known_registers),
    key=steady_keys,
    self_rule=st.sampled_from(SelfRule),
    more_wh=energies_wh,
)
def test_more_sun_from_a_roof_without_a_home_lowers_nobodys_share(
    readings: QuarterReadings, key: SharingKey, self_rule: SelfRule, more_wh: int
) -> None:
    def shared(producer_wh: int) -> Mapping[str, int | Fraction]:
        homes = {**readings.connections, "roof": Registers(export_wh=producer_wh)}
        balance = balance_of(replace(readings, connections=homes), self_rule)
        return key.share(Pot(balance.supply_wh, balance.imports_wh, balance.caps_wh))

    before, after = shared(500), shared(500 + more_wh)

    assert all(after[name] >= share for name, share in before.items())


@given(readings=quarters(any_registers), rules=rules)
def test_the_order_of_the_homes_does_not_matter(readings: QuarterReadings, rules: Rules) -> None:
    rules = replace(rules, source=Source.PROPORTIONAL)
    turned = dict(reversed(list(readings.connections.items())))

    assert settle_quarter(readings, rules) == settle_quarter(
        replace(readings, connections=turned), rules
    )


@given(readings=quarters(any_registers), rules=rules)
def test_provisional_if_and_only_if_something_is_flagged(
    readings: QuarterReadings, rules: Rules
) -> None:
    registers = [*readings.connections.values(), readings.battery]
    flagged = any(
        None in {read.import_wh, read.export_wh} or read.import_estimated or read.export_estimated
        for read in registers
    )

    quarter = settle_quarter(readings, rules)

    assert (quarter.status is Status.PROVISIONAL) is flagged


@given(day=days, rules=rules)
def test_two_parts_of_a_day_add_up_to_the_day(day: list[QuarterReadings], rules: Rules) -> None:
    whole = settle_day(day, rules, Tariff())
    parts = [settle_day(part, rules, Tariff()) for part in (day[:1], day[1:])]

    for name, member in whole.members.items():
        first, second = (part.members.get(name, MemberDay()) for part in parts)
        assert member == first.plus(second)


@given(day=days, rules=rules, buy=prices, sell=prices, levy=prices)
def test_the_books_of_a_day_balance_at_any_price(
    day: list[QuarterReadings], rules: Rules, buy: Decimal, sell: Decimal, levy: Decimal
) -> None:
    settlement = settle_day(day, rules, Tariff(buy, sell, levy))

    held = {account.name: cents for account, cents in balances(settlement.entries).items()}
    bought_wh = sum(member.bought_wh for member in settlement.members.values())
    sold_wh = sum(member.sold_wh + member.to_battery_wh for member in settlement.members.values())
    assert sum(held.values()) == 0
    assert held.get("coop:energy_sales", 0) == -cents_of(bought_wh, buy)
    assert held.get("coop:energy_purchase", 0) == cents_of(sold_wh, sell)
    assert held.get("fund:levy", 0) == -cents_of(bought_wh, levy)


@given(day=days, rules=rules, buy=prices, sell=prices)
def test_a_price_below_zero_turns_the_signs(
    day: list[QuarterReadings], rules: Rules, buy: Decimal, sell: Decimal
) -> None:
    up = settle_day(day, rules, Tariff(buy, sell, Decimal(0)))
    down = settle_day(day, rules, Tariff(-buy, -sell, Decimal(0)))

    assert {account: -cents for account, cents in totals(up.entries).items()} == totals(
        down.entries
    )


@given(day=days, rules=rules)
def test_settling_twice_gives_the_same(day: list[QuarterReadings], rules: Rules) -> None:
    assert settle_day(day, rules, Tariff()) == settle_day(day, rules, Tariff())


@given(day=days, rules=rules)
def test_no_float_lies_on_the_way_to_a_bill(day: list[QuarterReadings], rules: Rules) -> None:
    settlement = settle_day(day, rules, Tariff())

    assert kinds(settlement) <= {int, str, Fraction, bool, type(None)}


def cents_of(energy_wh: int, price_eur_per_kwh: Decimal) -> int:
    return half_away_from_zero(Fraction(energy_wh, 10) * Fraction(price_eur_per_kwh))


def totals(entries: tuple[Entry, ...]) -> dict[str, int]:
    """Return the cooperative's own accounts, whose cents are rounded as one total."""
    held = balances(entries)
    return {account.name: held[account] for account in held if account.name.startswith("coop:")}


def kinds(value: object) -> set[type]:
    """Return the type of every number and text within a value."""
    if isinstance(value, Enum):
        return {str}
    if is_dataclass(value):
        inner: list[object] = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, tuple | list):
        inner = list(value)
    else:
        return {type(value)}
    return {kind for each in inner for kind in kinds(each)}
