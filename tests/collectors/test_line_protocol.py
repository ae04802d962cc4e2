from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from collectors.line_protocol import block_lines
from kwartier.identity import short_id
from kwartier.reading import ClockSource
from kwartier.series import SERIES
from kwartier.wire import Block

NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32).filter(
    lambda name: not name.startswith("-")
)
NUMBERS = st.integers(-(2**53), 2**53)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    at_s = draw(st.lists(st.integers(0, 2**33), min_size=1, max_size=5, unique=True).map(sorted))
    names = draw(st.lists(st.sampled_from(sorted(SERIES)), max_size=6, unique=True))
    values = st.one_of(st.none(), NUMBERS)
    columns = st.lists(values, min_size=len(at_s), max_size=len(at_s)).map(tuple)
    return Block(
        draw(NAMES),
        "epoch",
        1,
        draw(NAMES),
        draw(st.text(max_size=5)),
        draw(st.sampled_from(ClockSource)),
        tuple(at_s),
        {name: draw(columns) for name in names},
    )


def by_the_client(block: Block, site: str) -> list[str]:
    """The same lines as influxdb-client writes them, row by row."""
    unsure = block.clock is ClockSource.UNSURE
    tags = {"site": site, "gateway": block.gateway, "device": block.device}
    told = [
        line
        for reading in block.readings()
        if (line := point("unsure" if unsure else "reading", tags, reading.values, reading.at_s))
    ]
    if told and block.meter and not unsure:
        told.append(point("meter", tags, {"id": short_id(block.meter)}, block.at_s[0]))
    return told


def point(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, int | str], at_s: int
) -> str:
    body = {"measurement": measurement, "tags": tags, "fields": fields, "time": at_s}
    return str(Point.from_dict(body).to_line_protocol())


@given(block=blocks(), site=NAMES)
def test_our_lines_are_those_of_the_client(block: Block, site: str) -> None:
    assert block_lines(block, site) == by_the_client(block, site)


def test_a_block_reads_as_lines_in_seconds_with_three_tags() -> None:
    columns = {"import_wh": (1000, 1001), "import_w": (250, None)}
    block = Block("gw-01", "e", 1, "p1", "E0003", ClockSource.METER, (60, 70), columns)

    assert block_lines(block, "zonnewijk") == [
        "reading,device=p1,gateway=gw-01,site=zonnewijk import_w=250i,import_wh=1000i 60",
        "reading,device=p1,gateway=gw-01,site=zonnewijk import_wh=1001i 70",
        f'meter,device=p1,gateway=gw-01,site=zonnewijk id="{short_id("E0003")}" 60',
    ]


def test_the_meters_own_id_stays_at_home() -> None:
    block = Block("gw", "e", 1, "p1", "E0003123", ClockSource.METER, (60,), {"import_wh": (1,)})

    assert not [line for line in block_lines(block, "wijk") if "E0003123" in line]


def test_a_name_that_is_not_ours_makes_no_field() -> None:
    columns = {"import_wh": (1,), "evil x=1i\n": (2,), "": (3,)}
    block = Block("gw", "e", 1, "p1", "", ClockSource.METER, (60,), columns)

    assert block_lines(block, "wijk") == ["reading,device=p1,gateway=gw,site=wijk import_wh=1i 60"]


def test_no_name_of_ours_needs_escaping() -> None:
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in SERIES)
