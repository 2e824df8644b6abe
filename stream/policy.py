"""When the twin should call someone: on-delay, hysteresis, one id through an alert's life.

A rule is a small state machine on numbers, run once a tick inside the same fold as the twin, so that a replay or late
data give the same alerts. What care teams do with an alert (acknowledge) is not part of the fold.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

PHASE, ONSET_S, COUNT, CLEAR_S, QUIET_UNTIL_S = range(5)
NORMAL, PENDING, ACTIVE = 0.0, 1.0, 2.0
DISCLAIMER = "Decision support, not a medical device."


@dataclass(frozen=True, slots=True)
class Rule:
    """On after `delay_s` and `readings` with the condition; off after `clear_s` beyond the hysteresis."""

    name: str
    severity: str
    kind: str
    delay_s: float
    readings: int
    clear_s: float
    refractory_s: float
    horizon_s: int | None = None


LOW_SOON = Rule("low_glucose_soon", "medium", "clinical", 0.0, 2, 0.0, 1800.0, 1800)
RATE_HIGH = Rule("resting_heart_rate_high", "medium", "clinical", 600.0, 5, 300.0, 7200.0)
RATE_LOW = Rule("resting_heart_rate_low", "medium", "clinical", 600.0, 5, 300.0, 7200.0)
DATA_MISSING = Rule("data_missing", "low", "technical", 0.0, 1, 0.0, 0.0)
RULES = (LOW_SOON, RATE_HIGH, RATE_LOW)
LAST_GLUCOSE_S = len(RULES) * 5  # behind the rules
STATE = LAST_GLUCOSE_S + 1
PROBABLE, IMPROBABLE = 0.35, 0.20  # DECISIONS.md: at 0.50 most lows were there before the alert
# Where something is learned (DECISIONS.md: measured): the trend alone leads below this in 30 minutes, glucose is near, and an
# episode is likely to begin. A sensor that reads every 15 minutes, or has a gap, sees a fall later and is asked earlier.
LOW, TREND_HYSTERESIS = 70.0, 5.0  # mg/dL
GONE = 1.0 / 3.0  # of the chance that opens an alert
AGAIN_S, QUICK_S = 1800.0, 600.0
HIGH_ABOVE_OWN, LOW_BELOW_OWN = 40.0, 20.0
HIGHEST_LIMIT, LOWEST_LIMIT, HYSTERESIS_BPM = 120.0, 40.0, 10.0
REST_MET = 1.6


@dataclass(frozen=True, slots=True)
class Near:
    """Where a low is near: limits of glucose and of the trend in 30 minutes [mg/dL], least chance of an onset."""

    glucose: float
    trend: float
    chance: float


QUICK, SLOW = Near(90.0, 78.0, 0.10), Near(100.0, 80.0, 0.06)  # of sensors by their step; DECISIONS.md 31


@dataclass(frozen=True, slots=True)
class Signal:
    """What a rule looks at in one tick."""

    now_s: float
    low_probability: float  # nan when no glucose came
    glucose: float
    heart_rate: float  # nan when no heart rate came
    own_rate: float
    at_rest: bool
    onset_probability: float = math.nan  # that an episode begins soon; nan where nothing is learned
    trend_30: float = math.nan  # what the trend alone expects in 30 minutes [mg/dL]


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule that changed its state."""

    rule: Rule
    state: str
    onset_s: float
    at_s: float
    value: float
    threshold: float
    probability: float | None
    why: tuple[str, ...]


def alert_id(person: str, rule: str, onset_s: float) -> str:
    """The same id in every replay: person, rule and onset."""
    return blake2b(f"{person}|{rule}|{onset_s:.3f}".encode(), digest_size=10).hexdigest()


def new_state() -> NDArray[np.float64]:
    """All rules at rest."""
    return np.zeros(STATE)


def open_rules(state: NDArray[np.float64]) -> Iterator[tuple[str, str, float]]:
    """Name, state and onset [s] of the rules that are not at rest."""
    for number, rule in enumerate(RULES):
        phase, onset_s = state[number * 5 + PHASE], float(state[number * 5 + ONSET_S])
        if phase != NORMAL:
            yield rule.name, "pending" if phase == PENDING else "active", onset_s


def _advance(state: NDArray[np.float64], rule: Rule, now_s: float, on: bool, off: bool) -> str | None:
    """Move one rule; returns the state that it entered, if any."""
    phase = state[PHASE]
    if phase == NORMAL:
        if on and now_s >= state[QUIET_UNTIL_S]:
            state[PHASE], state[ONSET_S], state[COUNT], state[CLEAR_S] = PENDING, now_s, 1.0, 0.0
            if rule.readings <= 1 and rule.delay_s <= 0.0:
                state[PHASE] = ACTIVE
                return "active"
            return "pending"
        return None
    if phase == PENDING:
        if not on:
            state[PHASE] = NORMAL
            return "resolved"
        state[COUNT] += 1.0
        if state[COUNT] >= rule.readings and now_s - state[ONSET_S] >= rule.delay_s:
            state[PHASE] = ACTIVE
            return "active"
        return None
    if not off:
        state[CLEAR_S] = 0.0
        return None
    if state[CLEAR_S] == 0.0:
        state[CLEAR_S] = now_s
    if now_s - state[CLEAR_S] >= rule.clear_s:
        state[PHASE], state[QUIET_UNTIL_S] = NORMAL, now_s + rule.refractory_s
        return "resolved"
    return None


def _advance_learned(view: NDArray[np.float64], signal: Signal, near: Near) -> str | None:
    """The rule on what was learned: opens at once, closes when the chance is gone, or after 30 minutes without a low."""
    now = signal.now_s
    if view[PHASE] == ACTIVE:
        gone = (
            signal.onset_probability < GONE * near.chance or signal.trend_30 >= near.trend + TREND_HYSTERESIS
        )
        over = now - view[ONSET_S] >= AGAIN_S
        if (gone or over) and signal.glucose >= LOW:
            view[PHASE] = NORMAL
            return "resolved"
        return None
    on = (
        signal.glucose < near.glucose
        and signal.trend_30 < near.trend
        and signal.onset_probability >= near.chance
    )
    if on and now >= view[QUIET_UNTIL_S]:
        view[PHASE], view[ONSET_S], view[QUIET_UNTIL_S] = ACTIVE, now, now + LOW_SOON.refractory_s
        return "active"
    return None


def _low_soon(state: NDArray[np.float64], signal: Signal, quick: Near, slow: Near) -> Iterator[Transition]:
    """The one rule on glucose: by what was learned, else by the mechanism's chance of a low reading."""
    now, chance, view = signal.now_s, signal.low_probability, state[0:5]
    why = [f"The chance of glucose below 70 mg/dL within 30 minutes was {100 * chance:.0f} %.",
           f"Glucose was {signal.glucose:.0f} mg/dL then."]  # fmt: skip
    if np.isnan(signal.onset_probability):
        entered = _advance(view, LOW_SOON, now, chance >= PROBABLE, chance < IMPROBABLE)
    else:
        near = quick if now - state[LAST_GLUCOSE_S] <= QUICK_S else slow
        entered = _advance_learned(view, signal, near)
        why.append(f"By its trend alone it would be {signal.trend_30:.0f} mg/dL in 30 minutes; the chance that a low "
                   f"begins within 15 to 25 minutes was {100 * signal.onset_probability:.0f} %.")  # fmt: skip
    state[LAST_GLUCOSE_S] = now
    if entered:
        yield Transition(
            LOW_SOON, entered, float(view[ONSET_S]), now, signal.glucose, LOW, chance, tuple(why)
        )


def step(
    state: NDArray[np.float64], signal: Signal, quick: Near = QUICK, slow: Near = SLOW
) -> Iterator[Transition]:
    """Run every rule on one tick, in place; `quick` and `slow`: where a low is near, by the sensor's step."""
    now = signal.now_s
    if not np.isnan(signal.low_probability):
        yield from _low_soon(state, signal, quick, slow)
    if np.isnan(signal.heart_rate) or not signal.at_rest:
        return
    rate, own = signal.heart_rate, signal.own_rate
    high, low = min(HIGHEST_LIMIT, own + HIGH_ABOVE_OWN), max(LOWEST_LIMIT, own - LOW_BELOW_OWN)
    view = state[5:10]
    if entered := _advance(view, RATE_HIGH, now, rate >= high, rate < high - HYSTERESIS_BPM):
        yield Transition(RATE_HIGH, entered, float(view[ONSET_S]), now, rate, high, None,
                         (f"Heart rate at rest is {rate:.0f} /min; this person's own limit is {high:.0f} /min.",
                          f"Learned resting rate: {own:.0f} /min."))  # fmt: skip
    view = state[10:15]
    if entered := _advance(view, RATE_LOW, now, rate <= low, rate > low + HYSTERESIS_BPM):
        yield Transition(RATE_LOW, entered, float(view[ONSET_S]), now, rate, low, None,
                         (f"Heart rate at rest is {rate:.0f} /min; this person's own limit is {low:.0f} /min.",
                          f"Learned resting rate: {own:.0f} /min."))  # fmt: skip


TITLES = {
    "low_glucose_soon": "Low glucose soon",
    "resting_heart_rate_high": "Heart rate high at rest",
    "resting_heart_rate_low": "Heart rate low at rest",
    "data_missing": "No data",
}
