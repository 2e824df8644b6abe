"""One glucose reading through the learned part: consume what matured, filter, look, correct, issue.

Everything is a fold over readings in event time on a slice of the record, so that late data and restarts rebuild it bit
for bit. A forecast is m_h + s_h (network + trust x the person's correction + the tracked shift of each quantile).
"""

import math
from typing import NamedTuple

import numpy as np

from twin.jit import kernel
from twin.learned import adapt, linear
from twin.learned import glucose_slot as s_
from twin.learned.network import GlucoseWeights, Layers, layers_for, run
from twin.learned.observe import AHEAD_MIN, Room, learned_room, look, take_reading
from twin.shapes import Array, Matrix, Vector

SPREAD_90 = 2.0 * 1.6448536269514722
USUAL_SD = 12.0  # mg/dL: s_30 at which a unit of a cause counts as one
DOSED = 0.5  # of what causes count in one who injects: a bolus is there to undo its meal (DECISIONS.md 38)
LOWEST = 20.0  # mg/dL: no sensor says less
ONSETS, LOWS = 2, 3  # onset within 15 min, within 25 min; a reading below 70 within 30 min
TREND = LOWS  # behind the chances: what the trend alone expects in 30 min [mg/dL]
SAID = LOWS + 1
SLOW_MIN, SLOW_LAGS = 10.0, 4  # minutes between readings from which a sensor is slow; what its trend looks at
OUT = 7  # mean, sd, q05, q25, q50, q75, q95
FADES_MIN = 120.0  # beyond the last horizon the learned part fades over this time


class Bench(NamedTuple):
    """Room of a whole forecast: the filter's, the networks', phi, corrections, gains; as issued; the rest."""

    room: Room
    network: Layers
    onsets: Layers
    low: Layers
    phi: Array
    correction: Vector
    told: Vector
    gain: Vector
    issued: Matrix
    terms: Matrix
    causes: Vector
    lows: Vector
    row: Vector
    out: Vector


@kernel
def bench_for(weights: GlucoseWeights) -> Bench:
    """Room for one person at a time."""
    return Bench(
        learned_room(), layers_for(weights.corrections), layers_for(weights.onsets), layers_for(weights.lows),
        np.zeros(s_.TERMS, dtype=np.float32), np.zeros(s_.HORIZONS), np.zeros(s_.HORIZONS), np.zeros(s_.TERMS),
        np.zeros((s_.HORIZONS, 6)), np.zeros((s_.HORIZONS, 6)), np.zeros(s_.CAUSES), np.zeros(SAID), np.zeros(6),
        np.zeros(OUT),
    )  # fmt: skip


@kernel
def order(row: Vector) -> None:
    """Let row[1:6] rise, outwards from the median: an offset that has gone too far is stopped, never taken for another's.

    Sorting would swap two that have crossed, and then tracking drives each of them further away from its own level.
    """
    row[2] = min(row[2], row[3])
    row[1] = min(row[1], row[2])
    row[4] = max(row[4], row[3])
    row[5] = max(row[5], row[4])


@kernel
def compose(terms: Vector, mean: float, sd: float, row: Vector) -> None:
    """Mean and quantiles of a forecast [mg/dL] from corrections in units of sd, into `row` (6,)."""
    for k in range(6):
        row[k] = max(mean + sd * terms[k], LOWEST)
    order(row)


@kernel
def trend_in_30(slot: Vector, singles: Array, slow_trend: Array, filtered: float) -> float:
    """What the trend alone expects in 30 min [mg/dL]: the filter's mean; of a slow sensor its autoregression, where whole.

    Args:
        slot, singles: the learned part of the record, the newest reading in the ring.
        slow_trend: of the last SLOW_LAGS readings, newest first, and a constant (SLOW_LAGS + 1,).
        filtered: the linear filter's mean there.

    """
    if slot[s_.STEP_MIN] < SLOW_MIN or slot[s_.COUNT] < SLOW_LAGS:
        return filtered
    newest = int(slot[s_.NEWEST])
    expected, at = float(slow_trend[SLOW_LAGS]), newest
    for k in range(SLOW_LAGS):
        at = (newest - k) % s_.RING
        expected += slow_trend[k] * singles[s_.RING_VALUE + at]
    since = singles[s_.RING_MIN + newest] - singles[s_.RING_MIN + at]
    return expected if since < (SLOW_LAGS - 0.5) * slot[s_.STEP_MIN] else filtered


@kernel
def learn_and_issue(
    slot: Vector, weights: GlucoseWeights, now: float, offset_h: float, value: float, causes: Vector, bench: Bench, lows: Vector
) -> None:  # fmt: skip
    """Take a reading and make the forecasts of the four horizons into `bench.issued`; what is said of lows into `lows`.

    Args:
        slot: the learned part of the record (SIZE,).
        weights: of the population.
        now: event time of the reading [s].
        offset_h: of local time from UTC [h].
        value: the reading [mg/dL].
        causes: meals, insulin, activity (CAUSES,); causes.py.
        bench: room.
        lows: filled (SAID,): chances, then what the trend alone expects in 30 min [mg/dL].

    """
    singles = slot[s_.SINGLES :].view(np.float32)
    room = bench.room
    if slot[s_.WEIGHTS] != weights.identity:
        slot[s_.WEIGHTS] = weights.identity
        adapt.start(slot, singles, weights.gains)
    if slot[s_.COUNT] > 0.0:
        adapt.forget(singles, weights.gains, min((now - slot[s_.LAST_S]) / 60.0, linear.LONGEST_MIN))
        adapt.mature(slot, singles, (now - slot[s_.FIRST_S]) / 60.0, value, slot[s_.STEP_MIN], bench.gain)
    take_reading(slot, now, offset_h, value, room)
    look(slot, now, offset_h, room)
    run(weights.corrections, room.inputs, bench.network)
    # A gram is worth so many mg/dL, however rough the day is: causes are told in units of s_30 too.
    rough = room.base[1, 1]
    dosed = DOSED if slot[s_.ACTION_USUAL] > 0.0 else 1.0
    adapt.terms(
        weights,
        bench.network.hidden,
        causes,
        dosed * USUAL_SD / rough,
        min(adapt.ROUGHEST_SD / rough, 1.0),
        bench.phi,
    )
    adapt.corrections(singles, bench.phi, bench.correction, bench.told)
    wide = math.exp(slot[s_.LOW_WIDTH] * adapt.lowness(value))
    for h in range(s_.HORIZONS):
        own = bench.correction[h] - bench.told[h]
        person = adapt.trusted(singles, h, adapt.OWN_PROOF) * own
        person += adapt.trusted(singles, h, adapt.TOLD_PROOF) * bench.told[h]
        for k in range(6):
            bench.terms[h, k] = bench.network.outputs[6 * h + k] + person
            if k > 0:
                bench.terms[h, k] += singles[s_.SHIFTS + 5 * h + k - 1]
        middle = bench.terms[h, 3]
        for k in range(1, 6):
            bench.terms[h, k] = middle + wide * (bench.terms[h, k] - middle)
        compose(bench.terms[h], room.base[h, 0], room.base[h, 1], bench.issued[h])
    since_first = (now - slot[s_.FIRST_S]) / 60.0
    population = bench.network.outputs[::6]
    adapt.open_forecast(
        slot, singles, since_first, bench.phi, room.base, population, bench.correction, bench.issued
    )
    run(weights.onsets, room.inputs, bench.onsets)
    run(weights.lows, room.inputs, bench.low)
    for k in range(LOWS):
        logit = bench.onsets.outputs[k] if k < ONSETS else bench.low.outputs[k - ONSETS]
        lows[k] = 1.0 / (1.0 + math.exp(-logit))
    lows[TREND] = trend_in_30(slot, singles, weights.slow_trend, room.base[1, 0])


@kernel
def forecast_at(
    slot: Vector, now: float, offset_h: float, minutes: float, bench: Bench, row: Vector, out: Vector
) -> None:
    """Mean, sd and quantiles (OUT,) at any horizon: the filter there, corrections between those of the horizons around it."""
    room = bench.room
    mean = slot[s_.MEAN : s_.MEAN + linear.N]
    minute = (now / 60.0 + 60.0 * offset_h) % 1440.0
    later = 0
    while later < s_.HORIZONS - 1 and AHEAD_MIN[later] < minutes:
        later += 1
    earlier = max(later - 1, 0)
    share = 1.0
    if later > 0 and minutes < AHEAD_MIN[later]:
        share = (minutes - AHEAD_MIN[earlier]) / (AHEAD_MIN[later] - AHEAD_MIN[earlier])
    linear.ahead(mean, room.covariance, minute, minutes, slot[s_.SCALE], room.row, room.seen[:2])
    for k in range(6):
        row[k] = share * bench.terms[later, k] + (1.0 - share) * bench.terms[earlier, k]
        row[k] = max(room.seen[0] + room.seen[1] * row[k], LOWEST)
    order(row)
    out[0], out[1] = row[0], max((row[5] - row[1]) / SPREAD_90, 1.0)
    for k in range(5):
        out[2 + k] = row[1 + k]


@kernel
def series(
    slot: Vector, weights: GlucoseWeights, times: Vector, values: Vector, offset_h: float, causes: Matrix, bench: Bench,
    found: Array, lows: Matrix,
) -> None:  # fmt: skip
    """Forecasts of the four horizons (n, HORIZONS, 6) and what is said of lows (n, SAID), at a person's readings."""
    for i in range(times.shape[0]):
        learn_and_issue(slot, weights, times[i], offset_h, values[i], causes[i], bench, lows[i])
        found[i] = bench.issued
