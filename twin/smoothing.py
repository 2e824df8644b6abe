"""Smooth one person's ticks backwards: each tick's moves are run again from the record before it, with their gains noted.

The blocks exchange filtered means, as they did on the way forward. What jumps at a tick is undone before its move is: a dose
(a known shift with noise of its own) and a new device (its bias states began anew). A block that started at a tick, and a
clock that began again after 90 days, say nothing of the time before.
"""

from typing import NamedTuple

import numpy as np

from twin import channels as c_
from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.blocks.metabolic import BODY as METABOLIC_BODY  # by name: a count must be a constant of this module
from twin.filter.smooth import MOVED, READY, Link, divide, link_room, step_back, unlearn
from twin.fold import move_circadian, move_fast, move_metabolic, move_slow
from twin.jit import kernel, values_of
from twin.predict import LONGEST_GAP_S
from twin.shapes import Integers, Matrix, Record, Records, Vector
from twin.summary import covariance_of, mean_of, summarise
from twin.take import SKIN_OFFSET_SD, expose, hold_input, take_dose
from twin.workspace import Rooms, rooms


class Smoothed(NamedTuple):
    """Mean and covariance of every block at the tick that is being smoothed."""

    fast_mean: Vector
    fast: Matrix
    metabolic_mean: Vector
    metabolic: Matrix
    circadian_mean: Vector
    circadian: Matrix
    slow_mean: Vector
    slow: Matrix


@kernel
def adopt(record: Record, smooth: Smoothed) -> None:
    """What the filter says, where nothing later is known: at the last tick."""
    smooth.fast_mean[:] = mean_of(record, r_.FAST_MEAN, fast.N)
    smooth.fast[:, :] = covariance_of(record, r_.FAST_COVARIANCE, fast.N)
    smooth.metabolic_mean[:] = mean_of(record, r_.METABOLIC_MEAN, metabolic.N)
    smooth.metabolic[:, :] = covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)
    smooth.circadian_mean[:] = mean_of(record, r_.CIRCADIAN_MEAN, circadian.N)
    smooth.circadian[:, :] = covariance_of(record, r_.CIRCADIAN_COVARIANCE, circadian.N)
    smooth.slow_mean[:] = mean_of(record, r_.SLOW_MEAN, slow.N)
    smooth.slow[:, :] = covariance_of(record, r_.SLOW_COVARIANCE, slow.N)


@kernel
def tell(record: Record, smooth: Smoothed) -> None:
    """Write the smoothed blocks into a record."""
    mean_of(record, r_.FAST_MEAN, fast.N)[:] = smooth.fast_mean
    covariance_of(record, r_.FAST_COVARIANCE, fast.N)[:, :] = smooth.fast
    mean_of(record, r_.METABOLIC_MEAN, metabolic.N)[:] = smooth.metabolic_mean
    covariance_of(record, r_.METABOLIC_COVARIANCE, metabolic.N)[:, :] = smooth.metabolic
    mean_of(record, r_.CIRCADIAN_MEAN, circadian.N)[:] = smooth.circadian_mean
    covariance_of(record, r_.CIRCADIAN_COVARIANCE, circadian.N)[:, :] = smooth.circadian
    mean_of(record, r_.SLOW_MEAN, slow.N)[:] = smooth.slow_mean
    covariance_of(record, r_.SLOW_COVARIANCE, slow.N)[:, :] = smooth.slow


@kernel
def undo_dose(
    after: Record,
    moved: Record,
    scratch: Record,
    channel: int,
    value: float,
    smooth: Smoothed,
    factor: Matrix,
    link: Link,
) -> None:
    """From after a meal or bolus to before it: x' = x + d + noise, so G = (P' - D) (P')^-1.

    `after` is the record after the dose and becomes that before it; `moved` is that before any dose of the tick, which
    says what was still being eaten; `scratch`, `factor` and `link` are overwritten.
    """
    scratch[:] = after
    shift = mean_of(scratch, r_.METABOLIC_MEAN, metabolic.N)
    noise = covariance_of(scratch, r_.METABOLIC_COVARIANCE, metabolic.N)
    shift[:], noise[:, :] = 0.0, 0.0
    if channel == c_.CARBOHYDRATE:
        scratch[r_.MEAL_MG], scratch[r_.CARBOHYDRATE_S] = moved[r_.MEAL_MG], moved[r_.CARBOHYDRATE_S]
    take_dose(scratch, channel, value, after[r_.HEAD_S])
    mean = mean_of(after, r_.METABOLIC_MEAN, metabolic.N)
    covariance = covariance_of(after, r_.METABOLIC_COVARIANCE, metabolic.N)
    link.mean[:], link.covariance[:, :] = mean, covariance
    mean -= shift
    covariance -= noise
    link.gain[:, :] = covariance
    divide(link.gain, link.covariance, factor)
    step_back(mean, covariance, smooth.metabolic_mean, smooth.metabolic, link)


@kernel
def forget_device(record: Record, channel: int, source: float, room: Rooms) -> None:
    """What take.meet_device did to the filter, done to the links."""
    known = record[r_.SOURCE + channel]
    if source == 0.0 or source == known:
        return
    record[r_.SOURCE + channel] = source
    if known == 0.0:
        return
    if channel == c_.GLUCOSE and room.metabolic.link.status[0] == MOVED:
        w = room.metabolic
        body = metabolic.Body(*values_of(record[r_.METABOLIC_BODY : r_.CIRCADIAN_BODY], METABOLIC_BODY))
        error, driver = metabolic.sensor_variance(body)
        unlearn(metabolic.SENSOR_ERROR, 0.0, error, w.factor, w.link)
        unlearn(metabolic.SENSOR_DRIVER, 0.0, driver, w.factor, w.link)
    elif channel == c_.SKIN_TEMPERATURE and room.fast.link.status[0] == MOVED:
        unlearn(fast.SITE_OFFSET, 0.0, SKIN_OFFSET_SD**2, room.fast.factor, room.fast.link)


@kernel
def smooth_ticks(
    before: Record, kept: Records, first: int, last: int, tick_s: Vector, obs_start: Integers, obs_channel: Integers,
    obs_value: Vector, obs_source: Vector, smooth: Smoothed, estimates: Records,
) -> None:  # fmt: skip
    """Smooth ticks last - 1 down to `first` of one person.

    Args:
        before: the record before tick `first` (SIZE,).
        kept: the filter's record after each of the ticks (last - first, SIZE).
        first, last: the ticks, as positions in tick_s.
        tick_s, obs_start, obs_channel, obs_value, obs_source: as in `fold`.
        smooth: smoothed blocks after tick last - 1; becomes those of `before`.
        estimates: filled at these ticks (t, summary.ESTIMATE_SIZE).

    """
    room = rooms()
    record, after, scratch = np.zeros(r_.SIZE), np.zeros(r_.SIZE), np.zeros(r_.SIZE)
    undoing = link_room(metabolic.N)
    for tick in range(last - 1, first - 1, -1):
        now = tick_s[tick]
        earlier = before if tick == first else kept[tick - first - 1]
        record[:] = earlier
        _move_again(record, now, tick, obs_start, obs_channel, obs_value, room)
        # The record as the fold summarises it: moved, doses taken, the blocks' exchange of this tick still to come.
        scratch[:] = record
        for j in range(obs_start[tick], obs_start[tick + 1]):
            if c_.FIRST_EVENT <= obs_channel[j] < c_.FIRST_HELD:
                take_dose(scratch, obs_channel[j], obs_value[j], now)
        tell(scratch, smooth)
        summarise(scratch, now, room, estimates[tick])
        after[:] = kept[tick - first]
        for j in range(obs_start[tick + 1] - 1, obs_start[tick] - 1, -1):
            if obs_channel[j] == c_.CARBOHYDRATE or obs_channel[j] == c_.BOLUS:
                undo_dose(
                    after,
                    record,
                    scratch,
                    obs_channel[j],
                    obs_value[j],
                    smooth,
                    room.metabolic.factor,
                    undoing,
                )
        for j in range(obs_start[tick], obs_start[tick + 1]):
            if obs_channel[j] < c_.FIRST_EVENT:
                forget_device(record, obs_channel[j], obs_source[j], room)
        if room.fast.link.status[0] == MOVED:
            step_back(
                mean_of(earlier, r_.FAST_MEAN, fast.N), covariance_of(earlier, r_.FAST_COVARIANCE, fast.N),
                smooth.fast_mean, smooth.fast, room.fast.link,
            )  # fmt: skip
        if room.metabolic.link.status[0] == MOVED:
            step_back(
                mean_of(earlier, r_.METABOLIC_MEAN, metabolic.N),
                covariance_of(earlier, r_.METABOLIC_COVARIANCE, metabolic.N),
                smooth.metabolic_mean, smooth.metabolic, room.metabolic.link,
            )  # fmt: skip
        if room.circadian.link.status[0] == MOVED:
            step_back(
                mean_of(earlier, r_.CIRCADIAN_MEAN, circadian.N),
                covariance_of(earlier, r_.CIRCADIAN_COVARIANCE, circadian.N),
                smooth.circadian_mean, smooth.circadian, room.circadian.link,
            )  # fmt: skip
        elif now - earlier[r_.CIRCADIAN_S] > LONGEST_GAP_S:  # the clock began again
            smooth.circadian_mean[:] = mean_of(earlier, r_.CIRCADIAN_MEAN, circadian.N)
            smooth.circadian[:, :] = covariance_of(earlier, r_.CIRCADIAN_COVARIANCE, circadian.N)
        if room.slow.link.status[0] == MOVED:
            step_back(
                mean_of(earlier, r_.SLOW_MEAN, slow.N), covariance_of(earlier, r_.SLOW_COVARIANCE, slow.N),
                smooth.slow_mean, smooth.slow, room.slow.link,
            )  # fmt: skip


@kernel
def _move_again(
    record: Record,
    now: float,
    tick: int,
    obs_start: Integers,
    obs_channel: Integers,
    obs_value: Vector,
    room: Rooms,
) -> None:
    """The moves of fold_person at a tick, noting the links."""
    before_s = record[r_.HEAD_S]
    if before_s == r_.NEVER:
        before_s = now
    f_wanted, g_wanted, s_wanted = False, False, False
    for j in range(obs_start[tick], obs_start[tick + 1]):
        channel = obs_channel[j]
        hold_input(record, channel, obs_value[j], now)
        f_wanted = f_wanted or channel < c_.FIRST_METABOLIC
        g_wanted = g_wanted or c_.FIRST_METABOLIC <= channel < c_.FIRST_SLOW
        g_wanted = g_wanted or channel == c_.CARBOHYDRATE or channel == c_.BOLUS
        s_wanted = s_wanted or c_.FIRST_SLOW <= channel < c_.FIRST_EVENT
    expose(record, now)
    room.fast.link.status[0], room.metabolic.link.status[0] = READY, READY
    room.circadian.link.status[0], room.slow.link.status[0] = READY, READY
    move_circadian(record, before_s, now, room)
    move_fast(record, now, f_wanted, room)
    move_metabolic(record, now, g_wanted, room)
    move_slow(record, now, s_wanted, room)


def smoothed_room() -> Smoothed:
    """Room for the smoothed blocks."""
    f, g, c, s = fast.N, metabolic.N, circadian.N, slow.N
    return Smoothed(
        np.zeros(f), np.zeros((f, f)), np.zeros(g), np.zeros((g, g)), np.zeros(c), np.zeros((c, c)), np.zeros(s),
        np.zeros((s, s)),
    )  # fmt: skip
