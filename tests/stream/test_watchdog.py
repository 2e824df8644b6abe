"""A process of its own ends itself, or does not: what os._exit does cannot be seen from inside."""

import json
import subprocess
import sys

import pytest

from stream.watchdog import EXIT_STALLED, EXIT_WITHOUT_ACKNOWLEDGING

PROGRAM = """
import asyncio, itertools, sys, time
from stream.logs import configure_logs
from stream.watchdog import Watchdog, end_within

configure_logs()
count = itertools.count()
async def stands(): return 7, "same"
async def moves(): return 7, next(count)
async def idles(): return 0, "same"
async def main():
    if sys.argv[1] == "stops late":
        end_within(0.5)
    probe = {"moves": moves, "idles": idles}.get(sys.argv[1], stands)
    dog = asyncio.ensure_future(Watchdog(2.0, probe).run())
    await asyncio.sleep(0.1)
    if sys.argv[1] == "blocks":
        time.sleep(8)
    await asyncio.sleep(4)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("what", "code", "event"),
    [
        ("stands", EXIT_STALLED, "worker_stalled"),
        ("blocks", EXIT_STALLED, "worker_stalled"),
        ("moves", 0, None),
        ("idles", 0, None),
        ("stops late", EXIT_WITHOUT_ACKNOWLEDGING, "stop_took_too_long"),
    ],
)
def test_a_process_that_has_work_and_stands_still_ends_and_says_why(what, code, event):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, what], capture_output=True, text=True, timeout=30, check=False
    )
    said = [json.loads(line) for line in done.stderr.splitlines()]

    assert done.returncode == code
    assert [line["event"] for line in said] == ([event] if event else [])
    if event == "worker_stalled":
        assert said[0]["lag"] == 7
