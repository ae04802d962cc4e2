"""Step 2: the meter's cable, and what comes over it."""

from __future__ import annotations

from gateway.commission.bench import Bench
from gateway.commission.book import Step
from gateway.commission.view import Act, Line, Tone, View
from gateway.commission.wiring import (
    ENOUGH_TELEGRAMS,
    LEAST_SHARE,
    LineSeen,
    Wiring,
    judge_wiring,
)
from gateway.p1.serial_port import DSMR_4
from kwartier.clock import Clock
from kwartier.packing import Json

_LATEST_BUILD_S = 1_767_225_600
"""1 January 2026 [s]: a clock before that was never set."""
_TONES = {
    Wiring.COUNTING: Tone.WAIT,
    Wiring.TRYING: Tone.WAIT,
    Wiring.GOOD: Tone.GOOD,
}


def view(bench: Bench, clock: Clock, contract_meter: str) -> View:
    """Return how the cable stands.

    Args:
        bench: Where it is read.
        clock: The gateway's.
        contract_meter: The meter's id in the contract; empty when it is not known.
    """
    seen = bench.line()
    wiring = judge_wiring(seen, our_clock_is_right=clock.now_s() > _LATEST_BUILD_S)
    power_w, _ = bench.samples.newest()
    lines = [Line("meter.cable", {"cable": _short(seen.cable)}, _tone(ok=bool(seen.cable)))]
    if seen.cable and not seen.network:
        speed = "115200 8N1" if seen.baud == DSMR_4.baud else "9600 7E1"
        lines.append(Line("meter.speed", {"speed": speed}))
    if seen.share is not None:
        whole = Tone.GOOD if seen.share >= LEAST_SHARE else Tone.STOP
        counted = {"good": seen.telegrams, "all": seen.telegrams + seen.broken}
        lines.append(Line("meter.telegrams", counted, whole))
    if seen.clock_off_s is not None:
        off = Tone.STOP if wiring is Wiring.CLOCK_OFF else Tone.GOOD
        lines.append(Line("meter.clock", {"seconds": round(seen.clock_off_s)}, off))
    if power_w is not None:
        lines.append(Line("meter.taken" if power_w >= 0 else "meter.given", {"watt": abs(power_w)}))
    key, tone = f"meter.{wiring.value}", _TONES.get(wiring, Tone.STOP)
    if contract_meter and bench.meter and wiring is Wiring.GOOD:
        same = _plain(bench.meter) == _plain(contract_meter)
        lines.append(Line("meter.contract" if same else "meter.other", {}, _tone(ok=same)))
        if not same:
            key, tone = "meter.wrong-home", Tone.STOP
    done = min(seen.telegrams + seen.broken, ENOUGH_TELEGRAMS)
    facts = {"done": done, "all": ENOUGH_TELEGRAMS}
    again = Act("anew", "act.count-anew")
    go_on = Act("next", "act.next", second=False)
    acts = (go_on, again) if tone is Tone.GOOD else (again,)
    if wiring is Wiring.CLOCK_OFF:
        acts = (again, Act("later", "act.with-clock"))
    return View(Step.METER, key, facts, tone, tuple(lines), acts, moving=True)


def facts(bench: Bench) -> dict[str, Json]:
    """Return what was measured, for the record."""
    seen: LineSeen = bench.line()
    return {
        "cable": _short(seen.cable),
        "baud": seen.baud,
        "telegrams": seen.telegrams,
        "broken": seen.broken,
        "clock_off_s": None if seen.clock_off_s is None else round(seen.clock_off_s),
        "meter_last4": _plain(bench.meter)[-4:],
    }


def _tone(*, ok: bool) -> Tone:
    return Tone.GOOD if ok else Tone.STOP


def _short(cable: str) -> str:
    """Return a cable's name without the maker's serial number."""
    return cable.rpartition("/")[2][:40] if "/by-id/" not in cable else _named(cable)


def _named(cable: str) -> str:
    parts = cable.rpartition("/")[2].removeprefix("usb-").split("-if")[0].split("_")
    return " ".join(parts[:-1] or parts)[:40]


def _plain(meter: str) -> str:
    """Return a meter's id in clear, whichever way it was written."""
    try:
        clear = bytes.fromhex(meter).decode("ascii")
    except ValueError:
        return meter.strip().upper()
    return clear.strip().upper() if clear.isalnum() else meter.strip().upper()
