"""The same twin run by filterpy: an independent judge of the filter's algebra, never in the hot path.

It shares the equations with the product and nothing of the filter: sigma points, unscented transform and update are
filterpy's (Labbe R, filterpy, MerweScaledSigmaPoints with alpha 1, beta 0, kappa 0).
"""

import numpy as np
from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter
from scipy.linalg import cholesky

from twin import fast_block as fast
from twin import metabolic_block as metabolic
from twin import observe as o_
from twin import record as r_
from twin.constants import Profile
from twin.filter.correct import GATE
from twin.filter.points import JITTER
from twin.fold import METABOLIC_STALE_S, hold_input, take_dose
from twin.inputs import fast_inputs, metabolic_inputs
from twin.predict import CHUNK_S, LONG_GAP_S
from twin.shapes import Integers, Matrix, Vector


def jittered(matrix: Matrix) -> Matrix:
    """The upper factor of the matrix with the product's jitter on its diagonal."""
    factor: Matrix = cholesky(matrix + JITTER * np.diag(np.diag(matrix)))
    return factor


class ReferenceTwin:
    """One twin; `record` has the product's layout."""

    def __init__(self, profile: Profile) -> None:
        self.record = r_.genesis(profile)
        self.k = self.record[r_.CONSTANTS : r_.FAST_MEAN]
        self.fast = self._filter(fast.N)
        self.metabolic = self._filter(metabolic.N)
        self.work = np.zeros((6, fast.N * fast.STRIDE))
        self.more = np.zeros((6, metabolic.N * metabolic.STRIDE))
        self.surprises: list[float] = []

    @staticmethod
    def _filter(n: int) -> UnscentedKalmanFilter:
        points = MerweScaledSigmaPoints(n, alpha=1.0, beta=0.0, kappa=0.0, sqrt_method=jittered)
        return UnscentedKalmanFilter(dim_x=n, dim_z=1, dt=1.0, hx=None, fx=None, points=points)

    def _predict(self, now: float, block: str) -> None:
        is_fast = block == "fast"
        at = self.record[r_.FAST_S if is_fast else r_.METABOLIC_S]
        ukf = self.fast if is_fast else self.metabolic
        module = fast if is_fast else metabolic
        if now - at > LONG_GAP_S:
            module.add_parameter_noise(ukf.P, (now - at - LONG_GAP_S) / 86400.0)
            at = now - LONG_GAP_S
        while at < now:
            until = min(at + CHUNK_S, now)
            minutes = (until - at) / 60.0
            u = np.zeros(module.INPUTS)
            if is_fast:
                fast_inputs(self.record, until, False, u)
            else:
                metabolic_inputs(self.record, until, u)
            ukf.Q = np.zeros_like(ukf.P)
            ukf.predict(dt=minutes, fx=lambda x, dt, u=u: self._advance(x, dt, u, is_fast))
            if is_fast:
                fast.add_process_noise(ukf.P, minutes, u)
            else:
                metabolic.add_process_noise(ukf.x, ukf.P, minutes)
            at = until
        self.record[r_.FAST_S if is_fast else r_.METABOLIC_S] = now

    def _advance(self, x: Vector, minutes: float, u: Vector, is_fast: bool) -> Vector:
        if is_fast:
            points, w = np.repeat(x, fast.STRIDE), self.work
            fast.advance(points, minutes, u, self.k, w[1], w[2], w[3], w[4], w[5])
            return points[:: fast.STRIDE].copy()
        points, w = np.repeat(x, metabolic.STRIDE), self.more
        metabolic.advance(points, minutes, u, self.k, w[1], w[2], w[3], metabolic.STEP_MINUTES)
        return points[:: metabolic.STRIDE].copy()

    def _expect(self, x: Vector, channel: int, now: float) -> Vector:
        if channel == o_.HEART_RATE:
            o_.expect_heart_rate(np.repeat(x, fast.STRIDE), now, self.record, False, self.work)
            return self.work[4][:1].copy()
        points = np.repeat(x, metabolic.STRIDE)
        if channel == o_.GLUCOSE:
            o_.expect_glucose(points, self.more[4])
        else:
            o_.expect_plasma_glucose(points, self.k, self.more[4])
        return self.more[4][:1].copy()

    def _correct(self, channel: int, value: float, now: float) -> None:
        ukf = self.fast if channel == o_.HEART_RATE else self.metabolic
        if channel == o_.HEART_RATE:
            noise = o_.heart_rate_noise(ukf.x[fast.DRIVE])
        else:
            noise = o_.glucose_noise(value) if channel == o_.GLUCOSE else o_.meter_noise(value)
        points = ukf.points_fn.sigma_points(ukf.x, ukf.P)
        expected = np.array([self._expect(point, channel, now)[0] for point in points])
        centre = float(ukf.Wm @ expected)
        variance = float(ukf.Wc @ (expected - centre) ** 2) + noise
        surprise = (value - centre) / np.sqrt(variance)
        if abs(surprise) > GATE:
            noise += variance * (surprise**2 / GATE**2 - 1.0)
        ukf.sigmas_f = points
        ukf.update(np.array([value]), R=np.array([[noise]]), hx=lambda x: self._expect(x, channel, now))
        self.surprises.append(float(surprise))

    def tick(self, now: float, channels: Integers, values: Vector) -> None:
        """One tick, as twin.fold does it."""
        doses = (o_.CARBOHYDRATE, o_.BOLUS)
        for channel, value in zip(channels.tolist(), values.tolist(), strict=True):
            hold_input(self.record, channel, value, now)
        if self.record[r_.FAST_S] > r_.NEVER:
            self._predict(now, "fast")
        elif (channels == o_.HEART_RATE).any():
            fast.start(self.fast.x, self.fast.P, self.k)
            self.record[r_.FAST_S] = now
        self._store()
        wanted = np.isin(channels, (o_.GLUCOSE, o_.GLUCOSE_BGM, *doses)).any()
        if self.record[r_.METABOLIC_S] > r_.NEVER:
            if wanted or now - self.record[r_.METABOLIC_S] >= METABOLIC_STALE_S:
                self._predict(now, "metabolic")
        elif wanted:
            metabolic.start(self.metabolic.x, self.metabolic.P, self.k)
            self.record[r_.METABOLIC_S] = now
        for channel, value in zip(channels.tolist(), values.tolist(), strict=True):
            if channel in (o_.HEART_RATE, o_.GLUCOSE, o_.GLUCOSE_BGM):
                self._correct(channel, value, now)
            elif channel in doses:
                take_dose(self.record, self.metabolic.x, self.metabolic.P, channel, value, now)
        self.record[r_.HEAD_S] = now
        self._store()

    def _store(self) -> None:
        record = self.record
        record[r_.FAST_MEAN : r_.FAST_COVARIANCE] = self.fast.x
        record[r_.FAST_COVARIANCE : r_.METABOLIC_MEAN] = self.fast.P.ravel()
        record[r_.METABOLIC_MEAN : r_.METABOLIC_COVARIANCE] = self.metabolic.x
        record[r_.METABOLIC_COVARIANCE :] = self.metabolic.P.ravel()
