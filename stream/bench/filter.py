"""`twin bench filter`: the filter's step beside C++ and filterpy, block F beside C++, a whole person's tick.

All contenders take turns, one call each a round, and each one's best round counts: another process that takes the machine
for a while then takes it from all alike. Time is that of the processor for this thread, not of the wall.
"""

import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from stream.bench import contenders as of
from stream.bench.contenders import Contender
from twin import record as r_
from twin.blocks import fast

CPP, COMPILED, PYTHON = (
    "C++ -O3 -march=native -ffast-math, vectors as wide as ours",
    "filterpy, model compiled by numba",
    "filterpy, model in numpy",
)
Row = dict[str, Any]


def measure(
    who: dict[str, Contender], rounds: int, advance: Callable[[float, float], None]
) -> dict[str, float]:
    """Best microseconds of a step, by name."""
    best = dict.fromkeys(who, float("inf"))
    for one in who.values():
        one.call()
    for done in range(rounds):
        for name, one in who.items():
            began = time.thread_time()
            one.call()
            best[name] = min(best[name], (time.thread_time() - began) / one.steps * 1e6)
        advance(done + 1, rounds)
    return best


def run(rounds: int, advance: Callable[[float, float], None]) -> Row:
    """Everything, interleaved: figures in microseconds, with what each is compared to, ratio, target, verdict."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        who, agreement = _who(folder)
        day = of.Day()
        who |= {
            "tick": day.tick(forecasts=False), "tick with forecasts": day.tick(forecasts=True),
            "summary": day.summary(100),
        }  # fmt: skip
        best = measure(who, rounds, advance)
    rows: list[Row] = []
    for steps in (1, 4, 12):
        what = f"step of 16 states, 6 observations, {steps} RK4"
        rows.append(_at_most(what, best[f"ring {steps}"], CPP, best.get(f"ring {steps} C++"), 1.4))
    rows.append(
        _at_least("step of 16 states, 1 RK4", best["ring 1"], COMPILED, best["filterpy compiled"], 40.0)
    )
    rows.append(_at_least("step of 16 states, 1 RK4", best["ring 1"], PYTHON, best["filterpy numpy"], 200.0))
    what = f"block F, one evaluation at {fast.STRIDE} points"
    rows.append(_at_most(what, best["block F"], CPP, best.get("block F C++"), 1.3))
    rows += [
        _limit("whole person, blocks F G C S, tick of 60 s", best["tick"], 120.0),
        _limit("the same with forecasts", best["tick with forecasts"], None),
        _limit("of it the summary of the posterior", best["summary"], None),
    ]
    for what, forecasts in (("without", False), ("with", True)):
        taken = day.allocations(forecasts)
        rows.append({
            "what": f"memory blocks taken a tick, {what} forecasts", "ours": taken, "unit": "1", "reference": "",
            "theirs": None, "ratio": None, "target": 0.0, "ok": taken == 0.0,
        })  # fmt: skip
    rows.append({
        "what": "record of a twin", "ours": 8 * r_.SIZE, "unit": "byte", "reference": "", "theirs": None, "ratio": None,
        "target": 16384, "ok": 8 * r_.SIZE <= 16384,
    })  # fmt: skip
    return {"rounds": rounds, "figures": rows, "agreement": agreement}


def _who(folder: Path) -> tuple[dict[str, Contender], dict[str, float]]:
    who: dict[str, Contender] = {}
    agreement: dict[str, float] = {}
    text = files("stream.bench").joinpath("ring.cpp").read_text(encoding="utf-8")
    library = of.build(folder, "ring", text)
    for steps in (1, 4, 12):
        who[f"ring {steps}"], mine = of.ring_ours(steps, 500)
        if library is not None:
            who[f"ring {steps} C++"], theirs = of.ring_cpp(library, steps, 500)
            who[f"ring {steps}"].call()
            who[f"ring {steps} C++"].call()
            agreement[f"C++, {steps} RK4"] = float(abs(mine - theirs).max())
    for kind, compiled in (("compiled", True), ("numpy", False)):
        ours, mine = of.ring_ours(1, 20)
        who[f"filterpy {kind}"], theirs = of.ring_filterpy(compiled, 20)
        ours.call()
        who[f"filterpy {kind}"].call()
        agreement[f"filterpy, {kind}"] = float(abs(mine - theirs).max())
    who["block F"], cpp, difference = of.block_f(folder, 200)
    if cpp is not None:
        who["block F C++"] = cpp
        agreement["block F, C++"] = difference
    return who, agreement


def _at_most(what: str, ours: float, reference: str, theirs: float | None, target: float) -> Row:
    ratio = None if theirs is None else ours / theirs
    return {
        "what": what, "ours": ours, "unit": "us", "reference": reference if theirs else f"{reference}: no g++ here",
        "theirs": theirs, "ratio": ratio, "target": target, "ok": None if ratio is None else ratio <= target,
    }  # fmt: skip


def _at_least(what: str, ours: float, reference: str, theirs: float, target: float) -> Row:
    return {
        "what": what, "ours": ours, "unit": "us", "reference": reference, "theirs": theirs, "ratio": theirs / ours,
        "target": target, "ok": theirs / ours >= target,
    }  # fmt: skip


def _limit(what: str, ours: float, target: float | None) -> Row:
    return {
        "what": what, "ours": ours, "unit": "us", "reference": "", "theirs": None, "ratio": None, "target": target,
        "ok": None if target is None else ours <= target,
    }  # fmt: skip
