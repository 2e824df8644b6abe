"""The part of the page that only glucose has: error grids, and the curve of alarms."""

from html import escape
from typing import Any

from stream.evaluate import svg
from stream.evaluate.widgets import TITLES, Cells, main_horizon, minutes, percent, table
from twin.scoring.grids import DTS_LOWER, DTS_UPPER, ZONES

EDGE = 420.0  # of the plot [mg/dL]
FAMILIES = (("twin chance of < 70 at 30 min above", "twin: chance", "twin"), ("twin mean 30 min below", "twin: mean", "damped"),
            ("ar 30 min below", "AR", "ar"), ("trees 30 min below", "boosted trees", "trees"),
            ("glucose below", "glucose now", "persistence"), ("linear 30 min below", "linear 30 min", "linear"))  # fmt: skip


def _dts_plot(h: dict[str, Any]) -> str:
    axes = svg.Axes(
        (0.0, EDGE),
        (0.0, EDGE),
        "measured [mg/dL]",
        f"forecast {minutes(h['horizon_s'])} before [mg/dL]",
        460,
        420,
    )
    shapes = [svg.path(axes, [(0, 0), (EDGE, 0), (EDGE, EDGE), (0, EDGE)], "zone z4", closed=True)]
    # From the outer zones inwards, each drawn over the one around it.
    for k in (3, 2, 1, 0):
        (flat, end), (start, bottom) = DTS_UPPER[k], DTS_LOWER[k]
        top = min(EDGE, flat + (EDGE - 50.0) * (600.0 - flat) / (end - 50.0))
        reach = 50.0 + (top - flat) * (end - 50.0) / (600.0 - flat)
        low = 50.0 + (EDGE - start) * (bottom - 50.0) / (600.0 - start)
        corner = [
            (0.0, 0.0),
            (start, 0.0),
            (start, 50.0),
            (EDGE, low),
            (EDGE, EDGE),
            (reach, top),
            (50.0, flat),
            (0.0, flat),
        ]
        hidden = "".join(svg.path(axes, corner, kind, closed=True) for kind in ("under", f"zone z{k}"))
        shapes.append(hidden)
    cloud = svg.dots(axes, [(m, f) for m, f in h["scatter"] if m <= EDGE and f <= EDGE], "cloud", 2.2)
    names = "".join(
        f'<text class="label" x="{axes.px(x):.0f}" y="{axes.py(y):.0f}">{z}</text>'
        for z, x, y in (("A", 385, 395), ("B", 300, 400), ("C", 215, 400), ("D", 150, 400), ("E", 60, 400), ("B", 385, 275),
                        ("C", 385, 165), ("D", 385, 108), ("E", 385, 40))
    )  # fmt: skip
    shown = f"{len(h['scatter'])} of {h['n']:,} forecasts"
    caption = f"<figcaption>DTS error grid, {minutes(h['horizon_s'])} ahead ({shown})</figcaption>"
    return f"<figure>{caption}{svg.frame(axes, ''.join(shapes) + cloud + names, 'DTS error grid')}</figure>"


def grids(part: dict[str, Any]) -> str:
    """Shares of the zones by horizon for twin, AR and persistence, and the DTS grid with a thinned cloud."""
    rows: list[tuple[str, Cells]] = []
    for h in part["horizons"]:
        for name in ("twin", "ar", "persistence"):
            shares = h["grids"][name]
            rows.append((name, (minutes(h["horizon_s"]), TITLES[name], *(percent(shares["dts"][z], 2) for z in ZONES),
                                *(percent(shares["clarke"][z], 2) for z in ZONES))))  # fmt: skip
    header = ("horizon", "forecast", *(f"DTS {z} [%]" for z in ZONES), *(f"Clarke {z} [%]" for z in ZONES))
    note = ('<p class="quiet">Zones by the vertices of Klonoff et al. 2024, Table A1, and by Clarke et al. 1987. '
            "They were made for sensors against blood; here a forecast stands against the later CGM reading. "
            "Zone A alone counts as success.</p>")  # fmt: skip
    return f'<h3>Error grids</h3><div class="plots">{_dts_plot(main_horizon(part))}<div>{note}</div></div>{table(header, rows)}'


def _curve(rules: list[dict[str, Any]]) -> str:
    lines = []
    for rule, label, kind in FAMILIES:
        found = [r for r in rules if r["rule"] == rule and r["sensitivity"] is not None]
        found.sort(key=lambda r: r["false_per_day"])
        if found:
            lines.append(svg.Line(label, kind, [(r["false_per_day"], r["sensitivity"]) for r in found],
                                  tips=[f"{rule} {r['threshold']:g}: {percent(r['sensitivity'])} %, "
                                        f"{r['false_per_day']:.2f} false a day, placebo {percent(r['placebo'])} %"
                                        for r in found]))  # fmt: skip
    known = {rule for rule, _, _ in FAMILIES}
    for rule in dict.fromkeys(
        r["rule"] for r in rules if " chance of " in r["rule"] and r["rule"] not in known
    ):
        found = sorted((r for r in rules if r["rule"] == rule), key=lambda r: r["false_per_day"])
        points = [(r["false_per_day"], r["sensitivity"]) for r in found]
        lines.append(svg.Line(rule.split(" chance of ")[0] + ": chance", "p5", points))
    live = [r for r in rules if r["threshold"] is None and r["sensitivity"] is not None]
    if live:
        lines.append(
            svg.Line(
                "alert as issued",
                "live",
                [(r["false_per_day"], r["sensitivity"]) for r in live],
                joined=False,
            )
        )
    right = min(6.0, max(x for line in lines for x, _ in line.points) * 1.05)
    lines = [svg.Line(n.label, n.kind, [p for p in n.points if p[0] <= right], n.marks, n.joined,
                      [t for t, p in zip(n.tips, n.points, strict=False) if p[0] <= right]) for n in lines]  # fmt: skip
    axes = svg.Axes((0.0, right), (0.0, 1.02), "false alarms a day", "share of episodes caught", 560, 340)
    return svg.chart(axes, lines, "Sensitivity against false alarms a day")


def alarms(part: dict[str, Any]) -> str:
    """Low-glucose alarms: curve and table, with the placebo rate."""
    found = part.get("alarms")
    if not found or not found["rules"]:
        return (
            '<p class="not">Alarms are not shown: they need forecasts 30 minutes ahead (--forecast 30).</p>'
        )
    if not found["episodes"]:
        return f'<p class="not">Alarms are not shown: no low-glucose episode in {found["days"]:.1f} days.</p>'
    rows: list[tuple[str, Cells]] = [
        ("twin" if r["rule"].startswith(("twin", "alert")) else "",
         (escape(r["rule"]), "-" if r["threshold"] is None else f"{r['threshold']:g}", percent(r["sensitivity"]),
          percent(r["ppv"]), f"{r['false_per_day']:.2f}", "-" if r["lead_min"] is None else f"{r['lead_min']:.0f}",
          percent(r["warned_15_min"]), percent(r["placebo"])))
        for r in found["rules"]
    ]  # fmt: skip
    header = ("rule", "threshold", "episodes caught [%]", "alarms that were right [%]", "false a day", "median lead [min]",
              "warned 15 min ahead [%]", "placebo [%]")  # fmt: skip
    note = (f'<p class="quiet">{found["episodes"]} episodes in {found["days"]:.0f} days: at least 15 min below 70 mg/dL '
            "after 30 min above; an alarm counts 0 to 45 min before. Every reading is asked; "
            "AR and trees are silent where the last hour has a gap. Placebo: share of quiet 45-min windows "
            "in which the rule fired all the same, the chance that it would have been right by luck.</p>")  # fmt: skip
    return f'<h3>Low-glucose alarms</h3>{note}<div class="plots">{_curve(found["rules"])}</div>{table(header, rows)}'
