"""Statements that add up, for whoever needs one: every cent and every Wh follows from days.

Nobody in them exists; the bank accounts, numbers and phone numbers are made up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from api.cooperative.settings import Address
from api.cooperative.statement import (
    Charge,
    ConnectionPart,
    CoopPart,
    CorrectionPart,
    DayPart,
    MeterPart,
    PartyPart,
    Statement,
    StatementLine,
    StatementState,
    VatLine,
)
from kwartier.interval import quarters_of_day
from optimizer.settling.rounding import half_away_from_zero

COOP = CoopPart(
    name="Energiecoöperatie De Zonnehof U.A.",
    address=Address("Meidoornstraat", "12", "3581 AB", "Utrecht"),
    kvk="87654321",
    vat_number="NL850000002B01",
    iban="NL70TRIO0123456789",
    creditor_id="NL32ZZZ876543210000",
    phone="085 000 12 34",
    email="vragen@zonnehof.example",
)
JULY = date(2026, 7, 1), date(2026, 7, 31)
HIGH = Fraction(21, 100)
NO_VAT = Fraction(0)
RATES = {"btw-hoog": HIGH, "btw-geen": NO_VAT, "btw-kor": NO_VAT}
EARNED = {Charge.SELL, Charge.BATTERY}


def days_of(
    first: date,
    last: date,
    *,
    use_wh: int,
    solar_wh: int,
    missing: Iterable[date] = (),
    estimated: Iterable[date] = (),
) -> tuple[DayPart, ...]:
    """Return days with a weather of their own: the sum of parts never exceeds its register."""
    without, guessed, told = set(missing), set(estimated), []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        sun, busy = (place * 37 + 11) % 10, (place * 23 + 5) % 10
        taken_wh = use_wh * (70 + 6 * busy) // 100
        given_wh = solar_wh * (30 + 13 * sun) // 100
        told.append(
            DayPart(
                day,
                taken_wh,
                given_wh,
                taken_wh * (20 + 5 * sun) // 100,
                given_wh * (35 + 2 * busy) // 100,
                given_wh * (5 + sun) // 100,
                len(quarters_of_day(day)),
                8 if day in without else 0,
                6 if day in guessed else 0,
            )
        )
    return tuple(told)


def connection(
    name: str, tail: str, days: Sequence[DayPart], serial: str = "E0047000123456724"
) -> ConnectionPart:
    """Return a connection with one meter whose registers moved by what the days say."""
    taken_wh = sum(day.import_wh for day in days)
    given_wh = sum(day.export_wh for day in days)
    meter = MeterPart(serial, 4_726_494, 4_726_494 + taken_wh, 3_284_320, 3_284_320 + given_wh)
    return ConnectionPart(
        name, f"…{tail}", "Wijkstroom BV", days[0].day, days[-1].day, (meter,), tuple(days)
    )


def energy_lines(
    part: ConnectionPart,
    *,
    earned_code: str = "btw-geen",
    prices: Sequence[tuple[date, str, str, str]] = ((JULY[0], "0.18", "0.12", "2026"),),
) -> list[StatementLine]:
    """Return a connection's lines: one of each charge for each tariff of ``prices``.

    Args:
        part: The connection.
        earned_code: VAT code of what it earns.
        prices: First day, price of buying, price of selling [EUR/kWh] and name of each tariff.
    """
    lines: list[StatementLine] = []
    for place, (start, buy, sell, name) in enumerate(prices):
        end = prices[place + 1][0] if place + 1 < len(prices) else date.max
        days = [day for day in part.days if start <= day.day < end]
        volumes = (
            (Charge.BUY, sum(day.bought_wh for day in days), buy, "btw-hoog"),
            (Charge.LEVY, sum(day.bought_wh for day in days), "0.01", "btw-hoog"),
            (Charge.SELL, sum(day.sold_wh for day in days), sell, earned_code),
            (Charge.BATTERY, sum(day.to_battery_wh for day in days), "0.10", earned_code),
        )
        for charge, energy_wh, price, code in volumes:
            if energy_wh:
                cents = half_away_from_zero(Fraction(energy_wh, 10) * Fraction(price))
                lines.append(_line(charge, part.id, (energy_wh, days), (price, cents), code, name))
    return lines


def fee_line(cents: int = 250, days: int = 31) -> StatementLine:
    """Return the standing fee."""
    return StatementLine(
        Charge.FEE,
        "",
        None,
        days,
        "2.50",
        cents,
        "tarief-2026",
        date(2026, 1, 1),
        "ALV-2025-07",
        "",
        "",
        0,
        0,
        "btw-hoog",
    )


def statement(
    party: PartyPart,
    lines: Sequence[StatementLine],
    connections: Sequence[ConnectionPart],
    *,
    number: int = 1,
    state: StatementState = StatementState.FINAL,
) -> Statement:
    """Return a statement whose totals follow from its lines."""
    vat = _vat(lines)
    net = sum(line.amount_cents for line in lines if line.charge not in EARNED)
    earned = sum(line.amount_cents for line in lines if line.charge in EARNED)
    owed_vat = sum(part.vat_cents for part in vat if not part.earned)
    earned_vat = sum(part.vat_cents for part in vat if part.earned)
    numbered = state is not StatementState.PROVISIONAL
    first, last = (connections[0].days[0].day, connections[0].days[-1].day)
    return Statement(
        run=f"{first:%Y-%m}/1",
        run_hash="9f2c4b1e6a7d8c0f3b5a1d2e4c6f8a0b9d7e5c3a1f2b4d6e8c0a9b7d5f3e1c2a",
        state=state,
        first=first.replace(day=1),
        last=last,
        coop=COOP,
        party=party,
        invoice_number=f"F2026-{number:04d}" if numbered and net else "",
        purchase_number=f"I2026-{number:04d}" if numbered and earned else "",
        issued=date(2026, 8, 5) if numbered else None,
        due=date(2026, 8, 19) if numbered else None,
        lines=tuple(lines),
        vat=vat,
        net_cents=net,
        vat_cents=owed_vat,
        earned_cents=earned,
        earned_vat_cents=earned_vat,
        to_pay_cents=net + owed_vat - earned - earned_vat,
        connections=tuple(connections),
    )


def _line(
    charge: Charge,
    name: str,
    energy: tuple[int, list[DayPart]],
    money: tuple[str, int],
    code: str,
    tariff: str,
) -> StatementLine:
    energy_wh, days = energy
    return StatementLine(
        charge,
        name,
        energy_wh,
        None,
        money[0],
        money[1],
        f"tarief-{tariff}",
        date(2026, 7, 16) if tariff == "2026-zomer" else date(2026, 1, 1),
        "ALV-2026-03" if tariff == "2026-zomer" else "ALV-2025-07",
        "sleutel-2026",
        "ALV-2025-08",
        sum(day.quarters for day in days),
        sum(day.estimated + day.missing for day in days),
        code,
    )


def _vat(lines: Sequence[StatementLine]) -> tuple[VatLine, ...]:
    told = []
    for earned in (False, True):
        for code in sorted({line.vat_code for line in lines if (line.charge in EARNED) == earned}):
            base = sum(
                line.amount_cents
                for line in lines
                if line.vat_code == code and (line.charge in EARNED) == earned
            )
            rate = RATES[code]
            told.append(VatLine(code, rate, base, half_away_from_zero(base * rate), earned))
    return tuple(told)


RESIDENT = PartyPart(
    "lid-014",
    "Fatma Yıldız-de Boer",  # noqa: RUF001 - a Turkish name
    "resident",
    "nl",
    Address("Lindelaan", "27", "3582 CD", "Utrecht"),
    "fatma@post.example",
    "none",
    "",
    "",
    "",
)
ENGLISH = PartyPart(
    "lid-031",
    "Maximiliane Alexandra Featherstonehaugh-Cholmondeley van den Heuvel-Oosterhuis",
    "resident",
    "en",
    Address("Burgemeester Van der Heijdenstraat", "1034 bis A", "3583 EF", "Utrecht"),
    "max@post.example",
    "kor",
    "",
    "",
    "",
)
SCHOOL = PartyPart(
    "school-01",
    "Stichting Openbaar Onderwijs Zonnehof",
    "school",
    "nl",
    Address("Schoolplein", "3", "3581 GH", "Utrecht"),
    "administratie@school.example",
    "registered",
    "NL850000014B01",
    "76543210",
    "",
)
MUNICIPALITY = PartyPart(
    "gemeente-01",
    "Gemeente Zonnestad",
    "municipality",
    "nl",
    Address("Stadsplateau", "1", "3521 AZ", "Utrecht"),
    "facturen@gemeente.example",
    "registered",
    "NL850000026B01",
    "",
    "00000001234567890000",
)


def final() -> Statement:
    """A resident with solar panels who is paid out; two quarters were estimated."""
    days = days_of(*JULY, use_wh=4200, solar_wh=13_000, estimated=[date(2026, 7, 9)])
    home = connection("huis-014", "4567", days)
    return replace(
        statement(RESIDENT, [*energy_lines(home), fee_line()], [home], number=14),
        account="…3000",
    )


def owing() -> Statement:
    """A resident without panels, whose bank is asked to pay."""
    home = connection("huis-022", "9981", days_of(*JULY, use_wh=9100, solar_wh=0))
    party = replace(RESIDENT, id="lid-022", name="Jan Pietersen")
    return replace(
        statement(party, [*energy_lines(home), fee_line()], [home], number=22),
        mandate="ZH-0022-2025",
        account="…6789",
    )


def provisional() -> Statement:
    """A month with a gap, shown before it is final, while the tax is not settled."""
    days = days_of(
        *JULY,
        use_wh=5100,
        solar_wh=6500,
        missing=[date(2026, 7, 20), date(2026, 7, 21)],
        estimated=[date(2026, 7, 4)],
    )
    home = connection("huis-027", "1234", days)
    party = replace(RESIDENT, id="lid-027", name="Kees Bakker")
    made = statement(
        party, [*energy_lines(home), fee_line()], [home], state=StatementState.PROVISIONAL
    )
    return replace(made, warnings=("tax_unconfirmed",))


def corrected() -> Statement:
    """The meter was swapped, and its last register came late: the month is billed again."""
    days = days_of(*JULY, use_wh=3900, solar_wh=4000, estimated=[date(2026, 7, 14)])
    whole = connection("huis-033", "7788", days)
    old_in, old_out = 1_800_250, 902_100
    until = [day for day in days if day.day < date(2026, 7, 15)]
    since = [day for day in days if day.day >= date(2026, 7, 15)]
    meters = (
        MeterPart(
            "E0003000111222333",
            old_in,
            old_in + sum(day.import_wh for day in until),
            old_out,
            old_out + sum(day.export_wh for day in until),
        ),
        MeterPart(
            "E0077000999888777",
            0,
            sum(day.import_wh for day in since),
            0,
            sum(day.export_wh for day in since),
        ),
    )
    home = replace(whole, meters=meters)
    party = replace(RESIDENT, id="lid-033", name="Marijke van Loon")
    made = statement(
        party,
        [*energy_lines(home), fee_line()],
        [home],
        number=133,
        state=StatementState.CORRECTED,
    )
    previous = made.to_pay_cents + 42
    return replace(
        made,
        run="2026-07/2",
        issued=date(2026, 9, 7),
        due=date(2026, 9, 21),
        waivers=("Op 14 juli is uw meter vervangen. Zes kwartieren van die dag zijn geschat.",),
        correction=CorrectionPart(
            ("F2026-0033", "I2026-0033"),
            "De eindstand van uw oude meter kwam later binnen.",
            previous,
            made.to_pay_cents - previous,
        ),
    )


def negative_price() -> Statement:
    """From 16 July the members decided a price below zero: who uses sun is paid for it."""
    home = connection("huis-040", "4040", days_of(*JULY, use_wh=6000, solar_wh=2500))
    prices = (
        (JULY[0], "0.18", "0.12", "2026"),
        (date(2026, 7, 16), "-0.02", "-0.035", "2026-zomer"),
    )
    party = replace(RESIDENT, id="lid-040", name="Anouk de Wit")
    return statement(party, [*energy_lines(home, prices=prices), fee_line()], [home], number=40)


def english() -> Statement:
    """An English speaker with a very long name, under the small-business scheme."""
    home = connection(
        "huis-031", "0310", days_of(*JULY, use_wh=3100, solar_wh=14000, estimated=[JULY[0]])
    )
    made = statement(
        ENGLISH, [*energy_lines(home, earned_code="btw-kor"), fee_line()], [home], number=31
    )
    return replace(made, warnings=("tax_unconfirmed",), account="…4300")


def organisation() -> Statement:
    """A school with three connections that delivers more than it uses, VAT on both sides."""
    return _organisation(SCHOOL, 7)


def municipality() -> Statement:
    """A municipality, which is addressed by its OIN."""
    return _organisation(MUNICIPALITY, 8)


def nothing() -> Statement:
    """A house that stood empty: no energy, no fee, nothing to pay."""
    days = tuple(
        DayPart(day.day, 0, 0, 0, 0, 0, day.quarters, 0, 0)
        for day in days_of(*JULY, use_wh=0, solar_wh=0)
    )
    home = connection("huis-050", "5050", days)
    party = replace(RESIDENT, id="lid-050", name="Piet de Vries")
    return statement(party, [], [home], number=50)


def october() -> Statement:
    """The month in which a day has 100 quarter-hours."""
    days = days_of(date(2026, 10, 1), date(2026, 10, 31), use_wh=7000, solar_wh=3000)
    home = connection("huis-061", "6161", days)
    party = replace(RESIDENT, id="lid-061", name="Noor Jansen")
    return statement(party, [*energy_lines(home), fee_line()], [home], number=61)


def all_of_them() -> tuple[Statement, ...]:
    """Return every example."""
    return (
        final(),
        owing(),
        provisional(),
        corrected(),
        negative_price(),
        english(),
        organisation(),
        municipality(),
        nothing(),
        october(),
    )


def _organisation(party: PartyPart, number: int) -> Statement:
    homes = [
        connection(f"{party.id}-dak", "7001", days_of(*JULY, use_wh=21000, solar_wh=185_000)),
        connection(f"{party.id}-gym", "7002", days_of(*JULY, use_wh=38_000, solar_wh=0)),
        connection(f"{party.id}-lab", "7003", days_of(*JULY, use_wh=12_500, solar_wh=22_000)),
    ]
    lines = [line for home in homes for line in energy_lines(home, earned_code="btw-hoog")]
    return statement(party, [*lines, fee_line()], homes, number=number)
