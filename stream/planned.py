"""Heart rate of planned activity: a table of speeds to come, and what a person's own bouts have taught.

A bout is what has speed without a pause of a quarter of an hour. Those of the history that heart rate was measured in teach
the person's numbers (twin/learned/exercise.py), and those of everybody in it what people have in common
(exercise_cohort.py); the plan's bouts are predicted second by second. Heart rates in the plan are
the first minutes of that day: they tell its resting rate, nothing else of the plan is looked at.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.channels import CODE_OF
from connectors.columns import Decoded
from stream.estimates import Z, quantiles
from twin.learned import exercise
from twin.learned.exercise_cohort import prior_of

Floats = NDArray[np.float64]
PAUSE_S, SHORTEST_S, FEWEST = 900.0, 300.0, 60
PLANNED = "planned.csv"
HEADER = ("person", "made_at", "time", "channel", "mean", "sd", *Z)


@dataclass(frozen=True, slots=True)
class Planned:
    """One bout: when the forecast was made [s], the times of the plan's rows [s], mean and sd there [bpm]."""

    made_at: float
    times: Floats
    mean: Floats
    sd: Floats


def _channel(table: Decoded, name: str) -> tuple[Floats, Floats]:
    rows = np.flatnonzero(table.channel == CODE_OF[name])
    rows = rows[np.argsort(table.time_ms[rows], kind="stable")]
    return table.time_ms[rows] / 1000.0, table.value[rows]


def bouts_of(table: Decoded) -> list[tuple[Floats, float, exercise.Bout]]:
    """Times of each bout's speeds, its beginning, and the bout on seconds; speeds are joined linearly."""
    moved_at, speeds = _channel(table, "speed")
    read_at, rates = _channel(table, "heart_rate")
    found = []
    for part in np.split(np.arange(len(moved_at)), np.flatnonzero(np.diff(moved_at) > PAUSE_S) + 1):
        if len(part):
            times, begin = moved_at[part], moved_at[part][0]
            seconds = np.arange(int(times[-1] - begin) + 1, dtype=np.float64)
            inside = (read_at >= begin) & (read_at <= times[-1])
            at = np.minimum(np.round(read_at[inside] - begin), seconds[-1]).astype(np.int64)
            found.append((times, begin, (np.interp(seconds, times - begin, speeds[part]), at, rates[inside])))
    return found


def teaching(history: Decoded) -> list[exercise.Bout]:
    """Bouts of one person's history that teach: five minutes and more, with heart rate."""
    return [bout for _, _, bout in bouts_of(history) if len(bout[0]) >= SHORTEST_S and len(bout[1]) >= FEWEST]


def planned(
    bouts: list[exercise.Bout], plan: Decoded, prior: exercise.Prior = exercise.EVERYBODY
) -> list[Planned]:
    """Predictions of one person's planned bouts; of one who has none that teach, as of a stranger.

    Args:
        bouts: of the person's history that teach.
        plan: that person's rows only.
        prior: of the people of the history.

    """
    numbers = exercise.for_another_day(exercise.fit(bouts, prior).mean, prior) if bouts else None
    found = []
    for times, begin, (speed, at, rates) in bouts_of(plan):
        mean, sd = exercise.predict(numbers, speed, at, rates, prior)
        seconds = np.minimum(np.round(times - begin), len(speed) - 1).astype(np.int64)
        made_at = begin + float(at.max()) if len(at) else begin
        found.append(Planned(made_at, times, mean[seconds], sd[seconds]))
    return found


def _stamp(seconds: float) -> str:
    return str(np.datetime64(round(seconds * 1000), "ms")) + "Z"


def write_planned(path: Path, history: Decoded, plan: Decoded) -> None:
    """A row for each speed of the plan: heart rate there, its sd and quantiles [bpm]."""
    taught = {
        person: teaching(history.rows(np.flatnonzero(history.person == number)))
        for number, person in enumerate(history.persons)
    }
    prior = prior_of([bouts for bouts in taught.values() if bouts])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number, person in enumerate(plan.persons):
            own = plan.rows(np.flatnonzero(plan.person == number))
            for bout in planned(taught.get(person, []), own, prior):
                for time, mean, sd in zip(
                    bout.times.tolist(), bout.mean.tolist(), bout.sd.tolist(), strict=True
                ):
                    cells = quantiles("heart_rate", mean, sd).values()
                    writer.writerow(
                        [
                            person,
                            _stamp(bout.made_at),
                            _stamp(time),
                            "heart_rate",
                            f"{mean:.4f}",
                            f"{sd:.4f}",
                            *cells,
                        ]
                    )
