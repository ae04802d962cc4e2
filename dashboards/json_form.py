"""What JSON can hold, as types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = str | int | float | bool | Mapping[str, "Json"] | Sequence["Json"] | None
