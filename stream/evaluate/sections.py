"""What stands in the sections of the page: tables and plots from the document, nothing computed anew."""

from collections.abc import Sequence
from html import escape
from typing import Any

from connectors.channels import CHANNELS
from stream.evaluate import svg
from stream.evaluate.factors import Factor
from stream.evaluate.glucose import alarms, grids
from stream.evaluate.provenance import learned_from
from stream.evaluate.widgets import (
    Cells,
    called,
    change,
    colour,
    crps_change,
    figures,
    main_horizon,
    minutes,
    percent,
    table,
    title,
)

PLAIN = ("persistence", "linear", "damped", "hours", "week")


def tiles(document: dict[str, Any]) -> str:
    """The figures that people ask for first."""
    found = []
    for channel, part in figures(document):
        for h in part["horizons"]:
            against = h["intervals"]["against"]
            best = min(
                (k for k in ("ar", "trees", "week") if k in against), key=lambda k: h["scores"][k]["rmse"]
            )
            found.append((f"{h['scores']['twin']['rmse']:.2f} {escape(CHANNELS[channel].ucum)}",
                          (f"{escape(CHANNELS[channel].title)}, RMSE at {minutes(h['horizon_s'])}; {called(best)} "
                          f"{h['scores'][best]['rmse']:.2f}: {change(against[best])}")))  # fmt: skip
    html = "".join(f'<div class="tile"><b>{value}</b><span>{label}</span></div>' for value, label in found)
    more = "".join(_not_compared(c, part) for c, part in document["channels"].items() if part["missing"])
    return f'<div class="tiles">{html}</div>{more}'


def _not_compared(channel: str, part: dict[str, Any]) -> str:
    """One line a channel: its horizons without a comparison, and how often it is read."""
    at = ", ".join(minutes(m["horizon_s"]) for m in part["missing"])
    steps = sorted({g["step_s"] for g in part["groups"]})
    read = f" (read every {' or '.join(minutes(step) for step in steps)})" if steps else ""
    why = escape(part["missing"][0]["why"])
    return f'<p class="not">{escape(CHANNELS[channel].title)}{read} at {at}: not compared: {why}.</p>'


def samples(document: dict[str, Any]) -> str:
    """People and coverage of time."""
    rows = [
        ("", (escape(r["person"]), escape(r["channel"]), f"{r['days']:.1f}", f"{r['readings']:,}", f"{r['step_s'] / 60:g}",
              percent(r["readings_share"]), percent(r["forecast_share"])))
        for r in document["coverage"]
    ]  # fmt: skip
    header = (
        "person",
        "channel",
        "days",
        "readings",
        "interval [min]",
        "readings that came [%]",
        "time with a forecast [%]",
    )
    replay = document["replay"]
    refused = ", ".join(f"{k}: {v}" for k, v in replay.get("refused", {}).items()) or "none"
    note = (f"<p>Replay: {replay.get('applied', 0):,} readings applied, {replay.get('duplicate', 0):,} duplicates, "
            f"{replay.get('late', 0):,} late, refused {escape(refused)}. The first {document['onboarding_s'] / 3600:g} h of each "
            f"person are not scored. {escape(learned_from(document))}</p>")  # fmt: skip
    return note + table(header, rows)


def _by_horizon(channel: str, part: dict[str, Any]) -> str:
    """RMSE as a share of persistence's, so that close lines part; the table has linear and hour of day too."""
    horizons = part["horizons"]
    names = [name for name in horizons[0]["scores"] if name not in ("persistence", "linear", "hours")]
    lines = []
    for name in names:
        values = [100.0 * h["scores"][name]["rmse"] / h["scores"]["persistence"]["rmse"] for h in horizons]
        tips = [
            f"{called(name)}, {minutes(h['horizon_s'])}: {h['scores'][name]['rmse']:.2f}" for h in horizons
        ]
        points = [(float(i), value) for i, value in enumerate(values)]
        lines.append(svg.Line(called(name), colour(name), points, tips=tips))
    level = [(-0.3, 100.0), (len(horizons) - 0.7, 100.0)]
    lines.append(svg.Line("persistence", "persistence", level, marks=False))
    span = svg.extent([y for line in lines for _, y in line.points])
    axes = svg.Axes((-0.3, len(horizons) - 0.7), span, "horizon", "RMSE [% of persistence]")
    marks = [float(i) for i in range(len(horizons))]
    names_below = [minutes(h["horizon_s"]) for h in horizons]
    return svg.chart(axes, lines, f"RMSE by horizon, {channel}", marks, names_below)


def _by_person(channel: str, h: dict[str, Any]) -> str:
    people = sorted(h["by_person"].items(), key=lambda item: item[1]["ar"]["rmse"])
    names = [n for n in ("twin", "ar", "trees", *h["scores"]) if n in h["scores"] and n not in PLAIN]
    names = list(dict.fromkeys(names))
    lines = [
        svg.Line(called(n), colour(n), [(i + 0.12 * (k - 1), s[n]["rmse"]) for i, (_, s) in enumerate(people)], joined=False,
                 tips=[f"{who}, {called(n)}: {s[n]['rmse']:.2f}" for who, s in people])
        for k, n in enumerate(names)
    ]  # fmt: skip
    axes = svg.Axes((-0.6, len(people) - 0.4), svg.extent([y for line in lines for _, y in line.points]),
                    f"people, by the error of AR; {minutes(h['horizon_s'])}", f"RMSE [{CHANNELS[channel].ucum}]")  # fmt: skip
    few = len(people) <= 6
    marks = [float(i) for i in range(len(people))] if few else [0.0, len(people) - 1.0]
    labels = [who[-14:] for who, _ in people] if few else ["1", str(len(people))]
    return svg.chart(axes, lines, f"RMSE by person, {channel}", marks, labels)


def _by_learning(share: dict[str, float] | None) -> str:
    """How much of the change from now was learned, and how much is the mechanism's."""
    if share is None:
        return ""
    if share["mean"] == 0.0:
        return "; the mechanism alone"
    quartiles = f"{percent(share['q25'], 0)} to {percent(share['q75'], 0)}"
    return f"; learned {percent(share['mean'], 0)} % of the change from now (quartiles {quartiles}), the rest is the mechanism's"


def agreement(document: dict[str, Any]) -> str:
    """Error beside baselines."""
    parts = []
    for channel, part in figures(document):
        rows: list[tuple[str, Cells]] = []
        for h in part["horizons"]:
            count = f"{minutes(h['horizon_s'])} ahead: {h['n']:,} instants, {h['people']} people"
            rows.append(("", (count + _by_learning(h["learned"]),)))
            for name, s in h["scores"].items():
                other = h["intervals"]["against"].get(name)
                gap, loss = (change(other), crps_change(other)) if other else ("", "")
                spread = h["intervals"]["rmse"] if name == "twin" else None
                interval = f" [{spread[0]:.2f}, {spread[1]:.2f}]" if spread else ""
                rows.append((colour(name), (escape(called(name)), f"{s['rmse']:.2f}{interval}", f"{s['mae']:.2f}",
                                    f"{s['bias']:+.2f}", f"{s['crps']:.2f}",
                                    percent(s["coverage_50"]), percent(s["coverage_90"]), gap, loss)))  # fmt: skip
        header = (
            "forecast",
            "RMSE",
            "MAE",
            "bias",
            "CRPS",
            "in 50 % band",
            "in 90 % band",
            "twin's RMSE against it",
            "twin's CRPS against it",
        )
        plots = (
            f'<div class="plots">{_by_horizon(channel, part)}{_by_person(channel, main_horizon(part))}</div>'
        )
        parts.append(f"<h3>{title(channel)}</h3>{plots}{table(header, rows)}")
    groups = [g for part in document["channels"].values() for g in part["groups"]]
    alone = any(len(g["people"]) < 2 for g in groups)
    how = ("Damped trend, AR and trees are learned in folds by person: never on the person that is scored."
           + (" Where a sensor's interval has one person only, they are learned on the first half of that person's time and "
              "everything is compared on the second half." if alone else ""))  # fmt: skip
    trees = (
        ""
        if document["trees"]
        else '<p class="not">Boosted trees are not shown: scikit-learn is not installed.</p>'
    )
    crps = ("CRPS is twice the mean pinball loss of five quantiles. "
            "Bands of baselines are quantiles of their errors on other people.")  # fmt: skip
    return f'{"".join(parts)}<p class="quiet">{how} {crps}</p>{trees}'


def conditions(document: dict[str, Any]) -> str:
    """Strata."""
    parts = []
    for channel, part in figures(document):
        rows: list[tuple[str, Cells]] = []
        for h in part["horizons"]:
            for name, s in h["by_stratum"].items():
                twin, other = s["scores"]["twin"], s["intervals"]["against"]
                rows.append(("", (minutes(h["horizon_s"]), escape(name), f"{s['n']:,}", f"{twin['rmse']:.2f}",
                                  f"{twin['bias']:+.2f}", percent(twin["coverage_50"]), percent(twin["coverage_90"]),
                                  change(other["ar"]), change(other["trees"]) if "trees" in other else "-")))  # fmt: skip
        header = (
            "horizon",
            "stratum",
            "n",
            "RMSE",
            "bias",
            "in 50 % band",
            "in 90 % band",
            "against AR",
            "against trees",
        )
        parts.append(f"<h3>{title(channel)}</h3>{table(header, rows)}")
    return "".join(parts)


def calibration(document: dict[str, Any]) -> str:
    """Bands, PIT and CRPS."""
    parts = []
    for channel, part in figures(document):
        plots = []
        for h in part["horizons"]:
            high = max(0.2, *h["pit"])
            axes = svg.Axes(
                (0.0, 1.0), (0.0, 1.05 * high), "P(reading below what came)", "share of readings", 320, 210
            )
            drawn = svg.histogram(h["pit"], axes, f"PIT, {channel}, {minutes(h['horizon_s'])}", 0.1)
            plots.append(
                drawn.replace(
                    "<figure>", f"<figure><figcaption>PIT at {minutes(h['horizon_s'])}</figcaption>", 1
                )
            )
        rows: list[tuple[str, Cells]] = []
        for h in part["horizons"]:
            s, i = h["scores"]["twin"], h["intervals"]
            spans = [
                f" [{percent(i[k][0])}, {percent(i[k][1])}]" if i[k] else ""
                for k in ("coverage_50", "coverage_90")
            ]
            rows.append(("", (minutes(h["horizon_s"]), percent(s["coverage_50"]) + spans[0], percent(s["coverage_90"]) + spans[1],
                              f"{s['crps']:.2f}", f"{s['crps_normal']:.2f}", f"{s['nis']:.2f}",
                              *(percent(r["observed"]) for r in h["reliability"]))))  # fmt: skip
        header = ("horizon", "in 50 % band", "in 90 % band", "CRPS, quantiles", "CRPS, normal", "mean z²",
                  *(f"below q{100 * r['nominal']:02.0f}" for r in part["horizons"][0]["reliability"]))  # fmt: skip
        parts.append(
            f'<h3>{title(channel)}</h3><div class="plots small">{"".join(plots)}</div>{table(header, rows)}'
        )
    return "".join(parts)


def innovations(document: dict[str, Any]) -> str:
    """NIS and whiteness."""
    rows: list[tuple[str, Cells]] = [
        ("", (escape(channel), escape(person), f"{f['n']:,}", f"{f['nis']:.3f}",
              f"{f['expected_low']:.3f} to {f['expected_high']:.3f}", f"{f['mean']:+.3f}", f"{f['autocorrelation'][0]:+.3f}",
              f"{f['ljung_box']:.0f}", f"{f['p']:.3g}"))
        for channel, people in document["innovations"].items() for person, f in people.items()
    ]  # fmt: skip
    if not rows:
        return '<p class="not">Not shown: this replay did not write its innovations (columns surprise_&lt;channel&gt;).</p>'
    header = ("channel", "person", "n", "NIS", "expected", "mean", "lag 1", "Ljung-Box (20)", "p")
    return table(header, rows)


def learning(document: dict[str, Any]) -> str:
    """Parameter curves, at most six people a plot."""
    if not document["learning"]:
        return '<p class="not">Not shown: no parameter became surer than it began.</p>'
    plots = []
    for name, entry in document["learning"].items():
        shown = list(entry["people"].items())[:6]
        values = [
            v
            for _, p in shown
            for row in p["curve"][1:] or p["curve"]
            for v in (row[1] - row[2], row[1] + row[2])
        ]
        last = max(p["curve"][-1][0] for _, p in shown)
        axes = svg.Axes(
            (0.0, last or 1.0), svg.extent(values), "days", f"{name} [{entry['unit']}]"[:46], 420, 230
        )
        kinds = [f"p{i}" for i in range(6)]
        inside = "".join(svg.band(axes, p["curve"], kinds[i]) for i, (_, p) in enumerate(shown))
        key = svg.legend([(who, kinds[i]) for i, (who, _) in enumerate(shown)])
        ratios = sorted(p["sd_ratio"] for p in entry["people"].values() if p["sd_ratio"] is not None)
        fell = f"sd at the end {ratios[len(ratios) // 2]:.2f} of the first (median)" if ratios else ""
        words = escape(name.replace("_", " "))
        plots.append(
            f"<figure><figcaption>{words}: {fell}</figcaption>{svg.frame(axes, inside, name)}{key}</figure>"
        )
    return f'<div class="plots">{"".join(plots)}</div>'


def truth(document: dict[str, Any]) -> str:
    """States against a truth table."""
    if not document["truth"]:
        return (
            '<p class="not">Not shown: no truth was given (--truth TABLE) and none lies beside the table.</p>'
        )
    rows: list[tuple[str, Cells]] = [
        ("", (escape(name), f"{f['n']:,}", f"{f['rmse']:.4g}", f"{f['bias']:+.4g}", percent(f["coverage_90"]),
              f"{f['nees']:.2f}"))
        for name, f in document["truth"].items()
    ]  # fmt: skip
    return table(("state", "n", "RMSE", "bias", "truth in 90 % band [%]", "NEES"), rows)


def relevance(document: dict[str, Any]) -> str:
    """Error grids and alarms."""
    parts = []
    for channel, part in figures(document):
        if channel == "glucose":
            parts.append(grids(part))
            parts.append(alarms(part))
    return "".join(parts) or '<p class="not">Not shown: error grids and alarms are defined for glucose.</p>'


def factor_table(found: Sequence[Factor]) -> str:
    """Every factor with what was and was not shown."""
    rows: list[tuple[str, Cells]] = [
        ("", (escape(f.part), escape(f.name), escape(f.iso), escape(f.shown), escape(f.missing) or "-"))
        for f in found
    ]
    return table(("part", "factor", "ISO/TS 9491-1", '<span class="shown">shown</span>',
                  '<span class="not">not shown</span>'), rows, frozenset({1, 2, 3, 4}))  # fmt: skip
