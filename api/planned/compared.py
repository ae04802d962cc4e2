"""What the newest plan would have cost otherwise, and what it does for each home."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from api.house import House
from api.planned.asked import NotPlannedError
from api.planned.by_home import by_home
from api.planned.kept import Planned
from optimizer.dispatch import plan
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.sharing import Equal, Proportional, SharingKey
from optimizer.why.counterfactual import KeyOutcome, Otherwise, by_key, otherwise
from optimizer.why.members import Member, Split, SplitRule, split

PATIENCE_S = 5.0
"""The most one programme may take [s]."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan and what would have been otherwise.

    Attributes:
        planned: The plan, home by home.
        otherwise: Costs in other ways, of all homes together.
        keys: What each home gets by the key in force, and by two others.
    """

    planned: Planned
    otherwise: Otherwise
    keys: dict[str, KeyOutcome]

    @property
    def homes(self) -> tuple[str, ...]:
        """The homes it is over."""
        return self.planned.problem.home_ids


class Comparisons:
    """Compares the newest plan; remembers the answer until there is a newer plan."""

    def __init__(self, house: House) -> None:
        """Compare what is planned for a house."""
        self._house = house
        self._lock = threading.Lock()
        self._known: Compared | None = None
        self._splits: dict[SplitRule, Split] = {}

    def newest(self) -> Compared:
        """Return the newest plan, compared.

        Raises:
            NotPlannedError: There is no plan, or too little is known of the homes.
        """
        with self._lock:
            return self._newest()

    def split(self, rule: SplitRule) -> tuple[Compared, Split]:
        """Return the newest plan and its cost divided over homes by a rule.

        Raises:
            NotPlannedError: There is no plan, or too little is known of the homes.
            InputError: There are too many homes for the rule.
        """
        with self._lock:
            compared = self._newest()
            if rule not in self._splits:
                members = [Member(home, (home,)) for home in compared.homes]
                self._splits[rule] = split(compared.planned.problem, members, rule, _patient)
            return compared, self._splits[rule]

    def _newest(self) -> Compared:
        kept = self._house.last_plan.newest()
        if kept is None:
            raise NotPlannedError("nothing was planned since the start: try again in a few minutes")
        if self._known is None or self._known.planned.name != kept.name:
            planned = by_home(self._house, kept)
            if planned is None:
                raise NotPlannedError("too little is known of the homes yet: try again tomorrow")
            self._splits.clear()
            self._known = self._compared(planned)
        return self._known

    def _compared(self, planned: Planned) -> Compared:
        price = float(self._house.community.tariff.buy_eur_per_kwh)
        keys: dict[str, SharingKey] = {
            "now": self._house.rules.key,
            "proportional": Proportional(),
            "equal": Equal(planned.problem.home_ids),
        }
        return Compared(
            planned,
            otherwise(planned.problem, planned.made, _patient),
            {name: by_key(planned.problem, planned.made, key, price) for name, key in keys.items()},
        )


def _patient(problem: Problem) -> Plan:
    return plan(problem, time_limit_s=PATIENCE_S)
