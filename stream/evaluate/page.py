"""The report as one HTML file that needs nothing else: no script, no network, light and dark."""

from collections.abc import Sequence
from html import escape
from typing import Any

from stream.evaluate import sections
from stream.evaluate.factors import factors

STYLE = """
:root { --bg:#f6f7f9; --card:#fff; --ink:#17202a; --quiet:#5b6773; --line:#dde2e8; --twin:#0b66c3; --ar:#b3261e; --trees:#1b8a4b;
--persistence:#8a5a00; --linear:#7d8894; --damped:#7a3db8; --good:#1b6e3c; --warn:#8a5a00; --warn-bg:#fff4dc;
--za:#1b8a4b22; --zb:#c9a20026; --zc:#d9730d2e; --zd:#b3261e33; --ze:#7a3db83d; }
@media (prefers-color-scheme: dark) { :root { --bg:#10151b; --card:#19212a; --ink:#e8edf2; --quiet:#9aa7b4; --line:#2c3742;
--twin:#6cb2ff; --ar:#ff9a92; --trees:#7fd6a0; --persistence:#ffc46b; --linear:#8a97a4; --damped:#c79bff; --good:#7fd6a0;
--warn:#ffd27a; --warn-bg:#35290f; --za:#7fd6a022; --zb:#ffd27a26; --zc:#ff9d4d2e; --zd:#ff9a9236; --ze:#c79bff40; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--bg); color:var(--ink); font:16px/1.5 system-ui, sans-serif; }
main { max-width:1120px; margin:auto; padding:1rem; }
header { max-width:1120px; margin:auto; padding:1.4rem 1rem 0; }
h1 { font-size:1.5rem; margin:0 0 .2rem; overflow-wrap:anywhere; }
h2 { font-size:1.15rem; margin:0 0 .2rem; }
h3 { font-size:1rem; margin:1.2rem 0 .4rem; }
p { margin:.3rem 0 .6rem; max-width:80ch; }
.quiet { color:var(--quiet); font-size:.92rem; }
.notice { background:var(--warn-bg); color:var(--warn); border-radius:8px; padding:.5rem .8rem; font-weight:600; }
section { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:1rem 1.2rem; margin:0 0 1rem; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(165px,1fr)); gap:.7rem; margin:.8rem 0; }
.tile { border:1px solid var(--line); border-radius:10px; padding:.55rem .8rem; }
.tile b { display:block; font-size:1.35rem; font-variant-numeric:tabular-nums; }
.tile span { color:var(--quiet); font-size:.88rem; }
.plots { display:grid; grid-template-columns:repeat(auto-fit,minmax(320px,1fr)); gap:1rem; }
figure { margin:0; min-width:0; } figcaption { font-weight:600; font-size:.95rem; margin-bottom:.2rem; }
svg { width:100%; height:auto; display:block; }
.wide { overflow-x:auto; } table { border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:.92rem; width:100%; }
th,td { text-align:right; padding:.28rem .55rem; border-bottom:1px solid var(--line); white-space:nowrap; }
th:first-child,td:first-child { text-align:left; } th { color:var(--quiet); font-weight:600; }
td.text,th.text { text-align:left; white-space:normal; min-width:11rem; } tr.twin td { font-weight:650; } tr.part th { text-align:left; }
.better { color:var(--good); } .worse { color:var(--ar); }
.gridline { stroke:var(--line); stroke-width:1; } .axis,.mark { stroke:var(--quiet); stroke-width:1; }
.tick { fill:var(--quiet); font-size:11px; } .label { fill:var(--ink); font-size:12px; }
.line { fill:none; stroke-width:1.8; stroke:var(--quiet); } .line.twin { stroke-width:3; }
.expected { stroke:var(--ink); stroke-dasharray:5 4; stroke-width:1.3; fill:none; }
.bar { fill:var(--twin); fill-opacity:.75; } .band { stroke:none; fill-opacity:.16; fill:var(--twin); }
.line.twin,.dot.twin { stroke:var(--twin); } .line.ar,.dot.ar { stroke:var(--ar); } .line.trees,.dot.trees { stroke:var(--trees); }
.line.persistence,.dot.persistence { stroke:var(--persistence); } .line.linear,.dot.linear { stroke:var(--linear); }
.line.damped,.dot.damped { stroke:var(--damped); } .dot { fill:var(--card); stroke-width:1.8; } .dot.twin { fill:var(--twin); }
.dot.live { fill:var(--ink); stroke:var(--ink); } .cloud { fill:var(--twin); fill-opacity:.38; stroke:none; } .join { stroke:var(--line); stroke-width:3; }
.under { fill:var(--card); stroke:none; } .zone { stroke:var(--quiet); stroke-width:.8; fill:none; } .z0 { fill:var(--za); } .z1 { fill:var(--zb); } .z2 { fill:var(--zc); } .z3 { fill:var(--zd); } .z4 { fill:var(--ze); }
.legend { list-style:none; display:flex; flex-wrap:wrap; gap:.1rem 1rem; margin:.2rem 0 0; padding:0; font-size:.87rem; }
.swatch { display:inline-block; width:.9rem; height:.25rem; border-radius:2px; margin-right:.35rem; vertical-align:middle; background:var(--quiet); }
.swatch.twin { background:var(--twin); } .swatch.ar { background:var(--ar); } .swatch.trees { background:var(--trees); }
.swatch.persistence { background:var(--persistence); } .swatch.linear { background:var(--linear); } .swatch.damped { background:var(--damped); } .swatch.live { background:var(--ink); }
.shown { color:var(--good); font-weight:600; } .not { color:var(--warn); font-weight:600; }
@media print { section { break-inside:avoid; } }
"""


def _section(title: str, note: str, body: str, key: str) -> str:
    return f'<section id="{key}"><h2>{escape(title)}</h2><p class="quiet">{escape(note)}</p>{body}</section>'


def render(document: dict[str, Any]) -> str:
    """One page; every number on it is in the document."""
    parts: list[str] = [_section(*_summary(document))]
    for title, note, body, key in _sections(document):
        parts.append(_section(title, note, body, key))
    first, last = document["span"]
    title = escape(str(document["title"]))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<style>{STYLE}</style></head><body><header><h1>{title}</h1>"
        f'<p class="quiet">{len(document["people"])} people, {escape(first[:10])} to {escape(last[:10])} (event time, UTC)</p>'
        '<p class="notice">Decision support, not a medical device. Figures describe these people and this replay only.</p>'
        f"</header><main>{''.join(parts)}</main></body></html>\n"
    )


def _summary(document: dict[str, Any]) -> tuple[str, str, str, str]:
    note = "Error of the twin's forecasts beside forecasts that need no twin. Below zero is better than the baseline; [ ] is the 95 % interval over people."
    return "In short", note, sections.tiles(document), "summary"


def _sections(document: dict[str, Any]) -> Sequence[tuple[str, str, str, str]]:
    return [
        ("Test samples", "Comparator: who was measured, for how long, and for how much of the time a forecast was possible.",
         sections.samples(document), "samples"),
        ("Output comparison: agreement", "Assessment: error by channel and horizon, on the same instants for all; then by person.",
         sections.agreement(document), "agreement"),
        ("Test conditions", "Comparator: the same by level, trend and time of day when the forecast was made. Rising and falling: faster than 1 unit a minute over 15 minutes.",
         sections.conditions(document), "conditions"),
        ("Output comparison: rigor", "Assessment: do the forecasts know their own error? Half of the readings should lie in the 50 % band, nine of ten in the 90 % band, and the PIT histogram should be flat.",
         sections.calibration(document), "rigor"),
        ("Relevance of the quantities of interest", "Applicability: how dangerous errors would be to somebody who acts on them, and what an alarm would be worth.",
         sections.relevance(document), "relevance"),
        ("Model form", "Innovations: in a right model they have variance one and no memory.", sections.innovations(document), "form"),
        ("Model inputs", "What the twin learned of each person: mean and one sd on both sides, over days.",
         sections.learning(document), "inputs"),
        ("States against truth", "Only where the truth is known: virtual people.", sections.truth(document), "truth"),
        ("All credibility factors", "Names of ASME V&V 40-2018; beside them the subject of ISO/TS 9491-1:2023. This page can be the core of a credibility file; it is not one by itself.",
         sections.factor_table(factors(document)), "factors"),
    ]  # fmt: skip
