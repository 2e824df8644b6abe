"""The check-points of the circadian block, section 12.7: open-loop runs of block C, expected value and tolerance.

Two values of the specification are not what its equations give (physiology/DECISIONS.md, 1 and 2); theirs stand here.
"""

from typing import Any

import numpy as np

from twin.blocks import circadian as block
from twin.blocks.circadian import Body, Inputs, State
from twin.jit import kernel, values_of
from twin.physiology.circadian import P1, P2, PhoticParameters, phase_markers
from twin.physiology.sleep import HALF_GAP, THRESHOLD, WAKE_GAIN, homeostat_rate, wake_drive
from twin.shapes import Constants, Vector

Row = dict[str, Any]
SAMPLE_HOURS = 0.1
SWITCH_HOURS = 0.02  # of the free sleeper: thresholds are crossed within this
PULSE_LUX, PULSE_HOURS = 9500.0, 6.7
N, BODY = block.N, block.BODY


def row(what: str, expected: float, got: float, tolerance: float) -> Row:
    """One comparison."""
    ok = bool(abs(got - expected) <= tolerance)
    return {"what": what, "expected": expected, "got": float(got), "tolerance": tolerance, "ok": ok}


class Run:
    """Block C of one person in open loop, from midnight of the entrained state."""

    def __init__(self, photic: PhoticParameters) -> None:
        self.k: Constants = np.array(block.with_photic(block.default_body(), photic))
        self.u: Vector = np.array(block.default_inputs())
        mean, covariance = np.zeros(block.N), np.zeros((block.N, block.N))
        block.start(mean, covariance, self.k, self.u, 0.0)
        self.x = np.repeat(mean, block.STRIDE)
        self.work = np.zeros((3, self.x.size))
        self.hour = 0.0

    def record(self, hours: float, on: float, off: float, bright: float, evening: float) -> list[float]:
        """The pacemaker x every 0.1 h, under light of `bright` lux from `on` to 18 h, `evening` from then to `off`."""
        track = []
        for _ in range(round(hours / SAMPLE_HOURS)):
            clock = (self.hour + 0.5 * SAMPLE_HOURS) % 24.0
            lit = on <= clock < off
            self.u[block.LIGHT] = (bright if clock < 18.0 else evening) if lit else 0.0
            self.u[block.ASLEEP] = 0.0 if lit else 1.0
            block.advance(self.x, 60.0 * SAMPLE_HOURS, self.u, self.k, *self.work)
            self.hour += SAMPLE_HOURS
            track.append(float(self.x[block.PACEMAKER_X * block.STRIDE]))
        return track

    def pulse(self, hours: float, centre: float) -> list[float]:
        """The pacemaker x every 0.1 h in darkness, but for one pulse of light."""
        track = []
        for _ in range(round(hours / SAMPLE_HOURS)):
            middle = self.hour + 0.5 * SAMPLE_HOURS
            self.u[block.LIGHT] = PULSE_LUX if abs(middle - centre) <= 0.5 * PULSE_HOURS else 0.0
            self.u[block.ASLEEP] = 0.0
            block.advance(self.x, 60.0 * SAMPLE_HOURS, self.u, self.k, *self.work)
            self.hour += SAMPLE_HOURS
            track.append(float(self.x[block.PACEMAKER_X * block.STRIDE]))
        return track


def minima(track: list[float]) -> list[float]:
    """Hours of the minima of a track that begins at hour 0.1."""
    found = []
    for i in range(1, len(track) - 1):
        if track[i] < track[i - 1] and track[i] <= track[i + 1]:
            bend = track[i - 1] - 2.0 * track[i] + track[i + 1]
            found.append(SAMPLE_HOURS * (i + 1.0 + 0.5 * (track[i - 1] - track[i + 1]) / bend))
    return found


def entrained(photic: PhoticParameters, bright: float, evening: float) -> tuple[float, float, Vector]:
    """CBTmin, DLMO [h] and the states at midnight after forty days of light from 7 to 23 h."""
    run = Run(photic)
    run.record(24.0 * 39, 7.0, 23.0, bright, evening)
    track = run.record(24.0, 7.0, 23.0, bright, evening)
    hours = [SAMPLE_HOURS * (i + 1) for i in range(len(track))]
    return *phase_markers(hours, track), run.x[:: block.STRIDE].copy()


@kernel
def free_sleeper(
    k: Constants, days: float, on: float, off: float, bright: float, dim: float, nights: Vector
) -> float:
    """Falling asleep and waking [h of the day] of the last nights of a sleeper without a clock to obey, by thresholds.

    Light is `bright` lux from `on` to `off`, `dim` otherwise; `nights` holds onsets and wakings in turn, latest last.
    Returns whether asleep at the end.
    """
    body = Body(*values_of(k, BODY))
    x, xc, used, homeostat = block.MIDNIGHT
    period, asleep = body.prior_intrinsic_period, 1.0
    h = SWITCH_HOURS
    for i in range(round(days * 24.0 / h)):
        clock = ((i + 0.5) * h) % 24.0
        inputs = Inputs(bright if on <= clock < off else dim, asleep)
        slope, _ = block.equations(State(x, xc, used, homeostat, period, 0.0), inputs, body)
        half = 30.0 * h
        slope, _ = block.equations(
            State(x + half * slope[0], xc + half * slope[1], used + half * slope[2], homeostat, period, 0.0), inputs, body
        )  # fmt: skip
        x, xc, used = x + 60.0 * h * slope[0], xc + 60.0 * h * slope[1], used + 60.0 * h * slope[2]
        homeostat += h * homeostat_rate(homeostat, asleep)
        middle = THRESHOLD + WAKE_GAIN * wake_drive(x, xc)
        switched = homeostat <= middle - HALF_GAP if asleep > 0.5 else homeostat >= middle + HALF_GAP
        if switched:
            asleep = 1.0 - asleep
            nights[:-1] = nights[1:]
            nights[-1] = (i + 1.0) * h
    return asleep


def free_sleep(bright: float, off: float, dim: float) -> tuple[float, float, bool]:
    """Onset and waking [h of the day] after sixty days of light from 7 h on, and whether they stand still."""
    k = np.array(block.with_photic(block.default_body(), P2))
    nights = np.zeros(12)
    if free_sleeper(k, 60.0, 7.0, off, bright, dim, nights) > 0.5:  # the last event is an onset
        nights = nights[:-1]
    steady = all(abs(nights[-1] - nights[-1 - 2 * i] - 24.0 * i) < 0.25 for i in range(1, 5))
    return nights[-2] % 24.0, nights[-1] % 24.0, steady


def run() -> list[Row]:
    """All rows: what, expected, got, tolerance, ok."""
    rows: list[Row] = []
    dark = Run(P1)
    track = dark.pulse(24.0 * 40, -100.0)
    found = minima(track)
    rows.append(row("darkness: period (h)", 24.20, found[-1] - found[-2], 0.01))
    rows.append(row("darkness: amplitude of x", 1.010, 0.5 * (max(track[-250:]) - min(track[-250:])), 0.005))
    for bright, evening, expected in (
        (1000, 1000, 4.38), (250, 250, 4.52), (300, 50, 3.32), (1000, 30, 2.16), (150, 30, 3.52),
    ):  # fmt: skip
        minimum, onset, state = entrained(P1, bright, evening)
        rows.append(row(f"{bright} lux, evening {evening}: CBTmin (h)", expected, minimum, 0.1))
        if bright == evening == 1000:
            rows.append(row("1000 lux: DLMO (h)", 21.4, onset, 0.1))
            for name, i, value, tolerance in (
                ("x", 0, -0.486, 0.01),
                ("xc", 1, -0.966, 0.01),
                ("n", 2, 0.440, 0.01),
            ):
                rows.append(row(f"1000 lux: {name} at midnight", value, state[i], tolerance))
    rows.append(row("P2, 1000 lux: CBTmin (h)", 4.50, entrained(P2, 1000, 1000)[0], 0.1))
    undisturbed = found[9]
    for centre, shift in (
        (-6, -1.7),
        (-4, -2.2),
        (-2, -2.1),
        (0, 0.1),
        (2, 1.8),
        (4, 1.7),
        (6, 1.3),
        (12, 0.4),
    ):
        late = minima(Run(P1).pulse(24.0 * 16, undisturbed + centre))[-1]
        nearest = min(found, key=lambda hour, late=late: abs(hour - late))  # type: ignore[misc]
        rows.append(row(f"6.7 h of light at CBTmin {centre:+d} h: shift (h)", shift, nearest - late, 0.1))
    for bright, off, dim, onset, waking in ((700, 18, 20, 22.5, 5.9), (500, 19, 40, 23.95, 7.26)):
        slept, woke, steady = free_sleep(bright, off, dim)
        rows.append(row(f"free sleep, {bright}/{dim} lux: onset (h)", onset, slept, 0.1))
        rows.append(row(f"free sleep, {bright}/{dim} lux: waking (h)", waking, woke, 0.1))
        rows.append(row(f"free sleep, {bright}/{dim} lux: entrained", 1.0, float(steady), 0.0))
    rows.append(row("free sleep, 250/60 lux: entrained", 0.0, float(free_sleep(250, 19, 60)[2]), 0.0))
    return rows
