"""Step 4: do plus and minus agree, and does the meter see a kettle?"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.commission.bench import Bench
from gateway.commission.book import Step
from gateway.commission.found import Found, Kind
from gateway.commission.kettle import Kettle, KettleStep, judge_kettle
from gateway.commission.signs import LEAST_S, Sign, Slope, judge_signs
from gateway.commission.view import Act, Facts, Line, Tone, View
from kwartier.clock import Clock
from kwartier.packing import Json

_SIGN_TONES = {
    Sign.GOOD: Tone.GOOD,
    Sign.TURNED: Tone.STOP,
    Sign.ODD: Tone.STOP,
    Sign.WEAK: Tone.WAIT,
    Sign.SHORT: Tone.WAIT,
}
_KETTLE_TONES = {Kettle.SEEN: Tone.GOOD, Kettle.WAITING: Tone.WAIT}


class Signs:
    """What was judged, and when the kettle was switched on."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._pressed_s: float | None = None
        self._step: KettleStep | None = None
        self._judged: tuple[int, tuple[str, ...], list[Slope]] = (-1, (), [])

    def press(self) -> None:
        """Somebody switches the kettle on now."""
        self._pressed_s = self._clock.monotonic_s()
        self._step = None

    def kettle(self, bench: Bench) -> KettleStep | None:
        """Return what the meter did after that; None before it was pressed."""
        if self._pressed_s is None:
            return None
        if self._step is None:
            now_s = self._clock.monotonic_s()
            step = judge_kettle(bench.samples.of_meter(), self._pressed_s, now_s)
            if step.seen is Kettle.WAITING:
                return step
            self._step = step
        return self._step

    def slopes(self, bench: Bench, devices: Sequence[Found]) -> list[Slope]:
        """Return a verdict per device; reckoned once for the same samples."""
        samples = bench.samples.beside()
        newest = hash((len(samples), samples[-1])) if samples else 0
        known = tuple(f"{one.name}{one.turned}" for one in devices)
        if (newest, known) != self._judged[:2]:
            slopes = judge_signs(samples, [one.expected for one in devices])
            self._judged = (newest, known, slopes)
        return self._judged[2]

    def passed(self, bench: Bench, devices: Sequence[Found]) -> bool:
        """Return whether everything agrees."""
        step = self.kettle(bench)
        slopes = self.slopes(bench, devices)
        good = all(one.sign is Sign.GOOD for one in slopes)
        return good and step is not None and step.seen is Kettle.SEEN

    def view(self, bench: Bench, devices: Sequence[Found]) -> View:
        """Return how it stands."""
        meter_w, powers = bench.samples.newest()
        slopes = self.slopes(bench, devices)
        step = self.kettle(bench)
        lines: list[Line] = []
        if meter_w is not None:
            word = "meter.taken" if meter_w >= 0 else "meter.given"
            lines.append(Line(word, {"watt": abs(meter_w)}))
        for device, slope in zip(devices, slopes, strict=True):
            lines += _device_lines(device, slope, powers.get(device.name))
        lines.append(_kettle_line(step))
        key, tone, name = _headline(devices, slopes, step)
        minutes = slopes[0].minutes if slopes else 0.0
        facts: Facts = {"device": name, "minutes": int(minutes), "of": LEAST_S // 60}
        acts = _acts(devices, slopes, step, tone)
        return View(Step.SIGNS, key, facts, tone, tuple(lines), acts, moving=True)

    def facts(self, bench: Bench, devices: Sequence[Found]) -> dict[str, Json]:
        """Return what was measured, for the record."""
        step = self.kettle(bench)
        told: dict[str, Json] = {
            "kettle": "" if step is None else step.seen.value,
            "kettle_w": None if step is None else step.step_w,
            "kettle_after_s": None if step is None or step.after_s is None else round(step.after_s),
        }
        return told | slope_facts(devices, self.slopes(bench, devices))


def slope_facts(devices: Sequence[Found], slopes: Sequence[Slope]) -> dict[str, Json]:
    """Return what was measured per device, for the record."""
    return {
        device.name: {
            "sign": slope.sign.value,
            "slope": _rounded(slope.slope),
            "error": _rounded(slope.error),
            "correlation": _rounded(slope.correlation),
            "minutes": round(slope.minutes, 1),
            "turned": device.turned,
        }
        for device, slope in zip(devices, slopes, strict=True)
    }


def _device_lines(device: Found, slope: Slope, power_w: int | None) -> list[Line]:
    lines = []
    if power_w is not None:
        lines.append(Line(f"now.{device.series}", {"device": device.name, "watt": power_w}))
    facts = {
        "device": device.name,
        "slope": _rounded(slope.slope),
        "minutes": int(slope.minutes),
        "wanted": device.expected,
    }
    lines.append(Line(f"sign.{slope.sign.value}", facts, _SIGN_TONES[slope.sign]))
    if device.turned and device.kind is Kind.BATTERY:
        lines.append(Line("sign.held", {"device": device.name}, Tone.WAIT))
    return lines


def _kettle_line(step: KettleStep | None) -> Line:
    if step is None:
        return Line("kettle.todo", {}, Tone.STOP)
    after = None if step.after_s is None else round(step.after_s)
    facts = {"watt": step.step_w, "seconds": after}
    return Line(f"kettle.{step.seen.value}", facts, _KETTLE_TONES.get(step.seen, Tone.STOP))


def _headline(
    devices: Sequence[Found], slopes: Sequence[Slope], step: KettleStep | None
) -> tuple[str, Tone, str]:
    for device, slope in zip(devices, slopes, strict=True):
        if slope.sign in (Sign.TURNED, Sign.ODD):
            return f"signs.{slope.sign.value}", Tone.STOP, device.name
    kettled = step is not None and step.seen is Kettle.SEEN
    for sign in (Sign.SHORT, Sign.WEAK):
        if any(slope.sign is sign for slope in slopes):
            return f"signs.{sign.value}", Tone.WAIT, ""
    if kettled:
        return "signs.good", Tone.GOOD, ""
    return "signs.kettle", Tone.STOP, ""


def _acts(
    devices: Sequence[Found], slopes: Sequence[Slope], step: KettleStep | None, tone: Tone
) -> tuple[Act, ...]:
    acts: list[Act] = []
    if tone is Tone.GOOD:
        return (Act("next", "act.next", second=False),)
    for device, slope in zip(devices, slopes, strict=True):
        if slope.sign is Sign.TURNED:
            facts = {"device": device.name}
            acts.append(Act(f"turn:{device.name}", "act.turn", facts, second=False))
    if step is None or step.seen not in (Kettle.SEEN, Kettle.WAITING):
        acts.append(Act("kettle", "act.kettle", second=bool(acts)))
    acts.append(Act("later", "act.later"))
    return tuple(acts)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2) + 0.0
