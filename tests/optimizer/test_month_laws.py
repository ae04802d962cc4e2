"""What holds for every month, whatever was read, agreed and priced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.interval import QUARTER_S, instant_text, local_day
from kwartier.ledger import balances
from optimizer.balance import SelfRule
from optimizer.bill import Volume, bill
from optimizer.month import (
    Charge,
    FlaggedStretch,
    InvoiceLine,
    MonthCase,
    MonthResult,
    TariffVersion,
    settle_month,
)
from optimizer.settlement import Status
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.correction import correct_month
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix
from optimizer.settling.month_spans import local_days
from optimizer.settling.period import settle_period
from tests.optimizer.months import JULY, midnight, month_of
from tests.optimizer.naive_month import half_away, naive_month
from tests.optimizer.random_months import (
    HOMES,
    RATES,
    Size,
    months,
    random_readings,
    random_terms,
    seeds,
    sizes,
)

thorough = settings(max_examples=200, deadline=None)


@thorough
@given(case=months)
def test_a_month_agrees_with_a_plain_reckoning_of_its_quarters(case: MonthCase) -> None:
    case = without_claims(case)
    plain = naive_month(case)

    result = settle_month(case)

    for charge in Charge:
        told = {name: each.cents_of(charge) for name, each in result.invoices.items()}
        expected = dict.fromkeys(result.invoices, 0) | plain.cents(charge.value)
        assert told == expected, charge
    energy_wh = {
        (name, line.priced.charge.value, line.priced.connection, line.priced.tariff): wh
        for name, each in result.invoices.items()
        for line in each.lines
        if (wh := line.priced.energy_wh) is not None
    }
    levied = {
        place: wh
        for place, wh in plain.energy_wh.items()
        if place[1] != "levy" or place in energy_wh
    }
    assert energy_wh == levied
    assert set(result.invoices) == plain.members
    assert {name: wh for name, wh in result.orphan_wh.items() if wh} == {
        name: wh for name, wh in plain.orphan_wh.items() if wh
    }
    assert expanded(result.missing) == plain.missing
    assert expanded(result.estimated) == plain.estimated


@thorough
@given(case=months)
def test_lines_add_up_to_charges_and_charges_to_the_rounded_total(case: MonthCase) -> None:
    result = settle_month(case)

    for charge in Charge:
        lines = [line for line in every_line(result) if line.priced.charge is charge]
        exact = 100 * sum((line.priced.exact_eur for line in lines), Fraction())
        assert sum(line.cents for line in lines) == half_away(exact)
        assert all(-1 < line.cents - 100 * line.priced.exact_eur < 1 for line in lines)
        for member, invoice in result.invoices.items():
            own = [line for line in lines if line.priced.member == member]
            own_exact = 100 * sum((line.priced.exact_eur for line in own), Fraction())
            assert invoice.cents_of(charge) == sum(line.cents for line in own)
            assert -1 < invoice.cents_of(charge) - own_exact < 1


@thorough
@given(case=months)
def test_the_quarters_of_a_month_add_up_to_its_lines(case: MonthCase) -> None:
    result = settle_month(case)

    def energy_wh(*charges: Charge) -> int:
        return sum(
            line.priced.energy_wh or 0
            for line in every_line(result)
            if line.priced.charge in charges
        )

    quarters = result.allocation
    assert energy_wh(Charge.BUY) == quarters.bought_wh.sum()
    assert energy_wh(Charge.SELL) == quarters.sold_wh.sum()
    assert (quarters.bought_wh.sum(axis=0) - quarters.sold_wh.sum(axis=0)).tolist() == (
        quarters.from_battery_wh.tolist()
    )
    assert (quarters.from_battery_wh <= case.readings.discharge.energy_wh[0]).all()
    assert (quarters.to_battery_wh.sum(axis=0) <= case.readings.charge.energy_wh[0]).all()


@thorough
@given(case=months)
def test_every_entry_sums_to_zero_and_the_accounts_to_the_charges(case: MonthCase) -> None:
    result = settle_month(case)

    held = {account.name: cents for account, cents in balances(result.entries).items()}

    assert all(sum(line.amount for line in entry.lines) == 0 for entry in result.entries)
    totals = {
        charge: sum(invoice.cents_of(charge) for invoice in result.invoices.values())
        for charge in Charge
    }
    assert held.get("coop:energy_sales", 0) == -totals[Charge.BUY]
    assert held.get("fund:levy", 0) == -totals[Charge.LEVY]
    assert held.get("coop:fees", 0) == -totals[Charge.FEE]
    assert held.get("coop:energy_purchase", 0) == totals[Charge.SELL]
    assert held.get("coop:battery_energy", 0) == totals[Charge.BATTERY]
    for member, invoice in result.invoices.items():
        own = held.get(f"receivable:{member}", 0) + held.get(f"payable:{member}", 0)
        assert own == invoice.to_pay


@thorough
@given(case=months)
def test_vat_is_taken_once_on_every_cent_at_its_rate(case: MonthCase) -> None:
    for member, invoice in settle_month(case).invoices.items():
        bases: dict[tuple[bool, Fraction], int] = defaultdict(int)
        for line in invoice.lines:
            owed = line.priced.charge.owed
            rate = line.priced.vat if owed else case.sell_vat.get(member, Fraction())
            bases[not owed, rate] += line.cents
        assert {(each.earned, each.rate): each.base_cents for each in invoice.vat} == bases
        for each in invoice.vat:
            assert each.vat_cents == half_away(each.base_cents * each.rate)
        assert invoice.to_pay == invoice.net + invoice.vat_due - invoice.earned_gross


@thorough
@given(case=months)
def test_settling_a_month_twice_gives_the_same_and_corrects_nothing(case: MonthCase) -> None:
    first, second = settle_month(case), settle_month(case)

    assert figures(first) == figures(second)
    correction = correct_month(first.invoices, second.invoices)
    assert correction.under_a_cent
    assert not correction.reversals
    assert not correction.delta_to_pay
    assert not correction.delta_exact_eur


@thorough
@given(case=months)
def test_the_order_of_owners_and_versions_does_not_matter(case: MonthCase) -> None:
    ownership = case.agreement.ownership
    turned = replace(
        case.agreement,
        keys=case.agreement.keys[::-1],
        ownership=None if ownership is None else ownership[::-1],
    )

    assert figures(settle_month(case)) == figures(
        settle_month(replace(case, agreement=turned, tariffs=case.tariffs[::-1]))
    )


@thorough
@given(case=months)
def test_prices_below_zero_turn_every_sign(case: MonthCase) -> None:
    up = settle_month(case)
    down = settle_month(replace(case, tariffs=tuple(negated(each) for each in case.tariffs)))

    for charge in Charge:
        assert total(up, charge) == -total(down, charge)
    assert exact_lines(up) == {place: -eur for place, eur in exact_lines(down).items()}


@thorough
@given(case=months)
def test_a_month_is_provisional_if_and_only_if_something_is_flagged(case: MonthCase) -> None:
    settled = settle_period(
        [case.readings.column(column) for column in range(case.readings.quarters)],
        case.agreement,
    )

    result = settle_month(case)

    assert result.status is settled.status
    assert (result.status is Status.PROVISIONAL) is bool(result.missing or result.estimated)
    bought = {
        name: sum(
            line.priced.energy_wh or 0 for line in each.lines if line.priced.charge is Charge.BUY
        )
        for name, each in result.invoices.items()
    }
    assert {name: wh for name, wh in bought.items() if wh} == {
        name: volume.bought_wh for name, volume in settled.members.items() if volume.bought_wh
    }


@thorough
@given(case=months)
def test_nobody_has_to_be_served_by_itself_in_any_quarter(case: MonthCase) -> None:
    """Gale's condition: received plus given is at most what was shared."""
    agreement = replace(
        case.agreement, rules=replace(case.agreement.rules, self_rule=SelfRule.NO_SELF)
    )

    quarters = settle_month(replace(case, agreement=agreement)).allocation

    shared_wh = quarters.bought_wh.sum(axis=0)
    assert (quarters.bought_wh + quarters.sold_wh <= shared_wh).all()


@thorough
@given(case=months)
def test_days_settled_one_after_the_other_come_to_the_same(case: MonthCase) -> None:
    battery = case.battery
    assert battery is not None
    whole = settle_month(replace(case, battery=replace(battery, content_wh=None)))

    claims = battery.claims_milliwh
    energy_wh: dict[tuple[str, ...], int] = defaultdict(int)
    exact_eur: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for part in day_by_day(case):
        agreed = replace(battery, claims_milliwh=claims, content_wh=None)
        result = settle_month(replace(part, battery=agreed))
        assert result.battery is not None
        claims = result.battery.claims_after_milliwh
        for line in every_line(result):
            priced = line.priced
            place = priced.member, priced.charge, priced.connection, priced.tariff, str(priced.grid)
            energy_wh[place] += priced.energy_wh or 0
            exact_eur[place] += priced.exact_eur

    assert whole.battery is not None
    assert {owner: claim for owner, claim in claims.items() if claim} == {
        owner: claim for owner, claim in whole.battery.claims_after_milliwh.items() if claim
    }
    assert exact_lines(whole) == exact_eur
    for line in every_line(whole):
        priced = line.priced
        place = priced.member, priced.charge, priced.connection, priced.tariff, str(priced.grid)
        assert (priced.energy_wh or 0) == energy_wh[place]


@thorough
@given(case=months)
def test_no_watt_hour_of_the_battery_is_lost_from_sight(case: MonthCase) -> None:
    battery = settle_month(case).battery

    assert battery is not None
    assert case.battery is not None
    accounts = battery.owners.values()
    for account in accounts:
        assert account.before_milliwh + 1000 * account.charged_wh == (
            account.used_milliwh + account.after_milliwh
        )
        assert account.used_milliwh == 1000 * account.delivered_wh + account.loss_milliwh
        assert min(account.used_milliwh, account.to_members_wh, account.to_grid_wh) >= 0
        assert account.after_milliwh >= 0
    given_wh = sum(account.delivered_wh for account in accounts) + battery.unclaimed_wh
    assert sum(account.charged_wh for account in accounts) == case.readings.charge.energy_wh.sum()
    assert given_wh == case.readings.discharge.energy_wh.sum()
    assert min(battery.claims_after_milliwh.values(), default=0) >= 0
    if battery.true_up is not None:
        for owner, account in battery.owners.items():
            if owner != "coop":
                after = battery.true_up.claims_milliwh.get(owner, 0)
                assert after == account.after_milliwh


@thorough
@given(case=months)
def test_who_carries_the_battery_changes_nothing_for_who_buys(case: MonthCase) -> None:
    assert case.battery is not None
    results = [
        settle_month(replace(case, battery=replace(case.battery, model=model)))
        for model in BatteryModel
    ]

    for charge in (Charge.BUY, Charge.LEVY, Charge.FEE, Charge.SELL):
        one, other = (
            [line for line in every_line(result) if line.priced.charge is charge]
            for result in results
        )
        assert one == other


@thorough
@given(before=months, after=months)
def test_a_correction_puts_the_new_month_in_place_of_the_old(
    before: MonthCase, after: MonthCase
) -> None:
    old, new = settle_month(before), settle_month(after)

    correction = correct_month(old.invoices, new.invoices)

    reversals = [entry for entries in correction.reversals.values() for entry in entries]
    replacements = [entry for entries in correction.replacements.values() for entry in entries]
    held = balances([*old.entries, *reversals, *replacements])
    assert {account: cents for account, cents in held.items() if cents} == {
        account: cents for account, cents in balances(new.entries).items() if cents
    }
    for member in {*old.invoices, *new.invoices}:
        then = old.invoices[member].to_pay if member in old.invoices else 0
        now = new.invoices[member].to_pay if member in new.invoices else 0
        assert correction.delta_to_pay.get(member, 0) == now - then
        moved = correction.reversals.get(member), correction.replacements.get(member)
        assert (moved[0] is None) is (moved[1] is None)


@thorough
@given(before=months, after=months)
def test_a_reversal_reversed_is_the_original(before: MonthCase, after: MonthCase) -> None:
    old, new = settle_month(before).invoices, settle_month(after).invoices

    there, back = correct_month(old, new), correct_month(new, old)

    assert {name: -cents for name, cents in there.delta_to_pay.items()} == back.delta_to_pay
    assert there.delta_exact_eur == {name: -eur for name, eur in back.delta_exact_eur.items()}
    assert back.replacements == {
        name: tuple(entry.reversed(entry.reference.removeprefix("reversal of ")) for entry in taken)
        for name, taken in there.reversals.items()
    }


@thorough
@given(size=sizes, seed=seeds, sell_vat=st.sampled_from(RATES))
def test_one_tariff_over_a_whole_month_is_the_bill(
    size: Size, seed: int, sell_vat: Fraction
) -> None:
    random = Random(seed)  # noqa: S311 - it makes up examples, no secrets
    agreed = random_terms(random)
    read = random_readings((midnight(JULY[0]), local_day(JULY[1])[1]), size, random)
    still = RegisterMatrix.empty(1, read.quarters)
    read = replace(read, charge=still, discharge=still)
    version = TariffVersion("t", 0, agreed)

    result = settle_month(month_of(read, [version], sell_vat=dict.fromkeys(HOMES, sell_vat)))

    quarters = result.allocation

    billed = bill(
        [
            Volume(name, int(quarters.bought_wh[row].sum()), int(quarters.sold_wh[row].sum()))
            for row, name in enumerate(read.connections)
        ],
        replace(agreed, vat_sell=sell_vat),
    )

    assert result.entries == billed.entries
    for name, invoice in billed.invoices.items():
        told = result.invoices[name]
        assert (told.net, told.vat_due, told.gross) == (invoice.net, invoice.vat, invoice.gross)
        assert (told.earned, told.earned_vat, told.to_pay) == (
            invoice.sell,
            invoice.sell_vat,
            invoice.to_pay,
        )


def without_claims(case: MonthCase) -> MonthCase:
    """Return the month in which only the cooperative has something in the battery."""
    assert case.battery is not None
    bought = replace(case.battery, model=BatteryModel.COOP_BUYS, claims_milliwh={"coop": 10**6})
    return replace(case, battery=bought)


def every_line(result: MonthResult) -> list[InvoiceLine]:
    return [line for each in result.invoices.values() for line in each.lines]


def total(result: MonthResult, charge: Charge) -> int:
    return sum(each.cents_of(charge) for each in result.invoices.values())


def exact_lines(result: MonthResult) -> dict[tuple[str, ...], Fraction]:
    """Return the exact euros by member, charge, connection, version and whether to the grid."""
    exact_eur: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for line in every_line(result):
        priced = line.priced
        place = priced.member, priced.charge, priced.connection, priced.tariff, str(priced.grid)
        exact_eur[place] += priced.exact_eur
    return exact_eur


def figures(result: MonthResult) -> tuple[object, ...]:
    """Return everything of a result in a form that can be compared."""
    quarters = result.allocation
    arrays = (getattr(quarters, each.name).tobytes() for each in fields(quarters))
    return (*arrays, *(getattr(result, each.name) for each in fields(result)[1:]))


def negated(version: TariffVersion) -> TariffVersion:
    agreed = version.terms
    return replace(
        version,
        terms=replace(
            agreed,
            buy_eur_per_kwh=-agreed.buy_eur_per_kwh,
            sell_eur_per_kwh=-agreed.sell_eur_per_kwh,
            levy_eur_per_kwh=-agreed.levy_eur_per_kwh,
            fee_eur=-agreed.fee_eur,
            grid_sell_eur_per_kwh=-agreed.grid_sell_eur_per_kwh,
        ),
    )


def expanded(stretches: Iterable[FlaggedStretch]) -> set[str]:
    """Return one text for each quarter, such as ``2026-07-01T09:45:00Z A:export``."""
    return {
        f"{instant_text(each.start_s + QUARTER_S * place)} {each.register}"
        for each in stretches
        for place in range(each.quarters)
    }


def day_by_day(case: MonthCase) -> Iterator[MonthCase]:
    """Yield each local day of a month as a month of its own."""
    for day in local_days(case.readings):
        read = columns_of(case.readings, day.columns)
        end_s = read.quarter(read.quarters).start_s
        yield replace(case, start_s=read.first.start_s, end_s=end_s, readings=read)


def columns_of(read: ReadingMatrix, columns: range) -> ReadingMatrix:
    def cut(registers: RegisterMatrix) -> RegisterMatrix:
        part = slice(columns.start, columns.stop)
        return RegisterMatrix(
            registers.energy_wh[:, part], registers.missing[:, part], registers.estimated[:, part]
        )

    return ReadingMatrix(
        read.quarter(columns.start),
        read.connections,
        read.listed[:, columns.start : columns.stop],
        cut(read.taken),
        cut(read.given),
        cut(read.charge),
        cut(read.discharge),
    )
