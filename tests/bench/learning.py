"""Twin experiments: does the filter find, in the readings of virtual people, the truth that made them?

    python tests/bench/learning.py [--people 10] [--days 14] [--seed 100] [--json]

Ten people whose parameters are drawn from the spread between people live fourteen days by the twin's own equations,
shaken by the process noise that the filter assumes; their devices have the noise of section 13. The tables: the solid
parameters of section 14 with their errors in posterior sd; NEES of each block; how many readings and true values lie in
the 95 % interval; whether innovations are white; how far the twin is from the truth after eight hours without data.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import chi2

sys.path[:0] = [str(Path(__file__).parents[2])]

from stream.journal import bin_ticks, entries_of  # noqa: E402
from stream.virtual import draw_person, readings_of_rows, simulate_rows  # noqa: E402
from stream.weights import weights_named  # noqa: E402
from twin import record as r_  # noqa: E402
from twin.channels import CHANNELS, SENSORS  # noqa: E402
from twin.fold import fold, outputs_for  # noqa: E402
from twin.open_loop import held_value  # noqa: E402
from twin.profile import Profile  # noqa: E402
from twin.summary import SEEN_COLUMNS  # noqa: E402

START_MS = 1_795_392_000_000  # a midnight
SOLID = (
    "resting_heart_rate_parameter", "sleep_fall", "circadian_amplitude", "met_gain", "log_variability",
    "resting_respiration_rate", "pressure_set_point", "vascular_compliance",
)  # fmt: skip
NAMES = {block: [state.name for state in module.STATES] for block, (module, *_) in r_.BLOCKS.items()}
SEEN = ("heart_rate", "bp_systolic", "bp_diastolic", "hrv_rmssd", "respiration_rate", "spo2", "core_temperature",
        "skin_temperature", "ventilation", "energy_expenditure", "oxygen_uptake", "glucose", "weight")  # fmt: skip
LEARNING_H = 48  # NEES and coverage are counted after it
LAGS = 10  # of Ljung-Box


@dataclass(slots=True)
class Life:
    """Readings and truth of a virtual person: states as the filter holds them (minutes, n), by block; what is seen."""

    person: object
    rows: list
    states: dict
    seen: np.ndarray


@dataclass(slots=True)
class Learned:
    """What the filter made of a life; `kept` are records after each hour."""

    tick_s: np.ndarray
    channel: np.ndarray
    value: np.ndarray
    at_s: np.ndarray
    surprises: np.ndarray
    outcomes: np.ndarray
    estimates: np.ndarray
    kept: np.ndarray
    record: np.ndarray


def live(person, days):
    rows, seen, states = [], [], {block: [] for block in r_.BLOCKS}
    for at_ms, _, read, body in simulate_rows(person, START_MS, days):
        rows += [(at_ms, channel, value) for channel, value in read.items()]
        seen.append([body.row[SEEN_COLUMNS[name]] for name in SEEN])
        for block, (module, at, *_) in r_.BLOCKS.items():
            states[block].append(body.record[at : at + module.N].copy())
    return Life(person, rows, {block: np.array(s) for block, s in states.items()}, np.array(seen))


def learn(life, silent=lambda at_ms: False):
    """Fold the readings of a life, but those that `silent` says never came."""
    rows = [row for row in life.rows if not silent(row[0])]
    readings = readings_of_rows(life.person.name, rows)
    binned = bin_ticks(entries_of(readings, np.arange(len(readings))), 60_000)
    tick_s, start, channel, value, noise, flag, device, _ = binned
    record = r_.genesis(life.person.profile)[None].copy()
    hour = np.flatnonzero(np.diff(tick_s // 3600.0) > 0)
    keep = np.full(len(tick_s), -1, dtype=np.int64)
    keep[hour] = np.arange(len(hour))
    kept = np.zeros((len(hour), r_.SIZE))
    estimates, surprises, outcomes, forecasts, low, daily = outputs_for(len(tick_s), len(channel), 2)
    horizons = np.full((2, 2), np.nan)
    fold(record, np.array([0, len(tick_s)]), tick_s, start, channel, value, noise, flag, device, horizons,
         weights_named(), keep, kept,
         estimates, surprises, outcomes, forecasts, low, daily)  # fmt: skip
    at_s = np.repeat(tick_s, np.diff(start))
    return Learned(tick_s, channel, value, at_s, surprises, outcomes, estimates, kept, record[0])


def recovery(lives, learned):
    """(people, solid parameters): error in posterior sd at the end; error and posterior sd as the filter holds them."""
    at = [NAMES["fast"].index(name) for name in SOLID]
    forms = [r_.BLOCKS["fast"][0].STATES[i].transform for i in at]
    table = []
    for life, what in zip(lives, learned, strict=True):
        module, mean_at, cov_at, _ = r_.BLOCKS["fast"]
        mean = what.record[mean_at : mean_at + module.N]
        sd = np.sqrt(np.diag(what.record[cov_at : cov_at + module.N**2].reshape(module.N, -1)))
        truth = [held_value(life.person.parameters[name], f) if name in life.person.parameters else life.states["fast"][0, i]
                 for name, i, f in zip(SOLID, at, forms, strict=True)]  # fmt: skip
        table.append([((mean[i] - t) / sd[i], mean[i] - t, sd[i]) for i, t in zip(at, truth, strict=True)])
    return np.array(table)


def errors_of(block, life, what):
    """Errors (hours, n) and covariances after the learning time, against the truth of the time where the block stands.

    A record is kept at the end of an hour, but block G stands at its last glucose reading, up to four minutes before it,
    and blocks C and S at their last step: to compare with the truth of the record's head would call movement an error.
    """
    module, mean_at, cov_at, time_at = r_.BLOCKS[block]
    minute = ((what.kept[:, time_at] * 1000 - START_MS) / 60_000).round().astype(int)
    chosen = minute >= LEARNING_H * 60
    error = what.kept[chosen, mean_at : mean_at + module.N] - life.states[block][minute[chosen]]
    return error, what.kept[chosen, cov_at : cov_at + module.N**2].reshape(-1, module.N, module.N)


def nees(lives, learned):
    """By block: NEES / n of every person at every hour (people, hours), and of the dynamic part alone."""
    found = {}
    for block, (module, *_) in r_.BLOCKS.items():
        pairs = [errors_of(block, life, what) for life, what in zip(lives, learned, strict=True)]
        found[block] = np.array(
            [[e @ np.linalg.solve(c, e) / module.N for e, c in zip(*pair, strict=True)] for pair in pairs]
        )
    return found


def marginal(lives, learned):
    """By block and state: errors in posterior sd, of all people and hours (people, hours, n)."""
    found = {}
    for block in r_.BLOCKS:
        pairs = [errors_of(block, life, what) for life, what in zip(lives, learned, strict=True)]
        found[block] = np.array([error / np.sqrt(np.einsum("kii->ki", cov)) for error, cov in pairs])
    return found


def coverage(learned):
    """By channel: share of readings in the 95 % interval of what was expected of them, sd of the normalised innovation."""
    found = {}
    for code, channel in enumerate(SENSORS):
        z = np.concatenate([informative(what, code)[1] for what in learned])
        full = sum(int(at_full(what, code).sum()) for what in learned)
        if len(z):  # of a censored channel only the lower tail is seen: its interval is one-sided
            inside = ((z > -1.645).sum() + full) / (len(z) + full) if full else (np.abs(z) < 1.96).mean()
            found[channel] = (float(inside), float(z.std()), float(z.mean()), len(z) + full)
    return found


def scored(what, code):
    return (
        (what.channel == code)
        & (what.at_s > START_MS / 1000 + LEARNING_H * 3600)
        & np.isfinite(what.surprises)
    )


def at_full(what, code):
    """Readings of saturation at the top of the scale, which are censored."""
    return scored(what, code) & (CHANNELS[code] == "spo2") & (what.value >= 99.5)


def informative(what, code):
    """Times and normalised innovations of a channel after the learning time, without censored readings."""
    chosen = scored(what, code) & ~at_full(what, code)
    return what.at_s[chosen], what.surprises[chosen]


def seen_coverage(lives, learned):
    """By observable: share of true values in the 95 % interval of the estimate."""
    found = {}
    for i, name in enumerate(SEEN):
        inside = []
        for life, what in zip(lives, learned, strict=True):
            minute = ((what.tick_s * 1000 - START_MS) / 60_000).round().astype(int)
            chosen = minute >= LEARNING_H * 60
            pair = what.estimates[chosen, SEEN_COLUMNS[name] : SEEN_COLUMNS[name] + 2]
            inside.append(np.abs(pair[:, 0] - life.seen[minute[chosen], i]) < 1.96 * pair[:, 1])
        found[name] = float(np.concatenate(inside).mean())
    return found


def autocorrelation(z, lags=LAGS):
    z = z - z.mean()
    return np.array([(z[k:] * z[:-k]).sum() for k in range(1, lags + 1)]) / (z * z).sum()


def whiteness(learned):
    """By channel: median Ljung-Box p over people, the share of people with p < 0.01, mean autocorrelation of lag 1, 2."""
    found = {}
    for code, channel in enumerate(SENSORS):
        ps, rho = [], []
        for what in learned:
            _, z = informative(what, code)
            if len(z) < 20:
                continue
            lags = min(LAGS, len(z) // 4)
            r = autocorrelation(z, lags)
            q = len(z) * (len(z) + 2) * (r**2 / (len(z) - np.arange(1, lags + 1))).sum()
            ps.append(chi2.sf(q, lags))
            rho.append(r)
        if ps:
            shortest = min(len(r) for r in rho)
            mean = np.mean([r[:shortest] for r in rho], axis=0)
            found[channel] = (
                float(np.median(ps)),
                float((np.array(ps) < 0.01).mean()),
                float(mean[0]),
                float(np.abs(mean).max()),
            )
    return found


def after_silence(life, hours=8.0, back=2.0, begin_day=4):
    """A day's silence of `hours` at noon: by observable, error in posterior sd from `back` hours after it, over two hours."""
    begin_ms = START_MS + begin_day * 86_400_000 + 12 * 3_600_000
    end_ms = begin_ms + round(hours * 3_600_000)
    what = learn(life, lambda at_ms: begin_ms <= at_ms < end_ms)
    first = end_ms / 1000.0 + back * 3600.0
    chosen = (what.tick_s >= first) & (what.tick_s < first + 7200.0)
    minute = ((what.tick_s[chosen] * 1000 - START_MS) / 60_000).round().astype(int)
    found = {}
    for i, name in enumerate(SEEN):
        pair = what.estimates[chosen, SEEN_COLUMNS[name] : SEEN_COLUMNS[name] + 2]
        found[name] = np.abs(pair[:, 0] - life.seen[minute, i]) / np.maximum(pair[:, 1], 1e-9)
    return found


def experiment(people, days, seed):
    """Lives and what was learned of them; people are drawn from consecutive seeds."""
    lives = [live(draw_person(f"virtual-{i}", Profile(), seed + i), days) for i in range(people)]
    return lives, [learn(life) for life in lives]


def report(lives, learned):
    """All tables as one document."""
    errors = recovery(lives, learned)
    gaps = [after_silence(life) for life in lives] if len(lives[0].seen) > 6 * 1440 else []
    solid = {
        name: {
            "inside_2_sd": float((np.abs(errors[:, i, 0]) < 2.0).mean()), "error_sd": float(errors[:, i, 0].std()),
            "error_mean": float(errors[:, i, 0].mean()), "posterior_sd": float(errors[:, i, 2].mean()),
            "rms_error": float(np.sqrt((errors[:, i, 1] ** 2).mean())),
        }
        for i, name in enumerate(SOLID)
    }  # fmt: skip
    return {
        "solid": solid, "pairs_inside_2_sd": float((np.abs(errors[:, :, 0]) < 2.0).mean()),
        "nees_per_state": {block: float(values.mean()) for block, values in nees(lives, learned).items()},
        "channels": {
            name: dict(zip(("inside_95", "innovation_sd", "innovation_mean", "readings"), what, strict=True))
            for name, what in coverage(learned).items()
        },
        "whiteness": {
            name: dict(zip(("median_p", "share_below_1_percent", "lag_1", "largest"), what, strict=True))
            for name, what in whiteness(learned).items()
        },
        "observables_inside_95": seen_coverage(lives, learned),
        "after_8_h_of_silence_inside_2_sd": {
            name: float(np.mean([(gap[name] < 2.0).mean() for gap in gaps])) for name in (SEEN if gaps else ())
        },
        "repaired": float(sum(what.record[r_.REPAIRED] for what in learned)),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = report(*experiment(options.people, options.days, options.seed))
    if options.json:
        print(json.dumps(found))
        return
    for title, table in found.items():
        print(title, "" if isinstance(table, dict) else round(table, 4))
        for name, what in table.items() if isinstance(table, dict) else ():
            cells = what.items() if isinstance(what, dict) else ((("", what)),)
            print(f"  {name:32s}", "  ".join(f"{k} {v:.3f}".strip() for k, v in cells))


if __name__ == "__main__":
    main()
