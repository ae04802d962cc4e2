"""Random planning problems, small and odd: what a planner meets on a bad day."""

from __future__ import annotations

from hypothesis import strategies as st

from optimizer.problem import Battery, Grid, Home, Limit, Problem, problem_of

_kw = st.integers(0, 40).map(lambda number: number / 4)
_prices = st.integers(-20, 50).map(lambda number: number / 100)
_efficiencies = st.sampled_from([1.0, 0.97, 0.9, 0.5])


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    most_steps: int = 8,
    exclusive: bool | None = None,
    negative: bool = True,
    dear_selling: bool = True,
) -> Problem:
    """Return a problem; ``dear_selling`` lets selling pay more than buying."""
    steps = draw(st.integers(1, most_steps))
    prices = _prices if negative else st.integers(0, 50).map(lambda number: number / 100)
    buy = draw(st.lists(prices, min_size=steps, max_size=steps))
    sell = draw(st.lists(prices, min_size=steps, max_size=steps))
    if not dear_selling:
        sell = [min(pair) for pair in zip(buy, sell, strict=True)]
    series = st.lists(_kw, min_size=steps, max_size=steps)
    homes = [
        Home(f"h{number}", draw(series), draw(st.none() | series), draw(st.booleans()))
        for number in range(draw(st.integers(0, 2)))
    ]
    batteries = [draw(_batteries(f"b{number}", steps)) for number in range(draw(st.integers(0, 2)))]
    limits = st.just(float("inf")) | _limits(steps)
    grid = Grid(draw(limits), draw(limits), draw(st.sampled_from([0.0, 0.0, 0.35])))
    return problem_of(
        draw(st.sampled_from([0.25, 1.0])),
        buy,
        sell,
        homes,
        batteries,
        draw(st.none() | st.just(grid)),
        exclusive=draw(st.booleans()) if exclusive is None else exclusive,
    )


@st.composite
def _batteries(draw: st.DrawFn, name: str, steps: int) -> Battery:
    low = draw(st.integers(0, 4))
    high = low + draw(st.integers(0, 8))
    inside = st.integers(low, high).map(float)
    return Battery(
        id=name,
        soc_min_kwh=float(low),
        soc_max_kwh=float(high),
        soc_start_kwh=draw(inside | inside | st.integers(0, 14).map(float)),
        charge_max_kw=draw(_limits(steps)),
        discharge_max_kw=draw(_limits(steps)),
        charge_efficiency=draw(_efficiencies),
        discharge_efficiency=draw(_efficiencies),
        soc_end_kwh=draw(st.none() | inside),
        end_value_eur_per_kwh=draw(st.sampled_from([0.0, 0.2])),
        wear_eur_per_kwh=draw(st.sampled_from([0.0, 0.02])),
    )


def _limits(steps: int) -> st.SearchStrategy[Limit]:
    return _kw | st.lists(_kw, min_size=steps, max_size=steps)
