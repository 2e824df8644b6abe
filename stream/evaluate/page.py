"""The report as one HTML file that needs nothing else: no script, no network, light and dark."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from stream.evaluate import sections
from stream.evaluate.factors import factors
from stream.evaluate.provenance import caution

STYLE = Path(__file__).with_name("report.css")


def _section(title: str, note: str, body: str, key: str) -> str:
    return f'<section id="{key}"><h2>{escape(title)}</h2><p class="quiet">{escape(note)}</p>{body}</section>'


def render(document: dict[str, Any]) -> str:
    """One page; every number on it is in the document."""
    parts: list[str] = [_section(*_summary(document))]
    for title, note, body, key in _sections(document):
        parts.append(_section(title, note, body, key))
    first, last = document["span"]
    title = escape(str(document["title"]))
    warned = caution(document)
    warning = f'<p class="notice"><b>Seen before.</b> {escape(warned)}</p>' if warned else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><header><h1>{title}</h1>"
        f'<p class="quiet">{len(document["people"])} people, {escape(first[:10])} to {escape(last[:10])} (event time, UTC)</p>'
        '<p class="notice">Decision support, not a medical device. Figures describe these people and this replay only.</p>'
        f"{warning}</header><main>{''.join(parts)}</main></body></html>\n"
    )


def _summary(document: dict[str, Any]) -> tuple[str, str, str, str]:
    note = (
        "Error of the twin's forecasts beside forecasts that need no twin. Below zero is better than the baseline; "
        "[ ] is the 95 % interval over people."
    )
    return "In short", note, sections.tiles(document), "summary"


def _sections(document: dict[str, Any]) -> Sequence[tuple[str, str, str, str]]:
    return [
        ("Test samples", "Comparator: who was measured, for how long, and for how much of the time a forecast was possible.",
         sections.samples(document), "samples"),
        ("Output comparison: agreement",
         "Assessment: error by channel and horizon, on the same instants for all; then by person.",
         sections.agreement(document), "agreement"),
        ("Test conditions", ("Comparator: the same by level, trend, logged meals, days of data and time of day when it was made. "
          "Rising and falling: faster than 1 unit a minute over 15 minutes."),
         sections.conditions(document), "conditions"),
        ("Output comparison: rigor", ("Assessment: do the forecasts know their own error? "
          "Half of the readings should lie in the 50 % band, nine "
          "of ten in the 90 % band, and the PIT histogram should be flat."),
         sections.calibration(document), "rigor"),
        ("Relevance of the quantities of interest", ("Applicability: how dangerous errors would be to somebody who acts on them, "
          "and what an alarm would be worth."),
         sections.relevance(document), "relevance"),
        ("Model form", "Innovations: in a right model they have variance one and no memory.",
         sections.innovations(document), "form"),
        ("Model inputs", "What the twin learned of each person: mean and one sd on both sides, over days.",
         sections.learning(document), "inputs"),
        ("States against truth", "Only where the truth is known: virtual people.", sections.truth(document), "truth"),
        ("All credibility factors", ("Names of ASME V&V 40-2018; beside them the subject of ISO/TS 9491-1:2023. "
          "This page can be the core of a credibility file; it is not one by itself."),
         sections.factor_table(factors(document)), "factors"),
    ]  # fmt: skip
