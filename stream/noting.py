"""What a worker notes of its batches: metrics, and a line in the log."""

import time

import numpy as np
import structlog

from connectors.columns import Decoded
from stream.applied import OUTCOMES, Applied
from stream.health import Metrics
from twin.channels import CHANNELS

log = structlog.get_logger()
SAY_EVERY_S = 1.0


class Notes:
    """Of one worker."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.said: dict[int, float] = {}  # when a line was written last, by partition

    def say(self, partition: int, decoded: Decoded, done: Applied, seconds: float) -> None:
        """A line of a batch in the log: where something is unusual, else of a partition once a second."""
        refused, now = len(decoded.refused) + len(done.ahead), time.monotonic()
        if not (refused or done.late or done.alerts) and now - self.said.get(partition, 0.0) < SAY_EVERY_S:
            return
        self.said[partition] = now
        log.info(
            "batch_applied", partition=partition, readings=len(decoded), people=len(decoded.persons), refused=refused,
            late=len(done.late), duplicates=done.counts["duplicate"], alerts=len(done.alerts),
            milliseconds=round(seconds * 1000, 1),
        )  # fmt: skip

    def count(self, decoded: Decoded, done: Applied, seconds: float) -> None:
        """Numbers of a batch."""
        for outcome in OUTCOMES:
            if done.counts[outcome]:
                self.metrics.count("twin_readings_total", done.counts[outcome], outcome=outcome)
        if len(decoded):
            newest_s = float(decoded.time_ms.max()) / 1000
            self.metrics.set("twin_event_lag_seconds", round(time.time() - newest_s, 1))
        self.metrics.count("twin_ticks_total", len(done.tick_s))
        self.metrics.count("twin_filter_microseconds_total", round(seconds * 1e6))

    def surprises(self, done: Applied) -> None:
        """The filter's consistency: z squared by channel, whose mean is 1 when it is as sure as it should be."""
        there = np.isfinite(done.surprises)
        code, z = done.obs_channel[there], done.surprises[there]
        squares = np.bincount(code, z * z)
        for channel in np.unique(code).tolist():
            self.metrics.count("twin_nis_sum", float(squares[channel]), channel=CHANNELS[channel])
            self.metrics.count("twin_nis_count", int((code == channel).sum()), channel=CHANNELS[channel])
