"""Ten years of one person: gaps of hours to weeks, outliers, stuck sensors; does every number stay what it must be?

    python tests/bench/ten_years.py [--years 10] [--seed 1] [--json]

Sessions of one to three hours with readings of every sensor, five minutes apart, then a gap drawn between an hour and two
weeks (one in thirty: six weeks). Of the readings 3 % are anywhere within the hard bounds; in one session of five each
sensor repeats its first value. After every session: all of the record finite, the eigenvalues of each block's correlation.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from connectors import channels as edge  # noqa: E402
from stream.weights import weights_named  # noqa: E402
from twin import record as r_  # noqa: E402
from twin.channels import CHANNELS  # noqa: E402
from twin.fold import fold, outputs_for  # noqa: E402
from twin.profile import Profile  # noqa: E402

START_S = 1_795_392_000.0
OUTLIERS, STUCK, STEP_S = 0.03, 0.2, 300.0
# What a sensor reads of an ordinary person: mean, sd; share of the five-minute ticks at which it does.
USUAL = {
    "heart_rate": (70.0, 12.0, 1.0), "hrv_rmssd": (38.0, 8.0, 0.1), "respiration_rate": (15.0, 2.0, 0.1),
    "spo2": (97.0, 2.0, 0.1), "skin_temperature": (33.0, 1.0, 0.1), "skin_temperature_delta": (0.0, 0.3, 0.01),
    "core_temperature": (36.9, 0.2, 0.02), "body_temperature": (36.7, 0.3, 0.02), "bp_systolic": (122.0, 9.0, 0.05),
    "bp_diastolic": (78.0, 7.0, 0.05), "resting_heart_rate": (58.0, 2.0, 0.01), "oxygen_uptake": (320.0, 60.0, 0.02),
    "glucose": (110.0, 20.0, 1.0), "glucose_bgm": (110.0, 20.0, 0.03), "weight": (75.0, 0.6, 0.02),
    "carbohydrate_intake": (50.0, 20.0, 0.03), "fluid_intake": (0.3, 0.1, 0.05), "alcohol_intake": (12.0, 4.0, 0.003),
    "met": (1.5, 0.6, 0.7), "asleep": (0.3, 0.4, 0.3), "posture": (0.3, 0.3, 0.3), "light": (200.0, 150.0, 0.2),
}  # fmt: skip


def readings(years, seed):
    """Ticks [s], where each one's observations start, their channels and values; the last tick of each session."""
    rng = np.random.default_rng(seed)
    names = list(USUAL)
    mean, sd, share = (np.array([USUAL[name][i] for name in names]) for i in range(3))
    low, high = (np.array([edge.CHANNELS[name].hard[i] for name in names]) for i in (0, 1))
    code = np.array([CHANNELS.index(name) for name in names])
    order = np.argsort(code)
    now, ticks, start, channel, value, ends = START_S, [], [0], [], [], []
    while now < START_S + years * 365.25 * 86400.0:
        stuck = rng.random() < STUCK
        held = np.clip(mean + sd * rng.standard_normal(len(names)), low, high)
        for _ in range(int(rng.integers(12, 37))):
            read = held if stuck else np.clip(mean + sd * rng.standard_normal(len(names)), low, high)
            wild = rng.random(len(names)) < OUTLIERS
            read = np.where(wild, rng.uniform(low, high), read)
            told = order[(rng.random(len(names)) < share)[order]]
            if not len(told):
                continue
            ticks.append(now)
            channel += code[told].tolist()
            value += read[told].tolist()
            start.append(len(channel))
            now += STEP_S
        ends.append(len(ticks) - 1)
        hours = 1008.0 if rng.random() < 1 / 30 else float(np.exp(rng.uniform(0.0, np.log(336.0))))
        now += hours * 3600.0
    return np.array(ticks), np.array(start), np.array(channel), np.array(value), np.array(ends)


def run(tick_s, start, channel, value, keep_at, profile):
    """The records after the ticks `keep_at` and what `fold` fills."""
    keep = np.full(len(tick_s), -1, dtype=np.int64)
    keep[keep_at] = np.arange(len(keep_at))
    kept, record = np.zeros((len(keep_at), r_.SIZE)), r_.genesis(profile)[None].copy()
    outputs = outputs_for(len(tick_s), len(channel), 2)
    none = np.zeros(len(channel))
    horizons = np.array([[900.0, 3600.0], [1800.0, 3600.0]])
    fold(record, np.array([0, len(tick_s)]), tick_s, start, channel, value, none - 1.0, none.astype(np.int64), none,
         horizons, weights_named(), keep, kept, *outputs)  # fmt: skip
    return kept, outputs


def soundness(kept):
    """Whether all is finite; by block the least eigenvalue of any correlation matrix and the largest sd there was."""
    found = {"finite": bool(np.isfinite(kept).all())}
    for name, (module, _, at, time_at) in r_.BLOCKS.items():
        started = kept[kept[:, time_at] > r_.NEVER]
        covariance = started[:, at : at + module.N**2].reshape(-1, module.N, module.N)
        variance = np.einsum("kii->ki", covariance)
        if not len(started) or not np.isfinite(covariance).all() or not (variance > 0.0).all():
            found[name] = {
                "least_eigenvalue": float("nan"),
                "largest_sd": float("nan"),
                "largest_mean": float("nan"),
            }
            continue
        root = np.sqrt(variance)
        least = np.linalg.eigvalsh(covariance / root[:, :, None] / root[:, None, :])[:, 0].min()
        prior = np.array([max(state.sd, 1e-9) for state in module.STATES])
        found[name] = {
            "least_eigenvalue": float(least), "largest_sd": float((root / prior).max()),
            "largest_mean": float(np.abs(started[:, r_.BLOCKS[name][1] : r_.BLOCKS[name][1] + module.N] / prior).max()),
        }  # fmt: skip
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    *ticks, ends = readings(options.years, options.seed)
    began = time.perf_counter()
    kept, outputs = run(*ticks, ends, Profile())
    found = soundness(kept) | {
        "years": options.years, "ticks": len(ticks[0]), "readings": len(ticks[2]), "sessions": len(ends),
        "repaired": int(kept[-1, r_.REPAIRED]), "downweighted": int((outputs[2] == 1).sum()),
        "not_finite": int((outputs[2] == 2).sum()), "estimates_finite": bool(np.isfinite(outputs[0][-1]).all()),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    if options.json:
        print(json.dumps(found))
        return
    for name, what in found.items():
        print(f"{name:18s} {what}")


if __name__ == "__main__":
    main()
