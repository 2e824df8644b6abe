"""Credibility factors of ASME V&V 40-2018, each with what this report shows and what it does not.

The names are those of the standard's table of factors (verification, validation, applicability). Beside them the subject of
ISO/TS 9491-1:2023 (set-up, formatting, validation, simulation, storing and sharing of models; description and provenance
of their data) under which the same is asked. A report cannot know the context of use: whoever relies on it must add it.
"""

from dataclasses import dataclass
from typing import Any

from stream.evaluate.provenance import caution, learned_from


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor: part of the standard, name, ISO subject, what was shown and what was not."""

    part: str
    name: str
    iso: str
    shown: str
    missing: str


def _shares(document: dict[str, Any]) -> str:
    shown = {name: sum(h["n"] for h in c["horizons"]) for name, c in document["channels"].items()}
    told = ", ".join(name for name, count in shown.items() if count)
    people = len(document["people"])
    return f"{sum(shown.values()):,} forecasts of {people} people ({told}), each beside its baselines at the same instant"


def _listed(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _verification(found: dict[str, Any] | None) -> tuple[str, str]:
    """What is shown and what is not of the equations' check-points and of the filter."""
    judge = "the filter beside filterpy (`twin replay --filter reference`)"
    if found is None:
        return "nothing here", f"the equations' check-points (`twin model check`); {judge}"
    told = f"{found['met']} of {found['checkpoints']} check-points of the specification met by this version of the program"
    missed = f"missed: {', '.join(found['missed'])}" if found["missed"] else ""
    return told, _listed(missed, judge, "the version that made the replay, if it was another")


def factors(document: dict[str, Any]) -> list[Factor]:
    """The table of the report's end; every entry follows from the document."""
    several = len(document["people"]) > 1
    whole = any("alarms" in c for c in document["channels"].values())
    innovations, learned, truth = document["innovations"], document["learning"], document["truth"]
    horizons = [h for c in document["channels"].values() for h in c["horizons"]]
    hybrid = any(h["learned"] and h["learned"]["mean"] > 0.0 for h in horizons)
    apart = document["beside"] or not hybrid
    trees = (
        ""
        if document["trees"]
        else "boosted trees (scikit-learn is not installed: pip install 'wearable-twin[evaluate]'); "
    )
    return [
        Factor("Verification: code", "Software quality assurance", "storing and sharing",
               "nothing here", "the project's own tests; run pytest at the version that made the replay"),
        Factor("Verification: code", "Numerical code verification", "verification",
               *_verification(document["verification"])),
        Factor("Verification: calculation", "Discretization error, numerical solver error", "verification",
               "nothing here", "convergence of the integrator and of the sigma points"),
        Factor("Verification: calculation", "Use error", "set-up and provenance",
               "refused and late readings are counted; nothing is overwritten",
               "whether units and clocks of the table were right"),
        Factor("Validation: model", "Model form", "validation",
               f"innovations of {len(innovations)} channels" if innovations else "error beside simpler forms (baselines)",
               _listed(("" if innovations else "innovations: the replay has no surprise_<channel> columns"),
                       "" if apart else "mechanism and learning apart (--beside mechanism=DIR)")),
        Factor("Validation: model", "Model inputs", "data: description, integration",
               f"{len(learned)} learned parameters with their uncertainty over time" if learned else "nothing",
               "sensitivity to priors and to inputs that nobody logged"),
        Factor("Validation: comparator", "Test samples", "data: provenance, description",
               f"{len(document['people'])} people, coverage of time for each",
               "age, sex, condition, skin tone and device of the people: the table does not say them"
               + ("" if several else "; one person tells nothing of others")),
        Factor("Validation: comparator", "Test conditions", "validation",
               "strata by level, trend and time of day, known when the forecast was made",
               "exercise, illness, travel; the sensor's own error is part of the target"),
        Factor("Validation: assessment", "Equivalency of input parameters", "simulation",
               "twin and baselines saw the same readings, up to the same instant", "" if not trees else f"{trees[:-2]}"),
        Factor("Validation: assessment", "Output comparison: rigor", "validation",
               _listed("folds by person, person-level bootstrap, CRPS, coverage, PIT" if several
                       else "second half of one person's time; no interval over people", learned_from(document).rstrip(".")),
               _listed(caution(document),
                       "whether model settings were tuned on these very people: only who made the twin can say")),
        Factor("Validation: assessment", "Output comparison: agreement", "validation",
               _shares(document) + (f"; {len(truth)} states and observables against truth" if truth else ""),
               "" if truth else "states against truth: only virtual people have one"),
        Factor("Applicability", "Relevance of the quantities of interest", "validation",
               "error grids and low-glucose alarms with their placebo rate" if whole else "error in the channel's own unit",
               "what care teams or patients did, and what came of it" if whole
               else "alarms: glucose 30 minutes ahead is not in this replay"),
        Factor("Applicability", "Relevance of the validation to the context of use", "validation",
               "virtual life of known truth: whether the filter finds what its equations can express" if truth
               else "recorded life, replayed strictly in event time",
               _listed("people: virtual ones say nothing about them" if truth else "",
                       "prospective use; the context of use itself must be stated by its owner")),
    ]  # fmt: skip
