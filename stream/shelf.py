"""What of a partition's twins is not needed now: the newest changelog record of every key, in a local SQLite file.

A cache. Each owner of a partition makes it anew, from the changelog and from what it writes there itself; nothing is read
from the file of another process. So there is nothing to keep consistent in it, and no reason to wait for the disk.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

SETTINGS = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "page_size = 16384",
    "cache_size = -8192",
)
END = b"\x00"  # of a person's name, which has no control characters


def folder_of(data_dir: Path) -> Path:
    """Where this process keeps its shelves."""
    return data_dir / f"shelf-{os.getpid()}"


def sweep(data_dir: Path) -> None:
    """Delete the shelves of processes that are no more."""
    for path in data_dir.glob("shelf-*"):
        number = path.name.removeprefix("shelf-")
        if not number.isdigit() or not Path("/proc").exists():
            continue
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue  # somebody else's process


class Shelf:
    """Records of one partition by person and key.

    Args:
        path: of the file; what is there is deleted.

    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        self.file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in SETTINGS:
            self.file.execute(f"PRAGMA {setting}")
        self.file.execute("CREATE TABLE part (place BLOB PRIMARY KEY, value BLOB)")

    def put(self, person: str, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Keep records of a person; None deletes."""
        start = person.encode() + END
        for key, value in records:
            if value is None:
                self.file.execute("DELETE FROM part WHERE place = ?", (start + key,))
            else:
                self.file.execute("REPLACE INTO part VALUES (?, ?)", (start + key, value))

    def begin(self) -> None:
        """Many puts follow."""
        if not self.file.in_transaction:
            self.file.execute("BEGIN")

    def end(self) -> None:
        """They are over."""
        if self.file.in_transaction:
            self.file.execute("COMMIT")

    def get(self, person: str, key: bytes) -> bytes:
        """One record; raises KeyError."""
        found = self.file.execute(
            "SELECT value FROM part WHERE place = ?", (person.encode() + END + key,)
        ).fetchone()
        if found is None:
            raise KeyError(key)
        value: bytes = found[0]
        return value

    def of(self, person: str) -> list[tuple[bytes, bytes]]:
        """Every record of a person."""
        start, stop = person.encode() + END, person.encode() + b"\x01"
        rows = self.file.execute(
            "SELECT place, value FROM part WHERE place >= ? AND place < ?", (start, stop)
        )
        return [(place[len(start) :], value) for place, value in rows]

    def close(self) -> None:
        """Delete the file."""
        self.file.close()
        self.path.unlink(missing_ok=True)
