"""The twins of a partition: those in memory, those on the shelf, and the changelog of both."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from stream import alerting, resting, storing
from stream.memory import give_back
from stream.person import PersonTwin
from stream.shelf import Shelf

GIVE_BACK_AFTER = 1000  # twins put away, about 40 MB


class Keeping(ABC):
    """Who is where. Without a shelf everybody is in memory.

    Attributes:
        twins: by person, whoever was asked for last at the end.
        asleep: on the shelf; newest reading [ms], and whether it is said that data stopped.
        due: people with readings that are journalled and not run.
        unsaid: alerts that a crash may have kept from being sent.

    """

    def __init__(self, shelf: Shelf | None, resident: int) -> None:
        self.shelf, self.resident = shelf, resident
        self.left = 0  # twins put away since memory was given back
        self.twins: dict[str, PersonTwin] = {}
        self.asleep: dict[str, tuple[int, bool]] = {}
        self.due: set[str] = set()
        self.unsaid: dict[str, list[dict[str, Any]]] = {}

    tick_ms: int

    @abstractmethod
    def run_again(self, torn: list[PersonTwin]) -> None:
        """Run twins whose records are not of one moment from their oldest checkpoint."""

    def twin(self, person: str) -> PersonTwin:
        """The person's twin; a new one if nothing is known."""
        twin = self.find(person)
        if twin is None:
            twin = self.twins[person] = PersonTwin(person)
        elif self.shelf is not None:
            self.twins[person] = self.twins.pop(person)  # the last to be put away
        return twin

    def find(self, person: str) -> PersonTwin | None:
        """The person's twin if there is one, taken from the shelf if it lies there."""
        if self.shelf is None or person not in self.asleep:
            return self.twins.get(person)
        del self.asleep[person]
        twin = self.twins[person] = PersonTwin(person)
        for key, value in self.shelf.of(person):
            storing.restore(twin, key, value)
        if not storing.assemble(twin):
            self.run_again([twin])
        resting.rest(twin, self.shelf)
        if twin.due_ms is not None:
            self.due.add(person)
        return twin

    def people(self) -> int:
        """How many twins there are."""
        return len(self.twins) + len(self.asleep)

    def put_away(self) -> None:
        """Leave the twins that nothing came for to the shelf, as far as there are too many."""
        if self.shelf is None:
            return
        for person in list(self.twins)[: max(0, len(self.twins) - self.resident)]:
            twin = self.twins[person]
            if not twin.touched and person not in self.due:
                self.asleep[person] = twin.newest_ms, alerting.is_silent(twin.alerts)
                del self.twins[person]
                self.left += 1
        if self.left >= GIVE_BACK_AFTER:
            self.left = 0
            give_back()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one changelog record, in any order."""
        person = storing.person_of(key)
        if self.shelf is None:
            unsaid = storing.restore(self.twin(person), key, value)
        else:
            self.shelf.begin()
            self.shelf.put(person, [(key, value)])
            seen, (newest_ms, silent) = resting.glimpse(key, value), self.asleep.get(person, (0, False))
            unsaid = list(seen.unsaid)
            self.asleep[person] = (
                newest_ms if seen.newest_ms is None else seen.newest_ms,
                silent if seen.silent is None else seen.silent,
            )
            if seen.due is not None:
                (self.due.add if seen.due else self.due.discard)(person)
            self.twins.pop(person, None)
        if key[:1] == b"a":
            self.unsaid[person] = unsaid

    def changed(self, people: Iterable[str] | None = None) -> Iterator[tuple[bytes, bytes | None]]:
        """Changelog records of what changed since the last call, of these people or of all; None deletes."""
        for person in self.touched() if people is None else people:
            twin = self.twins.get(person)
            if twin is not None and twin.touched:
                records = list(storing.records_of(twin, self.tick_ms))
                if self.shelf is not None:
                    self.shelf.begin()
                    self.shelf.put(person, records)
                    resting.rest(twin, self.shelf)
                yield from records
        if self.shelf is not None:
            self.shelf.end()
            self.put_away()

    def touched(self) -> list[str]:
        """People of whom the changelog does not have all."""
        return [person for person, twin in self.twins.items() if twin.touched]

    def books(self, alerts: list[dict[str, Any]]) -> Iterator[tuple[bytes, bytes]]:
        """Changelog records to write before these alerts are sent, so that whoever follows after a crash knows of them."""
        said: dict[str, list[dict[str, Any]]] = {}
        for alert in alerts:
            said.setdefault(alert["person"], []).append(alert)
        for person, found in said.items():
            twin = self.twin(person)  # it may lie on the shelf
            twin.touched = twin.book_changed = True  # the next checkpoint says that they are out
            record = storing.book_of(twin, found)
            if self.shelf is not None:
                self.shelf.put(person, [record])
            yield record

    def close(self) -> None:
        """Give up the shelf."""
        if self.shelf is not None:
            self.shelf.close()
