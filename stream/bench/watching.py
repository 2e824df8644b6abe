"""What a process does with its time, seen from outside: computing, ready without a processor, or waiting.

On a machine that does other things the wall clock says little. The state of the main thread is read every 5 ms: the share in
which it sleeps is what it waits for others (the broker, its own timers); ready or running less what it computed is what it
was kept from a processor.
"""

import os
import threading
import time
from pathlib import Path

EVERY_S = 0.005
TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples of a process: (monotonic time, whether its main thread sleeps, processor seconds of it and of all threads)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.samples: list[tuple[float, bool, float, float]] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stop.wait(EVERY_S):
            try:
                whole, main = self._fields("stat"), self._fields(f"task/{self.pid}/stat")
            except OSError:
                return
            self.samples.append((time.monotonic(), main[0] != "R", _seconds(main), _seconds(whole)))

    def _fields(self, name: str) -> list[str]:
        return Path(f"/proc/{self.pid}/{name}").read_text().rsplit(") ", 1)[1].split()

    def between(self, begin: float, end: float) -> dict[str, float]:
        """Seconds of the wall and of the processor between two times, and what the main thread did."""
        chosen = [sample for sample in self.samples if begin <= sample[0] <= end]
        wall = end - begin
        asleep = wall * sum(sample[1] for sample in chosen) / max(len(chosen), 1)
        main = chosen[-1][2] - chosen[0][2] if chosen else 0.0
        return {
            "wall_s": wall, "processor_s": chosen[-1][3] - chosen[0][3] if chosen else 0.0, "main_computes_s": main,
            "main_waits_s": asleep, "main_without_processor_s": max(0.0, wall - asleep - main),
        }  # fmt: skip

    def end(self) -> None:
        """Sample no more."""
        self.stop.set()
        self.thread.join()


def _seconds(fields: list[str]) -> float:
    return (int(fields[11]) + int(fields[12])) / TICKS
