"""The same twin run by filterpy: an independent judge of the filter's algebra, never in the hot path.

It shares the equations with the product and nothing of the filter: sigma points, unscented transform and update are
filterpy's (Labbe R, filterpy, MerweScaledSigmaPoints with alpha 1, beta 0, kappa 0).
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter
from scipy.linalg import cholesky

from twin import channels as c_
from twin import inputs as i_
from twin import observe as o_
from twin import observe_glucose as g_
from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.exchange import add_homeostat_noise, add_intensity_noise, add_sleep_noise
from twin.filter.correct import GATE
from twin.filter.points import JITTER
from twin.fold import CIRCADIAN_STALE_S, LONGEST_PAUSE_S, METABOLIC_STALE_S, SLOW_STALE_S
from twin.physiology.sleep import wake_drive
from twin.predict import CHUNK_S, HOUR_S, LONG_GAP_S, LONGEST_GAP_S
from twin.profile import Profile
from twin.shapes import Integers, Matrix, Record, Vector
from twin.sleep import CLOCK_WEIGHT, FALLS_ASLEEP, SURE, THRESHOLD_VARIANCE, WAKES
from twin.summary import ESTIMATE_SIZE, summarise
from twin.take import expose, hold_input, meet_device, take_dose, tell_blocks
from twin.workspace import Work, rooms


def jittered(matrix: Matrix) -> Matrix:
    """The upper factor of the matrix with the product's jitter on its diagonal."""
    factor: Matrix = cholesky(matrix + JITTER * np.diag(np.diag(matrix)))
    return factor


class Judge:
    """One block under filterpy; mean and covariance are views of the record, so that the product's inputs see them."""

    def __init__(self, record: Record, name: str, body: slice, work: Work) -> None:
        self.module, mean, covariance, self.time_at = r_.BLOCKS[name]
        n = self.n = self.module.N
        self.record, self.name, self.k, self.work = record, name, record[body], work
        self.mean = record[mean : mean + n]
        self.covariance = record[covariance : covariance + n * n].reshape(n, n)
        points = MerweScaledSigmaPoints(n, alpha=1.0, beta=0.0, kappa=0.0, sqrt_method=jittered)
        self.ukf = UnscentedKalmanFilter(dim_x=n, dim_z=1, dt=1.0, hx=None, fx=None, points=points)

    def _draw(self) -> None:
        """filterpy's points into the room, in the product's order; the places that are left repeat the mean."""
        sigmas = self.ukf.points_fn.sigma_points(self.mean.copy(), self.covariance.copy())
        flat = self.work.points.reshape(self.n, self.module.STRIDE)
        flat[:] = sigmas[0][:, None]
        flat[:, : 2 * self.n] = sigmas[1:].T

    def _rows(self, values: Any) -> Iterator[Any]:
        """Values of the places in filterpy's order: the mean (the last place), then the others."""
        yield values[..., -1]
        for j in range(2 * self.n):
            yield values[..., j]

    def predict(self, from_s: float, to_s: float, chunk_s: float, fill: Callable[[float], None]) -> None:
        """Carry the block forward in chunks; `fill` puts the inputs of a time into the room."""
        module, w = self.module, self.work
        while from_s < to_s:
            until = min(from_s + chunk_s, to_s)
            minutes = (until - from_s) / 60.0
            fill(until)
            if module is metabolic:
                self._move_metabolic(from_s, until)
            else:
                self._move(minutes)
                module.add_process_noise(self.mean, self.covariance, minutes, w.inputs)
            if module is fast:
                add_sleep_noise(self.mean, self.covariance, minutes, float(w.inputs[2]))
            if module is circadian:
                add_homeostat_noise(self.mean, self.covariance, minutes, float(w.inputs[1]))
            if module in (circadian, slow):
                module.add_parameter_noise(self.covariance, minutes / 1440.0)
            from_s = until

    def _move(self, minutes: float, *step: float) -> None:
        """Points through the block's equations, their moments by filterpy."""
        w, module = self.work, self.module
        self._draw()
        module.advance(w.points, minutes, w.inputs, self.k, w.slopes, w.trial, w.total, *step)
        moved = self._rows(w.points.reshape(self.n, module.STRIDE).copy())
        self.ukf.x, self.ukf.P, self.ukf.Q = self.mean.copy(), self.covariance.copy(), np.zeros((self.n,) * 2)
        self.ukf.predict(dt=minutes, fx=lambda _x, _dt: next(moved))
        self.mean[:], self.covariance[:] = self.ukf.x, self.ukf.P

    def _move_metabolic(self, from_s: float, to_s: float) -> None:
        """Block G: process noise by Simpson's rule over two pieces, or half before and half after one short piece."""
        minutes, w = (to_s - from_s) / 60.0, self.work
        pieces = 2 if minutes > metabolic.STEP_MINUTES else 1
        shares = np.array([1.0, 4.0, 1.0]) / 6.0 if pieces == 2 else np.array([0.5, 0.5])
        metabolic.add_process_noise(self.mean, self.covariance, shares[0] * minutes, w.inputs, self.k)
        for share in shares[1:].tolist():
            until = from_s + (to_s - from_s) / 2.0 if pieces == 2 and share > 0.5 else to_s
            i_.eat(self.record, from_s, until, w.inputs)
            self._move((until - from_s) / 60.0, metabolic.STEP_MINUTES)
            metabolic.add_process_noise(self.mean, self.covariance, share * minutes, w.inputs, self.k)
            from_s = until
        add_intensity_noise(self.covariance, minutes, self.record)

    def correct(
        self,
        value: float,
        noise: float | Callable[[], float],
        expect: Callable[[], None],
        at_least: bool = False,
    ) -> float:
        """Assimilate one value; `expect` leaves what the points would read in the room. Returns the innovation in sd."""
        self._draw()
        expect()
        expected = self.work.expected[: 2 * self.n].copy()
        variance_of_reading = noise if isinstance(noise, float) else noise()
        if at_least:
            told, value, variance_of_reading = o_.censored(
                c_.CENSORED_HIGH, self.work.expected, 2 * self.n, value, variance_of_reading
            )
            if not told:
                return 0.0
        variance = float(np.mean((expected - expected.mean()) ** 2)) + variance_of_reading
        surprise = (value - float(expected.mean())) / float(np.sqrt(variance))
        if abs(surprise) > GATE:
            variance_of_reading += variance * (surprise**2 / GATE**2 - 1.0)
        ukf = self.ukf
        ukf.x, ukf.P = self.mean.copy(), self.covariance.copy()
        ukf.sigmas_f = ukf.points_fn.sigma_points(ukf.x, ukf.P)
        seen = self._rows(self.work.expected.copy())
        ukf.update(
            np.array([value]), R=np.array([[variance_of_reading]]), hx=lambda _x: np.array([next(seen)])
        )
        self.mean[:], self.covariance[:] = ukf.x, ukf.P
        return surprise


class ReferenceTwin:
    """One twin; `record` has the product's layout."""

    def __init__(self, profile: Profile) -> None:
        self.record = record = r_.genesis(profile)
        self.rooms = rooms()
        self.fast = Judge(record, "fast", slice(r_.FAST_BODY, r_.METABOLIC_BODY), self.rooms.fast)
        self.metabolic = Judge(
            record, "metabolic", slice(r_.METABOLIC_BODY, r_.CIRCADIAN_BODY), self.rooms.metabolic
        )
        self.circadian = Judge(
            record, "circadian", slice(r_.CIRCADIAN_BODY, r_.SLOW_BODY), self.rooms.circadian
        )
        self.slow = Judge(record, "slow", slice(r_.SLOW_BODY, r_.EXPOSURE_BODY), self.rooms.slow)
        self.surprises: list[float] = []
        self.estimate = np.zeros(ESTIMATE_SIZE)

    def _after_gap(self, judge: Judge, now: float) -> float:
        at = float(self.record[judge.time_at])
        if now - at > LONG_GAP_S:
            extra = (judge.k,) if judge.module is metabolic else ()
            judge.module.add_parameter_noise(judge.covariance, (now - LONG_GAP_S - at) / 86400.0, *extra)
            return now - LONG_GAP_S
        return at

    def _move_circadian(self, before_s: float, now: float) -> None:
        record, judge, u = self.record, self.circadian, self.rooms.circadian.inputs
        i_.weigh_sleep(record, before_s, now)
        at = record[r_.CIRCADIAN_S]
        if now - at > LONGEST_GAP_S:
            i_.circadian_inputs(record, now, u)
            circadian.start(judge.mean, judge.covariance, judge.k, u, i_.local_hour(record, now))
            record[r_.WAS_ASLEEP] = float(record[r_.SLEEP_LOGIT] > 0.0)
            record[r_.CIRCADIAN_S] = now
        elif now - at >= CIRCADIAN_STALE_S:
            judge.predict(at, now, HOUR_S, lambda until: i_.circadian_inputs(record, until, u))
            record[r_.CIRCADIAN_S] = now
            asleep, logit = record[r_.WAS_ASLEEP] > 0.5, record[r_.SLEEP_LOGIT]
            if i_.held(record, c_.ASLEEP, now, 3600.0, False) and (logit < -SURE if asleep else logit > SURE):
                judge.correct(WAKES if asleep else FALLS_ASLEEP, THRESHOLD_VARIANCE, self._expect_threshold)
                record[r_.WAS_ASLEEP] = float(not asleep)

    def _expect_threshold(self) -> None:
        x, xc, _, homeostat, *_ = self.rooms.circadian.points.reshape(circadian.N, circadian.STRIDE)
        drive = np.array([wake_drive(a, b) for a, b in zip(x.tolist(), xc.tolist(), strict=True)])
        self.rooms.circadian.expected[:] = homeostat - CLOCK_WEIGHT * drive

    def _move_fast(self, now: float, wanted: bool) -> None:
        record, judge, u = self.record, self.fast, self.rooms.fast.inputs
        if record[r_.FAST_S] > r_.NEVER:
            begin_s = self._after_gap(judge, now)
            judge.predict(begin_s, now, CHUNK_S, lambda until: i_.fast_inputs(record, until, False, u))
            record[r_.FAST_S] = now
        elif wanted:
            i_.fast_inputs(record, now, False, u)
            fast.start(judge.mean, judge.covariance, judge.k, u)
            record[r_.FAST_S] = now

    def _move_metabolic(self, now: float, wanted: bool) -> None:
        record, judge, u = self.record, self.metabolic, self.rooms.metabolic.inputs
        if record[r_.METABOLIC_S] > r_.NEVER:
            if wanted or now - record[r_.METABOLIC_S] >= METABOLIC_STALE_S:
                begin_s = self._after_gap(judge, now)
                judge.predict(begin_s, now, CHUNK_S, lambda until: i_.metabolic_inputs(record, until, u))
                record[r_.METABOLIC_S] = now
        elif wanted:
            i_.metabolic_inputs(record, now, u)
            metabolic.start(judge.mean, judge.covariance, judge.k, u)
            record[r_.METABOLIC_S] = now

    def _move_slow(self, now: float, wanted: bool) -> None:
        record, judge, u = self.record, self.slow, self.rooms.slow.inputs
        at = record[r_.SLOW_S]
        if at > r_.NEVER:
            if not wanted and now - at < SLOW_STALE_S:
                return
            i_.slow_inputs(record, now, u)
            judge.predict(at, now, 24.0 * HOUR_S, lambda _: None)
        elif wanted or record[r_.FAST_S] > r_.NEVER:
            i_.slow_inputs(record, now, u)
            slow.start(judge.mean, judge.covariance, judge.k, u)
        else:
            return
        record[r_.SLOW_S] = now
        record[[r_.ENERGY_KCAL, r_.SWEAT_L, r_.IMPULSE, r_.SINCE_MIN, r_.DRUNK_L]] = 0.0

    def _correct(self, channel: int, value: float, now: float) -> float:
        record = self.record
        if channel < c_.FIRST_METABOLIC:
            w, nightly = self.rooms.fast, bool(o_.is_nightly(record, channel, now))

            def noise() -> float:
                asleep = float(w.inputs[2])
                return float(o_.fast_noise(channel, value, nightly, now, record, self.fast.mean, asleep))

            def expect() -> None:
                o_.expect_fast(channel, nightly, now, record, False, w)

            if channel == c_.ACTIVE_ENERGY:
                return math.nan
            if channel == c_.SPO2 and value >= o_.FULL_SATURATION:
                return self.fast.correct(o_.FULL_SATURATION, noise, expect, at_least=True)
            seen = float(np.log(max(value, 1.0))) if channel == c_.RMSSD else value
            return self.fast.correct(seen, noise, expect)
        if channel < c_.FIRST_SLOW:
            own = g_.glucose_noise(value) if channel == c_.GLUCOSE else g_.meter_noise(value)
            room = self.rooms.metabolic
            surprise = self.metabolic.correct(
                value, float(own), lambda: g_.expect_metabolic(channel, now, record, room)
            )
            metabolic.keep_within(self.metabolic.mean)
            if channel == c_.GLUCOSE:
                g_.learn_flux(record, self.metabolic.mean, self.metabolic.covariance, now, room)
                g_.note_surprise(record, surprise, now)
            return surprise
        own = o_.slow_noise(channel, now, record)
        return self.slow.correct(value, float(own), lambda: self._expect_slow(channel, now))

    def _expect_slow(self, channel: int, now: float) -> None:
        w = self.rooms.slow
        i_.slow_inputs(self.record, now, w.inputs)
        slow.observe(w.points, w.seen, w.inputs, self.slow.k)
        o_.expect_slow(channel, self.record, w)

    def tick(self, now: float, channels: Integers, values: Vector, devices: Vector) -> None:
        """One tick, as twin.fold does it, of plain readings: none censored, none with a noise of its own."""
        record = self.record
        before_s = now if record[r_.HEAD_S] == r_.NEVER else float(record[r_.HEAD_S])
        for channel, value in zip(channels.tolist(), values.tolist(), strict=True):
            hold_input(record, channel, value, now)
        of_g = (channels >= c_.FIRST_METABOLIC) & (channels < c_.FIRST_SLOW)
        expose(record, now)
        self._move_circadian(before_s, now)
        self._move_fast(now, bool((channels < c_.FIRST_METABOLIC).any()))
        self._move_metabolic(now, bool((of_g | np.isin(channels, (c_.CARBOHYDRATE, c_.BOLUS))).any()))
        self._move_slow(now, bool(((channels >= c_.FIRST_SLOW) & (channels < c_.FIRST_EVENT)).any()))
        for channel, value, device in zip(channels.tolist(), values.tolist(), devices.tolist(), strict=True):
            if channel < c_.FIRST_EVENT:
                meet_device(record, channel, device)
                self.surprises.append(self._correct(channel, value, now))
                record[r_.PAUSE_S + channel] = min(now - record[r_.LAST_S + channel], LONGEST_PAUSE_S)
                record[r_.LAST_S + channel] = now
            elif channel < c_.FIRST_HELD:
                take_dose(record, channel, value, now)
        record[r_.HEAD_S] = now
        summarise(record, now, self.rooms, self.estimate)
        tell_blocks(record, before_s, now, self.estimate)
