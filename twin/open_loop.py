"""The whole body without a filter: the same blocks, inputs and exchanges, one trajectory, minute by minute.

It serves `twin model run` and the virtual people. Inputs are true here: a told sleep is sleep. With a generator of random
numbers the dynamic states are shaken by exactly the process noise that the filter assumes.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from twin import channels as c_
from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.blocks.spec import LOG, LOGIT
from twin.inputs import circadian_inputs, eat, fast_inputs, local_hour, metabolic_inputs, slow_inputs
from twin.profile import Profile
from twin.shapes import Record, Vector
from twin.summary import ESTIMATE_SIZE, SEEN_COLUMNS
from twin.take import expose, hold_input, take_dose, tell_blocks
from twin.workspace import rooms

MINUTE_S = 60.0
SETTLING_MINUTES = 600.0
SLOW_EVERY_S, CIRCADIAN_EVERY_S = 3600.0, 360.0


class OpenLoop:
    """One person, moved by inputs alone.

    Args:
        profile: who it is.
        begin_s: event time of the beginning [s since 1970].
        parameters: natural values of the person's parameters, by their names as states (`basal_glucose`: 101.0).
        rng: shakes the dynamic states; None leaves them alone.
        first: inputs (by channels.CHANNELS position) at which the body has come to rest; else the schedule's.

    """

    def __init__(
        self, profile: Profile, begin_s: float, parameters: dict[str, float] | None = None,
        rng: np.random.Generator | None = None, first: dict[int, float] | None = None,
    ) -> None:  # fmt: skip
        self.record: Record = r_.genesis(profile)
        self.rooms, self.rng, self.now = rooms(), rng, begin_s
        self.row: Vector = np.full(ESTIMATE_SIZE, math.nan)
        self.infection = 0.0
        for channel, value in (first or {}).items():
            for since in (begin_s - MINUTE_S, begin_s):  # twice: steps are a minute's
                hold_input(self.record, channel, value, since)
        self._begin(parameters or {})

    def _block(self, name: str) -> tuple[Any, Vector]:
        module, at, *_ = r_.BLOCKS[name]
        return module, self.record[at : at + module.N]

    def _begin(self, parameters: dict[str, float]) -> None:
        """Start every block; block F rests until it stands still."""
        record, room, now = self.record, self.rooms, self.now
        record[r_.SLEEP_BELIEF] = record[r_.HELD_VALUE + c_.ASLEEP - c_.FIRST_HELD]
        clock, mean = self._block("circadian")
        circadian_inputs(record, now, room.circadian.inputs)
        none = np.zeros((clock.N, clock.N))
        k = record[r_.CIRCADIAN_BODY : r_.SLOW_BODY]
        clock.start(mean, none, k, room.circadian.inputs, local_hour(record, now))
        record[[r_.CIRCADIAN_S, r_.SLOW_S, r_.FAST_S, r_.METABOLIC_S]] = now
        body, mean = self._block("slow")
        slow_inputs(record, now, room.slow.inputs)
        body.start(
            mean, np.zeros((body.N, body.N)), record[r_.SLOW_BODY : r_.EXPOSURE_BODY], room.slow.inputs
        )
        heart, mean = self._block("fast")
        fast_inputs(record, now, False, room.fast.inputs)
        heart.start(
            mean, np.zeros((heart.N, heart.N)), record[r_.FAST_BODY : r_.METABOLIC_BODY], room.fast.inputs
        )
        _gut, glucose = self._block("metabolic")
        metabolic_inputs(record, now, room.metabolic.inputs)
        k = record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
        level = parameters.get(
            "basal_glucose", record[r_.METABOLIC_BODY + metabolic.Body._fields.index("prior_basal_glucose")]
        )
        metabolic.rest(glucose, float(level), k, room.metabolic.inputs)
        for name in ("fast", "metabolic", "circadian", "slow"):
            module, states = self._block(name)
            for i, state in enumerate(module.STATES):
                if state.name in parameters:
                    states[i] = held_value(parameters[state.name], state.transform)
        self._observe(now)
        self._move_fast(SETTLING_MINUTES)
        self._observe(now)
        expose(record, now)

    def _move_fast(self, minutes: float) -> None:
        w, (_, mean) = self.rooms.fast, self._block("fast")
        fast_inputs(self.record, self.now, False, w.inputs)
        w.inputs[fast.Inputs._fields.index("infection")] = self.infection
        w.points.reshape(fast.N, fast.STRIDE)[:] = mean[:, None]
        k = self.record[r_.FAST_BODY : r_.METABOLIC_BODY]
        fast.advance(w.points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
        mean[:] = w.points[:: fast.STRIDE]

    def _shake(self, mean: Vector, dynamic: int, variance: Vector) -> None:
        if self.rng is not None:
            mean[:dynamic] += np.sqrt(variance[:dynamic]) * self.rng.standard_normal(dynamic)

    def minute(self, values: dict[int, float]) -> "OpenLoop":
        """Take what came (by channels.CHANNELS position), move one minute on, leave what is seen in `row`."""
        record, room = self.record, self.rooms
        before, self.now = self.now, self.now + MINUTE_S
        now = self.now
        for channel, value in values.items():
            hold_input(record, channel, value, now)
        record[r_.SLEEP_BELIEF] = record[r_.HELD_VALUE + c_.ASLEEP - c_.FIRST_HELD]
        expose(record, now)
        self._move_circadian(now)
        self._move_fast(1.0)
        if self.rng is not None:
            noise = np.zeros((fast.N, fast.N))
            mean = self._block("fast")[1]
            fast.add_process_noise(mean, noise, 1.0, room.fast.inputs)
            noise[fast.INFECTION_DRIVE, fast.INFECTION_DRIVE] = 0.0  # nobody falls ill by chance
            self._shake(mean, fast.DYNAMIC, np.diag(noise))
        record[r_.FAST_S] = now
        self._move_metabolic()
        self._move_slow(now)
        for channel, value in values.items():
            if c_.FIRST_EVENT <= channel < c_.FIRST_HELD:
                take_dose(record, channel, value, now)
        record[r_.HEAD_S] = now
        self._observe(before)
        return self

    def _move_circadian(self, now: float) -> None:
        record, w = self.record, self.rooms.circadian
        if now - record[r_.CIRCADIAN_S] >= CIRCADIAN_EVERY_S:
            mean = self._block("circadian")[1]
            circadian_inputs(record, now, w.inputs)
            w.points.reshape(circadian.N, circadian.STRIDE)[:] = mean[:, None]
            minutes = (now - record[r_.CIRCADIAN_S]) / 60.0
            k = record[r_.CIRCADIAN_BODY : r_.SLOW_BODY]
            circadian.advance(w.points, minutes, w.inputs, k, w.slopes, w.trial, w.total)
            mean[:] = w.points[:: circadian.STRIDE]
            if self.rng is not None:
                noise = np.zeros((circadian.N, circadian.N))
                circadian.add_process_noise(mean, noise, minutes, w.inputs)
                self._shake(mean, circadian.DYNAMIC, np.diag(noise))
            record[r_.CIRCADIAN_S] = now

    def _move_metabolic(self) -> None:
        record, w = self.record, self.rooms.metabolic
        mean = self._block("metabolic")[1]
        metabolic_inputs(record, self.now, w.inputs)
        eat(record, self.now - MINUTE_S, self.now, w.inputs)
        k = record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY]
        self._shake_metabolic(mean, k)  # half before, half after, as the filter does
        w.points.reshape(metabolic.N, metabolic.STRIDE)[:] = mean[:, None]
        metabolic.advance(w.points, 1.0, w.inputs, k, w.slopes, w.trial, w.total, 1.0)
        mean[:] = w.points[:: metabolic.STRIDE]
        self._shake_metabolic(mean, k)
        record[r_.METABOLIC_S] = self.now

    def _shake_metabolic(self, mean: Vector, k: Vector) -> None:
        """Half a minute of process noise; stomach, gut and depots hold what was given."""
        if self.rng is None:
            return
        noise = np.zeros((metabolic.N, metabolic.N))
        metabolic.add_process_noise(mean, noise, 0.5, self.rooms.metabolic.inputs, k)
        variance = np.diag(noise).copy()
        variance[[metabolic.STOMACH, metabolic.GUT, metabolic.DEPOT_1, metabolic.DEPOT_2]] = 0.0
        self._shake(mean, metabolic.DYNAMIC, variance)

    def _move_slow(self, now: float) -> None:
        record, w = self.record, self.rooms.slow
        if now - record[r_.SLOW_S] >= SLOW_EVERY_S:
            mean = self._block("slow")[1]
            slow_inputs(record, now, w.inputs)
            w.points.reshape(slow.N, slow.STRIDE)[:] = mean[:, None]
            minutes = (now - record[r_.SLOW_S]) / 60.0
            slow.advance(
                w.points,
                minutes,
                w.inputs,
                record[r_.SLOW_BODY : r_.EXPOSURE_BODY],
                w.slopes,
                w.trial,
                w.total,
            )
            mean[:] = w.points[:: slow.STRIDE]
            if self.rng is not None:
                noise = np.zeros((slow.N, slow.N))
                slow.add_process_noise(mean, noise, minutes, w.inputs)
                self._shake(mean, slow.DYNAMIC, np.diag(noise))
            record[r_.SLOW_S] = now
            record[[r_.ENERGY_KCAL, r_.SWEAT_L, r_.IMPULSE, r_.SINCE_MIN, r_.DRUNK_L]] = 0.0

    def _observe(self, before_s: float) -> None:
        """What perfect sensors read, into `row`; the exchange between the blocks."""
        record, now = self.record, self.now
        filled: tuple[tuple[str, Callable[[Vector], None], int], ...] = (
            ("fast", lambda u: fast_inputs(record, now, False, u), r_.FAST_BODY),
            ("metabolic", lambda u: metabolic_inputs(record, now, u), r_.METABOLIC_BODY),
            ("circadian", lambda u: circadian_inputs(record, now, u), r_.CIRCADIAN_BODY),
            ("slow", lambda u: slow_inputs(record, now, u), r_.SLOW_BODY),
        )
        for name, fill, at in filled:
            module, mean = self._block(name)
            w = getattr(self.rooms, name)
            fill(w.inputs)
            w.points.reshape(module.N, module.STRIDE)[:] = mean[:, None]
            module.observe(w.points, w.seen, w.inputs, record[at : at + module.BODY])
            for field, value in zip(module.Seen._fields, w.seen[:: module.STRIDE].tolist(), strict=True):
                self.row[SEEN_COLUMNS[field]] = value
            if name == "fast":
                self.row[2 * fast.INFLAMMATION], self.row[2 * fast.AROUSAL] = (
                    mean[fast.INFLAMMATION], mean[fast.AROUSAL],
                )  # fmt: skip
        tell_blocks(record, before_s, now, self.row)
        record[r_.INTENSITY_MIN] = (
            0.0  # block G moves each minute here, and takes the minute before for its own
        )

    def observables(self) -> dict[str, float]:
        """What perfect sensors read now, by name."""
        return {name: float(self.row[at]) for name, at in SEEN_COLUMNS.items()}

    def states(self) -> dict[str, float]:
        """Every state and parameter in natural units, by name."""
        found: dict[str, float] = {}
        for name in r_.BLOCKS:
            module, mean = self._block(name)
            for state, value in zip(module.STATES, mean.tolist(), strict=True):
                found[state.name] = natural_value(value, state.transform)
        return found


def held_value(natural: float, transform: int) -> float:
    """What the filter holds of a natural value."""
    if transform == LOG:
        return math.log(natural)
    return math.log(natural / (1.0 - natural)) if transform == LOGIT else natural


def natural_value(held: float, transform: int) -> float:
    """The natural value of what the filter holds."""
    if transform == LOG:
        return math.exp(held)
    return 1.0 / (1.0 + math.exp(-held)) if transform == LOGIT else held
