"""All twins of a partition in memory: journal what came, run forward again from before the earliest change, report.

The same engine serves the worker, `twin replay` and the demo. It has no clock: everything runs on event time, so that
a person's twin is a function of the set of their readings and of nothing else.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from stream import alerting, storing
from stream.journal import Entries, bin_ticks, entries_of, forecast_before, merge
from stream.lateness import Windows, judge
from stream.person import Checkpoint, PersonTwin
from stream.policy import REST_MET, Signal, step
from stream.weights import weights_named
from twin import channels as c_
from twin import record as r_
from twin.fold import fold, outputs_for
from twin.learned.weights import Weights
from twin.profile import profile_of
from twin.summary import GLUCOSE_AT, RATE_AT, RESTING_AT

HORIZONS = {"heart_rate": (900, 3600), "glucose": (900, 1800, 3600, 7200)}
HOUR_S = 3600.0
OUTCOMES = ("applied", "duplicate", "late", "replayed", "waiting")
# A person's twin, where its run begins, its observations from there on, and what it has forecast of them before.
Work = tuple[PersonTwin, Checkpoint, tuple[NDArray[Any], ...], tuple[NDArray[np.float64], ...] | None]


@dataclass(slots=True)
class Run:
    """The ticks of one person that were run, as positions in the arrays of Applied."""

    person: str
    ticks: slice
    twin: PersonTwin


@dataclass(slots=True)
class Applied:
    """What a batch did. Arrays are of the ticks that were run, people one after the other."""

    runs: list[Run] = field(default_factory=list)
    tick_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    obs_start: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    obs_channel: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    obs_value: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    readings: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    estimates: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    surprises: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    outcomes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    forecasts: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0, 0)))
    low_probability: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    transitions: list[tuple[str, Any]] = field(
        default_factory=list
    )  # (person, Transition), by person then time
    alerts: list[dict[str, Any]] = field(default_factory=list)
    late: list[int] = field(default_factory=list)  # rows beyond their window
    late_by_ms: list[int] = field(default_factory=list)  # and how far
    ahead: list[int] = field(default_factory=list)  # rows that may not even wait for their time
    counts: dict[str, int] = field(default_factory=dict)


class Cohort:
    """Twins by person.

    Args:
        tick_s: all readings of a channel within a tick are one observation.
        window_s: how much older than the newest reading of a person one may be,
        windows: unless its channel or source is named here (stream.lateness says which are by default).
        horizons: of the forecasts [s], by channel.
        weights: of the learned part; those that are shipped where None.

    """

    def __init__(
        self,
        *,
        tick_s: int = 60,
        window_s: int = 86400,
        windows: Mapping[str, float] | None = None,
        horizons: Mapping[str, tuple[int, ...]] | None = None,
        weights: Weights | None = None,
    ) -> None:
        self.weights = weights_named() if weights is None else weights
        self.twins: dict[str, PersonTwin] = {}
        self.tick_ms, self.windows = tick_s * 1000, Windows(window_s, windows)
        self.horizons = dict(HORIZONS | dict(horizons or {}))
        longest = max(len(h) for h in self.horizons.values())
        self.horizon_table = np.full((2, longest), math.nan)
        for row, channel in enumerate(("heart_rate", "glucose")):
            chosen = sorted(self.horizons[channel])
            self.horizon_table[row, : len(chosen)] = chosen

    def twin(self, person: str) -> PersonTwin:
        """The person's twin; a new one if nothing is known."""
        return self.twins.setdefault(person, PersonTwin(person))

    def apply(
        self,
        readings: Decoded,
        offsets: NDArray[np.int64] | None = None,
        stamps: NDArray[np.int64] | None = None,
    ) -> Applied:
        """Journal and run a batch; readings whose record's offset a twin has applied are skipped.

        Args:
            readings: columns, any order, any number of people.
            offsets: the offset of each Kafka record that `readings.record` indexes.
            stamps: when the topic took each record [ms]; readings ahead of it wait.

        """
        applied = Applied(counts={"readings": len(readings), **dict.fromkeys(OUTCOMES, 0)})
        order = np.argsort(readings.person, kind="stable")
        bounds = np.searchsorted(readings.person[order], np.arange(len(readings.persons) + 1))
        work: list[Work] = []
        for index, name in enumerate(readings.persons):
            rows = order[bounds[index] : bounds[index + 1]]
            if len(rows):
                self._journal(self.twin(name), readings, rows, offsets, stamps, applied, work)
        if work:
            self._run(work, applied)
        return applied

    def _journal(
        self, twin: PersonTwin, readings: Decoded, rows: NDArray[np.int64], offsets: NDArray[np.int64] | None,
        stamps: NDArray[np.int64] | None, applied: Applied, work: list[Work],
    ) -> None:  # fmt: skip
        counts = applied.counts
        if offsets is not None:
            fresh = offsets[readings.record[rows]] > twin.offset
            counts["replayed"] += int(len(rows) - fresh.sum())
            rows = rows[fresh]
            if not len(rows):
                return
            twin.offset = int(offsets[readings.record[rows]].max())
            twin.touched = True
        found = judge(readings, rows, twin.newest_ms, self.windows, twin.waiting, stamps)
        applied.late += found.late
        applied.late_by_ms += found.late_by_ms
        applied.ahead += found.ahead
        counts["late"] += len(found.late)
        counts["waiting"] += found.waits
        twin.late += len(found.late)
        twin.newest_ms = found.newest_ms
        new = entries_of(readings, found.rows)
        if found.waiting is not None:
            twin.waiting = found.waiting
        if found.released is not None:
            new = np.concatenate([found.released, new])
        if not len(new):
            return
        merged, changed_ms = merge(twin.journal, new)
        if changed_ms is None:
            counts["duplicate"] += len(new)
            return
        # New identities; where there are none, what changed the journal were revisions or retractions.
        taken = min(len(merged) - len(twin.journal), len(new)) or len(new)
        counts["applied"] += taken
        counts["duplicate"] += len(new) - taken
        base = twin.checkpoint_before(changed_ms // self.tick_ms)
        known = forecast_before(self._since(base, twin.journal), self.tick_ms)
        twin.replace_journal(merged, found.newest_ms, rows_ms=new["time_ms"])
        work.append((twin, base, bin_ticks(self._since(base, merged), self.tick_ms), known))

    def _since(self, base: Checkpoint, journal: Entries) -> Entries:
        """What came after a checkpoint."""
        return journal[np.searchsorted(journal["time_ms"], (base.tick + 1) * self.tick_ms) :]

    def _run(self, work: list[Work], applied: Applied) -> None:
        columns = list(zip(*(binned for _, _, binned, _ in work), strict=True))
        tick_s = np.concatenate(columns[0])
        counts = [len(binned[0]) for _, _, binned, _ in work]
        ticks = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        sizes = [len(binned[2]) for _, _, binned, _ in work]
        shift = np.concatenate([[0], np.cumsum(sizes)])
        starts = [binned[1][:-1] + shift[i] for i, (_, _, binned, _) in enumerate(work)]
        obs_start = np.concatenate([*starts, [shift[-1]]]).astype(np.int64)
        channel, value, noise, flag, device, readings = (np.concatenate(columns[i]) for i in range(2, 8))
        records = np.stack([base.record for _, base, _, _ in work])
        keep, slots = self._checkpoints_to_keep(tick_s, ticks)
        kept = np.zeros((slots, r_.SIZE))
        outputs = outputs_for(len(tick_s), len(channel), self.horizon_table.shape[1])
        fold(
            records,
            ticks,
            tick_s,
            obs_start,
            channel,
            value,
            noise,
            flag,
            device,
            self.horizon_table,
            self.weights,
            keep,
            kept,
            *outputs,
        )
        applied.tick_s, applied.obs_start, applied.obs_channel = tick_s, obs_start, channel
        applied.obs_value, applied.readings = value, readings
        (
            applied.estimates,
            applied.surprises,
            applied.outcomes,
            applied.forecasts,
            applied.low_probability,
        ) = outputs
        for i, (twin, base, _, known) in enumerate(work):
            span = slice(int(ticks[i]), int(ticks[i + 1]))
            for row, made_s in enumerate(known or ()):
                applied.forecasts[span, row][np.isin(tick_s[span], made_s)] = math.nan
            twin.forget_after(base)
            policy = base.policy.copy()
            before = len(applied.transitions)
            for tick in range(span.start, span.stop):
                for change in step(policy, self._signal(applied, tick)):
                    applied.transitions.append((twin.person, change))
                if keep[tick] >= 0:
                    number = int(tick_s[tick] * 1000) // self.tick_ms
                    twin.checkpoints.append(Checkpoint(number, kept[keep[tick]].copy(), policy.copy()))
            head = int(tick_s[span.stop - 1] * 1000) // self.tick_ms if span.stop > span.start else base.tick
            twin.set_head(Checkpoint(head, records[i].copy(), policy), self.windows.longest_ms, self.tick_ms)
            changes = [change for _, change in applied.transitions[before:]]
            applied.alerts += alerting.publish(twin, changes, base.tick * self.tick_ms / 1000.0)
            applied.runs.append(Run(twin.person, span, twin))

    @staticmethod
    def _checkpoints_to_keep(
        tick_s: NDArray[np.float64], ticks: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int]:
        """After the last tick of every hour, and before each person's last tick (whose minute may not be over)."""
        keep = np.full(len(tick_s), -1, dtype=np.int64)
        hour = tick_s // HOUR_S
        chosen = np.zeros(len(tick_s), dtype=bool)
        chosen[:-1] = hour[1:] != hour[:-1]
        ends = ticks[1:][ticks[1:] > ticks[:-1]] - 1
        firsts = ticks[:-1][ticks[1:] > ticks[:-1]]
        chosen[ends[ends > firsts] - 1] = True
        chosen[ends] = False  # that is the head itself
        keep[chosen] = np.arange(int(chosen.sum()))
        return keep, int(chosen.sum())

    def _signal(self, applied: Applied, tick: int) -> Signal:
        row = applied.estimates[tick]
        span = slice(applied.obs_start[tick], applied.obs_start[tick + 1])
        has_rate = (applied.obs_channel[span] == c_.HEART_RATE).any()
        met = applied.obs_value[span][applied.obs_channel[span] == c_.MET]
        asleep = applied.obs_value[span][applied.obs_channel[span] == c_.ASLEEP]
        resting = bool((len(met) and met[-1] < REST_MET) or (len(asleep) and asleep[-1] > 0.5))
        return Signal(
            float(applied.tick_s[tick]), float(applied.low_probability[tick, 0]), float(row[GLUCOSE_AT]),
            float(row[RATE_AT]) if has_rate else math.nan, float(row[RESTING_AT]), resting,
            *applied.low_probability[tick, 1:].tolist(),
        )  # fmt: skip

    def tick_clock(self, now_ms: int, silent_after_ms: int = 1_800_000) -> list[dict[str, Any]]:
        """Technical alerts of people whose data stopped. The only thing that looks at a clock, and it is handed in."""
        found = [alerting.watch_silence(twin, now_ms, silent_after_ms) for twin in self.twins.values()]
        return [alert for alerts in found for alert in alerts]

    def acknowledge(self, person: str, identity: str, by: str, at_ms: int) -> list[dict[str, Any]]:
        """Note who took an alert; empty when there is no such open alert."""
        twin = self.twins.get(person)
        return alerting.acknowledge(twin, identity, by, at_ms) if twin else []

    def set_profile(self, person: str, profile: Mapping[str, object]) -> None:
        """Use a profile for a person: the twin is run again from the beginning of its journal with it.

        Raises:
            ProfileError: naming the field and the allowed range.

        """
        self.twin(person).use_profile(profile_of(profile), dict(profile))

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Changelog records of what changed since the last call; None deletes."""
        for twin in self.twins.values():
            if twin.touched or twin.dirty_hours:
                yield from storing.records_of(twin)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record, in any order."""
        storing.restore(self, key, value)

    def finish_restore(self) -> None:
        """After the last record: put the parts of every twin together; what a crash cut apart is run again."""
        torn = [twin for twin in self.twins.values() if not storing.assemble(twin)]
        work: list[Work] = []
        for twin in torn:
            base = twin.checkpoints[0]
            work.append((twin, base, bin_ticks(self._since(base, twin.journal), self.tick_ms), None))
            twin.touched = True
        if work:
            self._run(
                work, Applied()
            )  # what it would publish has been published before its state was written

    def twin_json(self, person: str) -> dict[str, Any]:
        """The final twin for twins.jsonl: head time, mean, covariance, parameters."""
        return storing.portrait(self.twins[person])
