"""The links of one gateway: one for each address and each serial line."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.modbus.line import LinkSettings, most_patient
from gateway.modbus.link import ModbusLink


class Links:
    """One connection for each place, whoever asks for it; the most patient times hold there."""

    def __init__(self, wishes: Iterable[LinkSettings]) -> None:
        """Prepare the links; none is opened before it is used."""
        self._links = {
            where: ModbusLink(settings) for where, settings in most_patient(wishes).items()
        }

    def at(self, wish: LinkSettings) -> ModbusLink:
        """Return the link to a place that was wished for."""
        return self._links[wish.where]

    def close(self) -> None:
        """Close all connections."""
        for link in self._links.values():
            link.close()
