"""python -m tests.chaos [--long] [--seed N] [--people N] [--days X] [--seconds S] [--kills N] [--minutes M]: prints the table."""

import argparse
import dataclasses
import signal
import sys
import tempfile

from tests.chaos.run import LONG, SHORT, run

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument("--long", action="store_true", help="the long form: about an hour")
for name in ("seed", "people", "kills", "restarts", "workers"):
    parser.add_argument(f"--{name}", type=int)
for name in ("days", "seconds", "minutes"):
    parser.add_argument(f"--{name}", type=float)
for number in (signal.SIGTERM, signal.SIGINT):  # what was started is stopped in either case
    signal.signal(number, signal.default_int_handler)
asked = vars(parser.parse_args())
plan = LONG if asked.pop("long") else SHORT
plan = dataclasses.replace(plan, **{name: value for name, value in asked.items() if value is not None})
folder = tempfile.mkdtemp(prefix="twin-chaos-")
print(f"{plan}\nlogs: {folder}", file=sys.stderr, flush=True)
report = run(plan, folder)
print(report.text())
sys.exit(any(bad for _, bad in report.differs.values()) or bool(sum(report.never.values())))
