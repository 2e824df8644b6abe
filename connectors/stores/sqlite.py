"""The embedded store: SQLite in WAL mode, one writer, many readers, also from other processes."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import orjson

from connectors.errors import Unavailable
from connectors.stores import Document, Refused
from connectors.stores.checks import ALERT, ESTIMATE, sort_out
from connectors.stores.outlooks import put_together, take_apart

T = TypeVar("T")
SCHEMA = """
CREATE TABLE IF NOT EXISTS estimate (person TEXT, time INTEGER, body BLOB, PRIMARY KEY (person, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (person TEXT PRIMARY KEY, time INTEGER, body BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (alert_id TEXT PRIMARY KEY, person TEXT, onset INTEGER, at INTEGER, body BLOB);
CREATE TABLE IF NOT EXISTS outlook (person TEXT, made_at INTEGER, channel TEXT, body BLOB,
PRIMARY KEY (person, made_at, channel)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_by_time ON alert (at);
"""
# An estimate of a later tick replaces the latest; so does a corrected one of the same tick.
UPSERT_LATEST = """INSERT INTO latest VALUES (?1, ?2, ?3) ON CONFLICT (person)
DO UPDATE SET time = excluded.time, body = excluded.body WHERE excluded.time >= latest.time"""


class SqliteStore:
    """See connectors.stores.Store; the body of a row is the document itself, as JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        # One thread, so one piece of work at a time, even when who asked for it has gone away: a lock in the
        # event loop is given back when its task is cancelled, and the thread would go on beside the next.
        self._thread = ThreadPoolExecutor(1, "sqlite")

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = sqlite3.connect(self.path, check_same_thread=False, timeout=10.0)
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=NORMAL")
                self._connection.executescript(SCHEMA)
            return work(self._connection)
        except sqlite3.OperationalError as error:  # locked, disk full, cannot open
            if self._connection is not None:
                self._connection.rollback()
            raise Unavailable(f"{self.path}: {error}", 1.0) from error

    async def open(self) -> None:
        """Create the file and its tables."""
        await self._run(lambda _: None)

    async def write(self, estimates: Sequence[Document], alerts: Sequence[Document]) -> list[Refused]:
        """In one transaction."""
        estimates, refused = sort_out(estimates, ESTIMATE)
        alerts, others = sort_out(alerts, ALERT)
        apart = [(e["person"], e["time"], *take_apart(e)) for e in estimates]
        rows = [(person, time, orjson.dumps(e)) for person, time, e, _ in apart]
        outlooks = [(person, time, *part) for person, time, _, parts in apart for part in parts.items()]
        notes = [(a["alert_id"], a["person"], a["onset"], a["at"], orjson.dumps(a)) for a in alerts]

        def work(connection: sqlite3.Connection) -> list[Refused]:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO estimate VALUES (?, ?, ?)", rows)
                connection.executemany(UPSERT_LATEST, rows)
                connection.executemany(
                    "INSERT OR IGNORE INTO outlook VALUES (?, ?, ?, ?)", outlooks
                )  # the first stays
                connection.executemany("INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?)", notes)
            return refused + others

        return await self._run(work)

    async def _documents(self, query: str, arguments: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        found = await self._run(lambda connection: connection.execute(query, arguments).fetchall())
        return [orjson.loads(body) for (body,) in found]

    async def _estimates(
        self, query: str, outlooks: str, arguments: tuple[Any, ...] = ()
    ) -> list[dict[str, Any]]:
        """Estimates with their forecasts."""
        documents = await self._documents(query, arguments)
        rows = await self._run(lambda connection: connection.execute(outlooks, arguments).fetchall())
        made: dict[tuple[str, int], dict[str, bytes]] = {}
        for person, at, channel, body in rows:
            made.setdefault((person, at), {})[channel] = body
        return [put_together(e, made.get((e["person"], e["time"]), {})) for e in documents]

    async def latest(self) -> list[dict[str, Any]]:
        """One row a person."""
        joined = "SELECT o.* FROM latest l JOIN outlook o ON o.person = l.person AND o.made_at = l.time"
        return await self._estimates("SELECT body FROM latest ORDER BY person", joined)

    async def states(self, person: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """By the primary key."""
        query = "SELECT body FROM estimate WHERE person = ? AND time BETWEEN ? AND ? ORDER BY time"
        outlooks = "SELECT * FROM outlook WHERE person = ? AND made_at BETWEEN ? AND ?"
        return await self._estimates(query, outlooks, (person, since_ms, until_ms))

    async def alerts(self, since_ms: int = 0, person: str | None = None) -> list[dict[str, Any]]:
        """Newest first."""
        query = (
            "SELECT body FROM alert WHERE at >= ? AND (? IS NULL OR person = ?) ORDER BY at DESC, alert_id"
        )
        return await self._documents(query, (since_ms, person, person))

    async def erase(self, person: str) -> None:
        """From all tables."""

        def work(connection: sqlite3.Connection) -> None:
            with connection:
                for table in ("estimate", "latest", "outlook", "alert"):
                    connection.execute(f"DELETE FROM {table} WHERE person = ?", (person,))  # noqa: S608 - own names

        await self._run(work)

    async def ping(self) -> str:
        """The library's version and the file."""
        await self._run(lambda connection: connection.execute("SELECT 1").fetchone())
        return f"SQLite {sqlite3.sqlite_version} at {self.path}"

    async def close(self) -> None:
        """Close the file, when what was begun has ended."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
