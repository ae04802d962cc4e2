"""Reading a device by its profile: few requests, and none twice that the device refused."""

from __future__ import annotations

from hardware.profile import Profile, load_profile, profile_names
from hardware.profile_chain import ChainReader
from hardware.profile_register import Register
from hardware.registers import Number, RegisterSource, RegistersRefusedError


class ProfileReader:
    """Reads all registers and points of a profile from one device.

    A block that the device refuses is halved until only what it serves is left; what was
    refused alone is not asked for again, so that the next reading takes the fewest requests.
    """

    def __init__(self, profile: Profile, source: RegisterSource) -> None:
        """Read from ``source`` by ``profile``."""
        self.profile = profile
        self._source = source
        self._blocks = profile.blocks()
        self._chain = ChainReader(tuple(profile.points.values()), source)

    def read(self) -> dict[str, Number | str | None]:
        """Return every register and point of the profile by name; None for what is not there.

        Raises:
            TemporaryError: The device cannot be reached, or is busy.
        """
        values: dict[str, Number | str | None] = dict.fromkeys(self.profile.registers)
        served: list[list[Register]] = []
        waiting = self._blocks[::-1]
        while waiting:
            block = waiting.pop()
            try:
                values.update(self._block(block))
                served.append(block)
            except RegistersRefusedError:
                if len(block) > 1:
                    middle = len(block) // 2
                    waiting += [block[middle:], block[:middle]]
        self._blocks = served
        signed = {found.register: found.power(values) for found in self.profile.directions}
        return {**values, **signed, **(self._chain.read() if self.profile.points else {})}

    def _block(self, block: list[Register]) -> dict[str, Number | str | None]:
        start = block[0].address
        count = max(register.address + register.size for register in block) - start
        words = self._source.read(start, count, block[0].function_code)
        return {
            register.name: register.value(
                words[register.address - start : register.address - start + register.size]
            )
            for register in block
        }


def profiles_that_fit(source: RegisterSource) -> list[str]:
    """Return the profiles whose sign of life a device shows; one register is read for each.

    Profiles that know a device by its SunSpec models only are not among them.

    Raises:
        TemporaryError: The device cannot be reached, or is busy.
    """
    return [name for name in profile_names() if _shows_life(load_profile(name), source)]


def _shows_life(profile: Profile, source: RegisterSource) -> bool:
    if profile.sign_of_life is None:
        return False
    name, low, high = profile.sign_of_life
    register = profile.registers[name]
    try:
        words = source.read(register.address, register.size, register.function_code)
    except RegistersRefusedError:
        return False
    value = register.value(words)
    return value is not None and not isinstance(value, str) and low <= value <= high
