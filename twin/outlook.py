"""What may come: samples of the posterior carried forward through all four blocks, with a plan and without.

A sample is a whole body: its own states and parameters of each block and its own exchange between them, minute by minute.
So what is unsure of oxygen uptake reaches glucose, and what is unsure of the clock reaches the heart. Every scenario starts
from the same samples and is shaken by the same random numbers, with exactly the process noise that the filter assumes: two
scenarios differ, sample by sample, by the plan alone, and their difference has a band of its own.

"Nothing is done" is what every forecast of the twin supposes: habits by the clock, rest, and what was taken before acts on.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from twin import channels as c_
from twin import record as r_
from twin import schedule
from twin.blocks import circadian, fast, metabolic, slow
from twin.exchange import add_homeostat_noise, add_sleep_noise
from twin.exposure import take_alcohol, take_drug
from twin.inputs import (
    HARMLESS_DEFICIT,
    asleep_at,
    circadian_inputs,
    eat,
    fast_inputs,
    local_hour,
    metabolic_inputs,
    or_usual,
    slow_inputs,
)
from twin.outlook_points import (
    GROUP,
    add_training,
    advance_circadian,
    advance_fast,
    advance_metabolic,
    advance_slow,
    circadian_seen,
    fast_seen,
    fill_insulin_factor,
    metabolic_seen,
    slow_seen,
)
from twin.outlook_start import BODIES, Start, mirrored, root
from twin.shapes import Array, Vector
from twin.take import BOLUS_UNCERTAINTY, DOSE_UNCERTAINTY, FAST_SHARE_SD, expose
from twin.workspace import rooms

MINUTE_S, CIRCADIAN_MINUTES, SLOW_MINUTES, MEAL_MINUTES = 60.0, 6, 15, 10
FEVER_GAIN, FEVER_BEND = 2.2, 0.35  # F = 2.2 y / (1 + 0.35 y), physiology/inflammation.py
_FAST = {name: i for i, name in enumerate(fast.Inputs._fields)}
_SLOW = {name: i for i, name in enumerate(slow.Inputs._fields)}


class Plan(NamedTuple):
    """What is planned, by minute (m,); nan: as usual. Amounts are those of the minute, at its beginning."""

    met: Vector  # gross demand, MET as the person's device counts it
    efficiency: Vector  # mechanical
    posture: Vector  # 0 supine, 0.3 sitting, 1 standing
    carbohydrate: Vector  # g, then eaten evenly over ten minutes
    bolus: Vector  # U
    fluid: Vector  # L, above habit
    alcohol: Vector  # g
    drug: Vector  # customary doses of a beta-blocker
    ambient: Vector  # degC
    air_pressure: Vector  # mmHg
    infection: Vector  # drive, 0 none
    fever: Vector  # core temperature that the set-point jumps to, degC
    sleep_shift: Vector  # (1,): h by which bedtime and waking are later


AMOUNTS = ("carbohydrate", "bolus", "fluid", "alcohol", "drug", "infection")


def nothing(minutes: int) -> Plan:
    """The plan of doing nothing."""
    fields = {name: np.full(minutes, 0.0 if name in AMOUNTS else math.nan) for name in Plan._fields}
    return Plan(**fields | {"sleep_shift": np.zeros(1)})


def inflammation_of(rise: float) -> float:
    """y that holds a set-point `rise` degC higher: F = 2.2 y / (1 + 0.35 y) solved for y."""
    return rise / max(FEVER_GAIN - FEVER_BEND * rise, 0.2)


class Course:
    """One scenario on its way. `seen` is what perfect sensors read of every sample now, by block (groups, seen, GROUP)."""

    def __init__(self, begin: Start, plan: Plan) -> None:
        self.record, self.plan = begin.record.copy(), Plan(*(values.copy() for values in plan))
        self.minutes, self.now = 0, float(begin.record[r_.HEAD_S])
        self.shift_s = 3600.0 * float(plan.sleep_shift[0])
        self.record[r_.OFFSET_H] -= plan.sleep_shift[0]  # the sleeper's clock; the sun keeps its own
        self.asleep = float(asleep_at(self.record, self.now, True))
        self.room = rooms()
        self.x = {name: found.copy() for name, found in begin.samples.items()}
        self.groups = self.x["fast"].shape[0]
        self.misjudged = begin.misjudged.reshape(-1, self.groups, GROUP)
        self.k = {name: self.record[place] for name, place in BODIES.items()}
        blocks: dict[str, Any] = {name: block for name, (block, *_) in r_.BLOCKS.items()}
        self.u = {name: np.zeros((self.groups, block.INPUTS, GROUP)) for name, block in blocks.items()}
        self.seen = {name: np.zeros((self.groups, block.SEEN, GROUP)) for name, block in blocks.items()}
        self.rows = {
            name: {field: i for i, field in enumerate(block.Seen._fields)} for name, block in blocks.items()
        }
        self.work = {name: np.zeros((3, block.N * GROUP)) for name, block in blocks.items()}
        self.energy, self.sweat, self.impulse = np.zeros((3, self.groups, GROUP))
        self.exercised = 0
        self._look()

    def _flat(self, name: str) -> tuple[Array, Array, Array]:
        """States, inputs and what is seen of a block as the kernels take them: views."""
        x, u, seen = (part[name].reshape(self.groups, -1) for part in (self.x, self.u, self.seen))
        return x, u, seen

    def _look(self) -> None:
        """See the blocks at the head, under what is now: the first inputs of the others."""
        room, record = self.room, self.record
        fast_inputs(record, self.now, False, room.fast.inputs)
        circadian_inputs(record, self.now, room.circadian.inputs)
        metabolic_inputs(record, self.now, room.metabolic.inputs)
        slow_inputs(record, self.now, room.slow.inputs)
        for name in r_.BLOCKS:
            self.u[name][:] = getattr(room, name).inputs[None, :, None]
            x, u, seen = self._flat(name)
            for g in range(self.groups):
                if name == "circadian":
                    circadian_seen(x[g], seen[g], room.circadian.inputs, self.k[name])
                elif name == "fast":
                    fast_seen(x[g], seen[g], u[g], self.k[name])
                elif name == "metabolic":
                    metabolic_seen(x[g], seen[g], u[g], self.k[name])
                else:
                    slow_seen(x[g], seen[g], u[g], self.k[name])

    def of(self, name: str, field: str) -> Array:
        """What a perfect sensor reads of every sample (groups, GROUP)."""
        return self.seen[name][:, self.rows[name][field]]

    def _shake(self, name: str, covariance: Array, normal: Array) -> None:
        """Add process noise of this covariance; `normal` (n, samples) is the same for all scenarios."""
        n = covariance.shape[0]
        self.x[name] += (root(covariance) @ normal).reshape(n, self.groups, GROUP).transpose(1, 0, 2)

    def minute(self, normal: dict[str, Array]) -> None:
        """One minute on; `normal` has deviates by block (n, samples)."""
        m, self.minutes, self.now = self.minutes, self.minutes + 1, self.now + MINUTE_S
        self._take(m)
        self.asleep = 0.0 if self._moving(m) else float(asleep_at(self.record, self.now, True))
        if self.minutes % CIRCADIAN_MINUTES == 0:
            self._move_circadian(normal["circadian"])
        self.record[r_.CLOCK] = self.of("circadian", "circadian").mean()
        self.record[r_.QUADRATURE] = self.of("circadian", "quadrature").mean()
        expose(self.record, self.now)
        self._move_fast(m, normal["fast"])
        self._move_metabolic(m, normal["metabolic"])
        self.energy += self.of("fast", "energy_expenditure") * self._moving(m)
        self.exercised += self._moving(m)
        self.sweat += np.maximum(self.of("fast", "sweat"), 0.0) / 60.0
        add_training(self.of("fast", "exercise_fraction"), self.impulse, 1.0, self.record[r_.MALE])
        if self.minutes % SLOW_MINUTES == 0:
            self._move_slow(normal["slow"])

    def _moving(self, m: int) -> bool:
        return not math.isnan(self.plan.met[m])

    def _take(self, m: int) -> None:
        """What the minute brings at its beginning."""
        plan, record = self.plan, self.record
        exposed = record[r_.EXPOSURE : r_.FAST_BODY]
        take_alcohol(exposed, float(plan.alcohol[m]))
        take_drug(exposed, float(plan.drug[m]))
        depot = plan.bolus[m] * 6000.0 / record[r_.METABOLIC_BODY]
        self.x["metabolic"][:, metabolic.DEPOT_1] += depot * (1.0 + BOLUS_UNCERTAINTY * self.misjudged[2])
        self.x["slow"][:, slow.WATER_DEFICIT] -= plan.fluid[m]
        for channel, value in ((c_.AMBIENT, plan.ambient[m]), (c_.AIR_PRESSURE, plan.air_pressure[m])):
            if not math.isnan(value):
                record[r_.HELD_VALUE + channel - c_.FIRST_HELD] = value
                record[r_.HELD_S + channel - c_.FIRST_HELD] = self.now
        if not math.isnan(plan.fever[m]):
            self._fall_ill(m, float(plan.fever[m]))

    def _fall_ill(self, m: int, temperature: float) -> None:
        """The set-point is where core temperature comes to `temperature`, and the infection holds it there."""
        body = self.x["fast"]
        rise = max(temperature - float(body[:, fast.CORE].mean() - body[:, fast.FEVER].mean()), 0.0)
        held = inflammation_of(rise)
        body[:, fast.FEVER] += rise - body[:, fast.FEVER].mean()
        body[:, fast.INFLAMMATION] += held - body[:, fast.INFLAMMATION].mean()
        self.plan.infection[m:] = np.maximum(self.plan.infection[m:], held)

    def _move_circadian(self, normal: Array) -> None:
        w, minutes = self.room.circadian, float(CIRCADIAN_MINUTES)
        sun = schedule.light_at_eye(local_hour(self.record, self.now + self.shift_s), self.asleep)
        w.inputs[circadian.LIGHT] = or_usual(self.record, c_.LIGHT, self.now, sun)
        w.inputs[circadian.ASLEEP] = self.asleep
        mean, noise = self.x["circadian"].mean(axis=(0, 2)), np.zeros((circadian.N, circadian.N))
        circadian.add_process_noise(mean, noise, minutes, w.inputs)
        circadian.add_parameter_noise(noise, minutes / 1440.0)
        add_homeostat_noise(mean, noise, minutes, self.asleep)
        self._shake("circadian", noise, normal)
        x, _, seen = self._flat("circadian")
        advance_circadian(x, w.inputs, self.k["circadian"], minutes, seen, self.work["circadian"])

    def _usual_fast(self, m: int) -> Vector:
        """Inputs of block F that all samples share."""
        base, plan = self.room.fast.inputs, self.plan
        fast_inputs(self.record, self.now, True, base)
        base[_FAST["infection"]] = plan.infection[m]
        if self._moving(m):
            air = or_usual(self.record, c_.AMBIENT, self.now, schedule.ROOM)
            for name, value in (
                ("met", plan.met[m]), ("measured", 1.0), ("efficiency", plan.efficiency[m]),
                ("posture", plan.posture[m]), ("asleep", 0.0), ("ambient_temperature", air), ("site_temperature", air),
                ("clothing", or_usual(self.record, c_.CLOTHING, self.now, schedule.clothing(0.0))),
            ):  # fmt: skip
                base[_FAST[name]] = value
        return base

    def _move_fast(self, m: int, normal: Array) -> None:
        base = self._usual_fast(m)
        mean, noise = self.x["fast"].mean(axis=(0, 2)), np.zeros((fast.N, fast.N))
        fast.add_process_noise(mean, noise, 1.0, base)
        add_sleep_noise(mean, noise, 1.0, self.asleep)
        self._shake("fast", noise, normal)
        u = self.u["fast"]
        u[:] = base[None, :, None]
        u[:, _FAST["clock"]] = self.of("circadian", "circadian")
        u[:, _FAST["clock_quadrature"]] = self.of("circadian", "quadrature")
        u[:, _FAST["fed"]] = np.clip(self.of("metabolic", "fed"), 0.0, 1.0)
        u[:, _FAST["dehydration"]] = np.maximum(self.of("slow", "dehydration") - HARMLESS_DEFICIT, 0.0)
        u[:, _FAST["weight"]] = np.clip(self.of("slow", "weight"), 25.0, 400.0)
        x, inputs, seen = self._flat("fast")
        advance_fast(x, inputs, self.k["fast"], 1.0, seen, self.work["fast"])

    def _move_metabolic(self, m: int, normal: Array) -> None:
        base, k, record = self.room.metabolic.inputs, self.k["metabolic"], self.record
        metabolic_inputs(record, self.now, base)
        mean, noise = self.x["metabolic"].mean(axis=(0, 2)), np.zeros((metabolic.N, metabolic.N))
        metabolic.add_process_noise(mean, noise, 1.0, base, k)
        self._shake("metabolic", noise, normal)
        eat(record, self.now - MINUTE_S, self.now, base)
        eaten = (
            1000.0 * float(self.plan.carbohydrate[max(m - MEAL_MINUTES + 1, 0) : m + 1].sum()) / MEAL_MINUTES
        )
        told = eaten * (1.0 + DOSE_UNCERTAINTY * self.misjudged[0])
        quick = eaten * FAST_SHARE_SD * self.misjudged[1]
        x = self.x["metabolic"]
        x[:, metabolic.GUT] += quick
        x[:, metabolic.STOMACH] -= quick
        u, ill = self.u["metabolic"], self.x["fast"]
        u[:] = base[None, :, None]
        u[:, metabolic.INTAKE] += told
        u[:, metabolic.INTENSITY] = np.maximum(self.of("fast", "exercise_fraction"), 0.0)
        fill_insulin_factor(
            self.of("circadian", "tolerance"), self.of("slow", "fat_sensitivity"), ill[:, fast.INFLAMMATION],
            ill[:, fast.AROUSAL], u[:, metabolic.FACTOR],
        )  # fmt: skip
        flat, inputs, seen = self._flat("metabolic")
        advance_metabolic(flat, inputs, k, 1.0, seen, self.work["metabolic"])

    def _move_slow(self, normal: Array) -> None:
        base, minutes = self.room.slow.inputs, float(SLOW_MINUTES)
        slow_inputs(self.record, self.now, base)
        mean, noise = self.x["slow"].mean(axis=(0, 2)), np.zeros((slow.N, slow.N))
        slow.add_process_noise(mean, noise, minutes, base)
        slow.add_parameter_noise(noise, minutes / 1440.0)
        self._shake("slow", noise, normal)
        u = self.u["slow"]
        u[:] = base[None, :, None]
        u[:, _SLOW["asleep"]], u[:, _SLOW["drinking_known"]] = self.asleep, 0.0  # ahead one drinks by habit
        u[:, _SLOW["measured"]] = self.exercised / minutes  # else habit is the better guess of what is burnt
        u[:, _SLOW["expenditure"]] = self.energy / max(self.exercised, 1)
        u[:, _SLOW["sweat"]], u[:, _SLOW["training_impulse"]] = (
            self.sweat / minutes * 60.0,
            self.impulse / minutes,
        )
        x, inputs, seen = self._flat("slow")
        advance_slow(x, inputs, self.k["slow"], minutes, seen, self.work["slow"])
        for total in (self.energy, self.sweat, self.impulse):
            total[:] = 0.0
        self.exercised = 0


def run(
    begin: Start, plans: Sequence[Plan], minutes: int, rng: np.random.Generator
) -> Iterator[tuple[Course, ...]]:
    """All scenarios side by side, a minute at a time, first at the head; plans are of at least so many minutes."""
    courses = tuple(Course(begin, plan) for plan in plans)
    count = courses[0].groups * GROUP
    yield courses
    for _ in range(minutes):
        normal = {name: mirrored(rng, block.N, count) for name, (block, *_) in r_.BLOCKS.items()}
        for course in courses:
            course.minute(normal)
        yield courses
