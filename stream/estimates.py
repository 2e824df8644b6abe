"""Estimates as people and programs read them, made from the arrays of a run."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream.cohort import Applied, Cohort, Run
from twin.channels import CHANNELS
from twin.forecast import LEARNED, MEAN, QUANTILES, SD
from twin.summary import PARAMETER_COLUMNS, SEEN_COLUMNS, STATE_COLUMNS

Z = {"q05": -1.6448536269514722, "q25": -0.6744897501960817, "q50": 0.0, "q75": 0.6744897501960817,
     "q95": 1.6448536269514722}  # fmt: skip
# What is seen comes last: where a state and what is seen of it have one name, they are one number.
STATES = list((STATE_COLUMNS | SEEN_COLUMNS).items())
PARAMETERS = list(PARAMETER_COLUMNS.items())
DAY_S = 86400
TOGETHER = 128  # rows whose numbers become text at once, 1 ms
COLUMNS = [*STATES, *PARAMETERS]
Columns = list[tuple[str, int]]
Horizons = list[tuple[str, list[int]]]  # of each channel that is forecast, ascending [s]


def quantiles(channel: str, mean: float, sd: float) -> dict[str, float]:
    """Five quantiles: of a log-normal with this mean and sd for glucose, which cannot be negative; else of a normal."""
    if channel == "glucose" and mean > 0.0:
        spread = math.sqrt(math.log1p((sd / mean) ** 2))
        centre = math.log(mean) - 0.5 * spread * spread
        return {name: round(math.exp(centre + z * spread), 4) for name, z in Z.items()}
    return {name: round(mean + z * sd, 4) for name, z in Z.items()}


def spread(channel: str, forecast: list[float]) -> dict[str, float]:
    """Quantiles of a forecast (twin.forecast.FORECAST numbers), by the law of its channel where it brings none."""
    told = forecast[QUANTILES:LEARNED]
    if math.isnan(told[0]):
        return quantiles(channel, forecast[MEAN], forecast[SD])
    return {name: round(value, 4) for name, value in zip(Z, told, strict=True)}


def tomorrows(applied: Applied, first: int, last: int) -> Iterator[tuple[int, str, list[float]]]:
    """Forecasts for a day later of observations `first` to `last`: tick, channel, the forecast."""
    low, high = np.searchsorted(applied.daily_at, [first, last]).tolist()
    for row in range(low, high):
        made = applied.daily[row].tolist()
        if not math.isnan(made[MEAN]):
            at = int(applied.daily_at[row])
            tick = int(np.searchsorted(applied.obs_start, at, side="right")) - 1
            yield tick, CHANNELS[applied.obs_channel[at]], made


@lru_cache(maxsize=64)
def _there(missing: bytes) -> tuple[list[int], int, list[bytes], list[bytes]]:
    """What is to be told where these numbers of an estimate are missing.

    Returns:
        The numbers' positions, those of states first; how many are of states; what stands between them as text.

    """
    states, parameters = (
        [(name, at) for name, at in columns if not missing[at]] for columns in (STATES, PARAMETERS)
    )
    positions = [at + shift for _, at in (*states, *parameters) for shift in (0, 1)]
    return positions, 2 * len(states), _between(states), _between(parameters)


def _between(columns: Columns) -> list[bytes]:
    """Of {"name":{"mean":1,"sd":2},...} everything but the numbers."""
    texts: list[bytes] = []
    for name, _ in columns:
        texts += [b'%b"%b":{"mean":' % (b"}," if texts else b"{", name.encode()), b',"sd":']
    return [*texts, b"}}"] if texts else [b"{}"]


def _joined(between: list[bytes], numbers: list[bytes]) -> orjson.Fragment:
    parts = [b""] * (len(between) + len(numbers))
    parts[::2], parts[1::2] = between, numbers
    return orjson.Fragment(b"".join(parts))


def _pairs(values: NDArray[np.float64]) -> list[tuple[orjson.Fragment, orjson.Fragment]]:
    """States and parameters of every row as JSON: their numbers become text at once, which takes half the time of dicts."""
    rounded = np.round(values, 6)
    found: list[Any] = [None] * len(values)
    alike: dict[bytes, list[int]] = {}
    for row, missing in enumerate(np.isnan(values)):
        alike.setdefault(missing.tobytes(), []).append(row)
    for missing, rows in alike.items():
        positions, cut, states, parameters = _there(missing)
        told = np.ascontiguousarray(rounded[np.ix_(rows, positions)])
        texts = orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].split(b"],[")
        for row, text in zip(rows, texts, strict=True):
            numbers = text.split(b",") if positions else []
            found[row] = _joined(states, numbers[:cut]), _joined(parameters, numbers[cut:])
    return found


def outlook(channel: str, made_at: int, horizon_s: int, made: list[float]) -> dict[str, Any]:
    """A forecast as it is told."""
    return {
        "channel": channel, "made_at": made_at, "horizon_s": horizon_s,
        "mean": round(made[MEAN], 4), "sd": round(made[SD], 4), **spread(channel, made),
        "learned": round(made[LEARNED], 4),
    }  # fmt: skip


def outlooks(horizons: Horizons, applied: Applied, tick: int, made_at: int) -> Iterator[dict[str, Any]]:
    """The forecasts that were made at a tick."""
    made = applied.forecasts[tick].tolist()
    for row, (channel, ascending) in enumerate(horizons):
        for column, horizon in enumerate(ascending):
            if made[row][column][MEAN] == made[row][column][MEAN]:  # not nan
                yield outlook(channel, made_at, horizon, made[row][column])
    if len(applied.daily_at):
        first, last = applied.obs_start[tick : tick + 2].tolist()
        for _, channel, one in tomorrows(applied, first, last):
            yield outlook(channel, made_at, DAY_S, one)


def estimate(
    horizons: Horizons,
    applied: Applied,
    run: Run,
    tick: int,
    state: orjson.Fragment,
    parameter: orjson.Fragment,
) -> dict[str, Any]:
    """One estimate/1 document, of which states and parameters are JSON already."""
    span = slice(*applied.obs_start[tick : tick + 2].tolist())
    channels = [CHANNELS[code] for code in applied.obs_channel[span].tolist()]
    made_at = round(float(applied.tick_s[tick]) * 1000)
    chance = float(applied.low_probability[tick, 0])
    return {
        "schema": "estimate/1",
        "person": run.person,
        "time": made_at,
        "made_from": int(applied.readings[tick]),
        "lag_s": max(0.0, (run.newest_ms - made_at) / 1000.0),
        "late_readings": run.late,
        "state": state,
        "parameter": parameter,
        "surprise": {
            channel: round(z, 4)
            for channel, z in zip(channels, applied.surprises[span].tolist(), strict=True)
            if not math.isnan(z)
        },
        "observed": {
            channel: round(v, 4)
            for channel, v in zip(channels, applied.obs_value[span].tolist(), strict=True)
        },
        "probability": {} if math.isnan(chance) else {"glucose_low_30min": round(chance, 5)},
        "outlook": list(outlooks(horizons, applied, tick, made_at)),
    }


def encoded(cohort: Cohort, applied: Applied) -> Iterator[tuple[bytes, bytes]]:
    """Every tick that was run: the person, and the estimate/1 document as JSON."""
    pairs: list[tuple[orjson.Fragment, orjson.Fragment]] = []
    at = -TOGETHER
    horizons = [(channel, sorted(cohort.horizons[channel])) for channel in ("heart_rate", "glucose")]
    for run in applied.runs:
        person = run.person.encode()
        for tick in range(run.ticks.start, run.ticks.stop):
            if tick - at >= TOGETHER:
                pairs, at = _pairs(applied.estimates[tick : tick + TOGETHER]), tick
            yield person, orjson.dumps(estimate(horizons, applied, run, tick, *pairs[tick - at]))


def estimates(cohort: Cohort, applied: Applied) -> Iterator[dict[str, Any]]:
    """The same as they are read."""
    for _, document in encoded(cohort, applied):
        yield orjson.loads(document)
