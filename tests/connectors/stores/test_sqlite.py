"""What the embedded store promises beyond the contract: whoever goes away leaves no thread beside the next."""

import asyncio
import sqlite3

from connectors.stores.sqlite import SqliteStore

ESTIMATE = {"person": "ada", "time": 1000, "state": {"glucose": {"mean": 100.0, "sd": 5.0}}}


def test_a_store_closes_after_what_was_begun_though_nobody_waits_for_it(tmp_path):
    path = tmp_path / "t.sqlite"

    async def leave_and_close():
        store = SqliteStore(path)
        await store.open()
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")  # the store's write waits for this one
        writing = asyncio.create_task(store.write([ESTIMATE], []))
        await asyncio.sleep(0.2)
        writing.cancel()
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.2)
        early = closing.done()
        other.rollback()
        await closing
        return early

    assert not asyncio.run(leave_and_close())
    assert sqlite3.connect(path).execute("SELECT person FROM latest").fetchall() == [("ada",)]
