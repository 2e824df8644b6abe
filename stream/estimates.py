"""Estimates as people and programs read them, made from the arrays of a run."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

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
COLUMNS = [*STATES, *PARAMETERS]


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


def _pairs(row: list[float], columns: list[tuple[str, int]]) -> dict[str, dict[str, float]]:
    return {name: {"mean": row[at], "sd": row[at + 1]} for name, at in columns}


@lru_cache(maxsize=64)
def _there(missing: bytes) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """States and parameters of the blocks that have started, by which numbers of an estimate are missing."""
    states, parameters = (
        [(name, at) for name, at in columns if not missing[at]] for columns in (STATES, PARAMETERS)
    )
    return states, parameters


def outlooks(cohort: Cohort, applied: Applied, tick: int) -> Iterator[dict[str, Any]]:
    """The forecasts that were made at a tick."""
    made_at = round(float(applied.tick_s[tick]) * 1000)
    for row, channel in enumerate(("heart_rate", "glucose")):
        for column, horizon in enumerate(sorted(cohort.horizons[channel])):
            made = applied.forecasts[tick, row, column].tolist()
            if not math.isnan(made[MEAN]):
                yield {
                    "channel": channel, "made_at": made_at, "horizon_s": horizon,
                    "mean": round(made[MEAN], 4), "sd": round(made[SD], 4), **spread(channel, made),
                    "learned": round(made[LEARNED], 4),
                }  # fmt: skip
    for _, channel, made in tomorrows(
        applied, int(applied.obs_start[tick]), int(applied.obs_start[tick + 1])
    ):
        yield {
            "channel": channel, "made_at": made_at, "horizon_s": DAY_S,
            "mean": round(made[MEAN], 4), "sd": round(made[SD], 4), **spread(channel, made),
            "learned": round(made[LEARNED], 4),
        }  # fmt: skip


def estimate(
    cohort: Cohort, applied: Applied, run: Run, tick: int, row: list[float], missing: bytes
) -> dict[str, Any]:
    """One estimate/1 document of the rounded numbers of a tick, of which those marked in `missing` are not there."""
    states, parameters = _there(missing)
    span = slice(int(applied.obs_start[tick]), int(applied.obs_start[tick + 1]))
    channels = [CHANNELS[code] for code in applied.obs_channel[span]]
    made_at = round(float(applied.tick_s[tick]) * 1000)
    chance = float(applied.low_probability[tick, 0])
    return {
        "schema": "estimate/1",
        "person": run.person,
        "time": made_at,
        "made_from": int(applied.readings[tick]),
        "lag_s": max(0.0, (run.twin.newest_ms - made_at) / 1000.0),
        "late_readings": run.twin.late,
        "state": _pairs(row, states),
        "parameter": _pairs(row, parameters),
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
        "outlook": list(outlooks(cohort, applied, tick)),
    }


def estimates(cohort: Cohort, applied: Applied) -> Iterator[dict[str, Any]]:
    """Every tick that was run, as documents."""
    missing = np.isnan(applied.estimates)
    rounded = np.round(applied.estimates, 6)
    for run in applied.runs:
        for tick in range(run.ticks.start, run.ticks.stop):
            yield estimate(cohort, applied, run, tick, rounded[tick].tolist(), missing[tick].tobytes())
