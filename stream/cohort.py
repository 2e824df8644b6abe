"""All twins of a partition in memory: journal what came, run forward again from before the earliest change, report.

The same engine serves the worker, `twin replay` and the demo. It has no clock: everything runs on event time, so that
a person's twin is a function of the set of their readings and of nothing else.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.columns import Decoded
from stream import alerting, storing
from stream.applied import OUTCOMES, Applied, Made, Run, signals_of
from stream.arrival import by_person
from stream.folding import Folding, Work
from stream.hours import Hours
from stream.journal import Entries, entries_of, forecast_before
from stream.keeping import Keeping
from stream.lateness import Windows, judge
from stream.patience import can_wait
from stream.person import Checkpoint, PersonTwin
from stream.policy import Transition, step
from stream.portrait import portrait
from stream.shelf import Shelf
from stream.weights import weights_named
from twin.learned.weights import Weights
from twin.profile import profile_of

__all__ = ["OUTCOMES", "Applied", "Cohort", "Run"]
HORIZONS = {"heart_rate": (900, 3600), "glucose": (900, 1800, 3600, 7200)}


class Cohort(Keeping):
    """Twins by person.

    Args:
        tick_s: all readings of a channel within a tick are one observation.
        window_s: how much older than the newest reading of a person one may be,
        windows: unless its channel or source is named here (stream.lateness says which are by default).
        horizons: of the forecasts [s], by channel.
        weights: of the learned part; those that are shipped where None.
        shelf: where twins lie that nothing came for; without one all stay in memory.
        resident: so many twins stay in memory.
        patient: readings of a tick that was run already may wait for more of it; `settle` runs what waits.

    """

    def __init__(
        self, *, tick_s: int = 60, window_s: int = 86400, windows: Mapping[str, float] | None = None,
        horizons: Mapping[str, tuple[int, ...]] | None = None, weights: Weights | None = None, patient: bool = False,
        shelf: Shelf | None = None, resident: int = 10_000,
    ) -> None:  # fmt: skip
        super().__init__(shelf, resident)
        self.weights = weights_named() if weights is None else weights
        self.patient = patient
        self.tick_ms, self.windows = tick_s * 1000, Windows(window_s, windows)
        self.horizons = dict(HORIZONS | dict(horizons or {}))
        longest = max(len(h) for h in self.horizons.values())
        self.horizon_table = np.full((2, longest), math.nan)
        for row, channel in enumerate(("heart_rate", "glucose")):
            chosen = sorted(self.horizons[channel])
            self.horizon_table[row, : len(chosen)] = chosen

    def apply(
        self,
        readings: Decoded,
        offsets: NDArray[np.int64] | None = None,
        stamps: NDArray[np.int64] | None = None,
        *,
        behind: bool = False,
    ) -> Applied:
        """Journal and run a batch; readings whose record's offset a twin has applied are skipped.

        Args:
            readings: columns, any order, any number of people.
            offsets: the offset of each Kafka record that `readings.record` indexes.
            stamps: when the topic took each record [ms]; readings ahead of it wait.
            behind: more is there already: the last minute of each person may wait for it (if the cohort is patient).

        """
        applied, folding = self.begin(readings, offsets, stamps, behind=behind)
        if folding is not None:
            folding.run()
        return self.end(applied, folding)

    def begin(
        self, readings: Decoded, offsets: NDArray[np.int64] | None = None, stamps: NDArray[np.int64] | None = None,
        *, behind: bool = False,
    ) -> tuple[Applied, Folding | None]:  # fmt: skip
        """The first part of `apply`, for a caller that runs the fold itself: until `end` nobody else may use the cohort.

        Returns:
            What is known already, and what is to be run, if anything.

        """
        applied = Applied(counts={"readings": len(readings), **dict.fromkeys(OUTCOMES, 0)})
        work: list[Work] = []
        found = by_person(self, readings, offsets, stamps, applied.counts) if len(readings) else ()
        for twin, rows, entries, span in found:
            if span is not None:
                self._append(twin, entries, span, applied, work, behind and self.patient)
            else:
                self._journal(twin, readings, np.sort(rows), offsets, stamps, applied, work)
        return applied, self._folding(work) if work else None

    def end(self, applied: Applied, folding: Folding | None) -> Applied:
        """The last part of `apply`."""
        if folding is not None:
            self._take(folding, applied)
        return applied

    def _append(
        self,
        twin: PersonTwin,
        entries: Entries,
        span: tuple[int, int],
        applied: Applied,
        work: list[Work],
        behind: bool,
    ) -> None:
        """Entries of one person that are later than all others: nothing to merge, nothing forecast of them yet."""
        first_ms, last_ms = span
        twin.hours.append(entries, first_ms, last_ms)
        twin.touched = True
        applied.counts["applied"] += len(entries)
        changed_ms = first_ms if twin.due_ms is None else twin.due_ms
        open_ms = last_ms // self.tick_ms * self.tick_ms
        if (behind and changed_ms >= open_ms) or (self.patient and can_wait(twin, last_ms, self.tick_ms)):
            twin.due_ms = changed_ms
            self.due.add(twin.person)
            return
        if twin.due_ms is None and twin.head.tick < first_ms // self.tick_ms:
            found: Work = twin, twin.head, entries, None
        else:
            found = self._from(twin, changed_ms)
        if behind:
            since = found[2]
            found = (*found[:2], since[: np.searchsorted(since["time_ms"], open_ms)], found[3])
        work.append(found)

    def _from(self, twin: PersonTwin, changed_ms: int) -> Work:
        """A run of everything that is journalled since a change at the end of what was run, or of its beginning."""
        base = twin.checkpoint_before(changed_ms // self.tick_ms)
        known = self._forecast(twin.hours, base, twin.ran_ms) if changed_ms <= twin.ran_ms else None
        return twin, base, twin.hours.since((base.tick + 1) * self.tick_ms), known

    def settle(self, people: Iterable[str] | None = None) -> Applied:
        """Run what waits: of these people, or of everybody."""
        applied = Applied(counts={"readings": 0, **dict.fromkeys(OUTCOMES, 0)})
        work: list[Work] = []
        for person in sorted(self.due if people is None else people):
            self.due.discard(person)
            twin = self.find(person)
            if twin is not None and twin.due_ms is not None:
                work.append(self._from(twin, twin.due_ms))
                twin.touched = True
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
        before = twin.hours.as_it_is()
        changed_ms, more = twin.hours.join(new)
        if changed_ms is None:
            counts["duplicate"] += len(new)
            return
        twin.touched = True
        # New identities; where there are none, what changed the journal were revisions or retractions.
        taken = min(more, len(new)) or len(new)
        counts["applied"] += taken
        counts["duplicate"] += len(new) - taken
        base = twin.checkpoint_before(min(changed_ms, twin.due_ms or changed_ms) // self.tick_ms)
        known = self._forecast(before, base, twin.ran_ms)
        work.append((twin, base, twin.hours.since((base.tick + 1) * self.tick_ms), known))

    def _forecast(self, hours: Hours, base: Checkpoint, ran_ms: int) -> Made:
        """What was forecast after a checkpoint, of the readings that were run."""
        there = hours.since((base.tick + 1) * self.tick_ms)
        return forecast_before(there[: np.searchsorted(there["time_ms"], ran_ms, side="right")], self.tick_ms)

    def _run(self, work: list[Work], applied: Applied) -> None:
        folding = self._folding(work)
        folding.run()
        self._take(folding, applied)

    def _folding(self, work: list[Work]) -> Folding:
        return Folding(work, self.tick_ms, self.horizon_table, self.weights)

    def _take(self, folding: Folding, applied: Applied) -> None:
        """What the fold says of the twins: their heads, checkpoints and alerts."""
        folding.tell(applied)
        ticks, number, keep = folding.ticks, folding.number, folding.keep
        signals = signals_of(applied)
        stops = np.flatnonzero((keep >= 0) | np.isin(np.arange(len(number)), list(signals)))
        first = np.searchsorted(stops, ticks)
        for i, (twin, base, entries, _) in enumerate(folding.work):
            span = slice(int(ticks[i]), int(ticks[i + 1]))
            twin.forget_after(base)
            policy = base.policy.copy()
            changes: list[Transition] = []
            for tick in stops[first[i] : first[i + 1]].tolist():
                if tick in signals:
                    changes += step(policy, signals[tick])
                if keep[tick] >= 0:
                    record = folding.kept[keep[tick]].copy()
                    twin.checkpoints.append(Checkpoint(int(number[tick]), record, policy.copy()))
            head = int(number[span.stop - 1]) if span.stop > span.start else base.tick
            twin.set_head(
                Checkpoint(head, folding.records[i].copy(), policy), self.windows.longest_ms, self.tick_ms
            )
            if len(entries) and twin.wait_after(int(entries["time_ms"][-1])):
                self.due.add(twin.person)
            applied.transitions += [(twin.person, change) for change in changes]
            applied.alerts += alerting.publish(twin, changes, policy)
            applied.runs.append(Run(twin.person, span, twin.newest_ms, twin.late))

    def tick_clock(self, now_ms: int, silent_after_ms: int = 1_800_000) -> list[dict[str, Any]]:
        """Technical alerts of people whose data stopped. The only thing that looks at a clock, and it is handed in."""
        for person, (newest_ms, said) in list(self.asleep.items()):
            if newest_ms > 0 and (now_ms - newest_ms > silent_after_ms) != said:
                self.find(person)
        found = [alerting.watch_silence(twin, now_ms, silent_after_ms) for twin in self.twins.values()]
        return [alert for alerts in found for alert in alerts]

    def acknowledge(self, person: str, identity: str, by: str, at_ms: int) -> list[dict[str, Any]]:
        """Note who took an alert; empty when there is no such open alert."""
        twin = self.find(person)
        return alerting.acknowledge(twin, identity, by, at_ms) if twin else []

    def set_profile(self, person: str, profile: Mapping[str, object]) -> None:
        """Use a profile for a person: the twin is run again from the beginning of its journal with it.

        Raises:
            ProfileError: naming the field and the allowed range.

        """
        if self.twin(person).profile != dict(profile):  # a command that comes twice changes nothing
            self.twin(person).use_profile(profile_of(profile), dict(profile))
            self.due.add(person)

    def finish_restore(self) -> None:
        """After the last record: put the parts of every twin together; what a crash cut apart is run again."""
        if self.shelf is not None:
            self.shelf.end()
        self.run_again([twin for twin in self.twins.values() if not storing.assemble(twin)])
        self.due |= {twin.person for twin in self.twins.values() if twin.due_ms is not None}
        self.unsaid = {person: alerts for person, alerts in self.unsaid.items() if alerts}

    def run_again(self, torn: list[PersonTwin]) -> None:
        """Run them from their oldest checkpoint."""
        work: list[Work] = []
        for twin in torn:
            base = twin.checkpoints[0]
            work.append((twin, base, twin.hours.since((base.tick + 1) * self.tick_ms), None))
            twin.touched = True
        if work:
            applied = Applied()  # estimates were published before the state was written
            self._run(work, applied)
            for alert in applied.alerts:
                self.unsaid.setdefault(alert["person"], []).append(alert)

    def twin_json(self, person: str) -> dict[str, Any]:
        """The final twin for twins.jsonl: head time, mean, covariance, parameters."""
        if self.twin(person).due_ms is not None:
            self.settle([person])
        return portrait(self.twin(person))
