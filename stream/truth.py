"""A body in open loop as a row of a table: what perfect sensors read, by the channels' names, and every state.

`twin model run` and `twin simulate` both write it. Columns have the channel's unit where there is such a channel, else the
observable's of `twin model list`; states are natural values.
"""

from datetime import UTC, datetime

from twin import record as r_
from twin.blocks import circadian, fast, metabolic, slow
from twin.exposure import EXPOSURES
from twin.observe import ORAL_BELOW_CORE
from twin.open_loop import OpenLoop
from twin.summary import SEEN_COLUMNS

OBSERVABLES = (*SEEN_COLUMNS, "body_temperature", "glucose_bgm")
STATES = (*(state.name for block in (fast, metabolic, circadian, slow) for state in block.STATES), *EXPOSURES)


def truth_header() -> list[str]:
    """The names of the columns."""
    return ["person", "time", *OBSERVABLES, *(f"state.{name}" for name in STATES)]


def stamp(at_ms: int) -> str:
    """RFC 3339 of event time, to the second where it is whole."""
    moment = datetime.fromtimestamp(at_ms / 1000.0, UTC)
    text = moment.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")
    return text.replace("+00:00", "Z")


def truth_row(person: str, at_ms: int, body: OpenLoop) -> list[str]:
    """One row, in the order of `truth_header`."""
    seen = body.observables()
    seen["oxygen_uptake"] *= seen["weight"]  # the channel is mL/min, the observable mL/kg/min
    seen["body_temperature"] = seen["core_temperature"] - ORAL_BELOW_CORE
    seen["glucose_bgm"] = seen["glucose"]
    states = body.states()
    states |= zip(EXPOSURES, body.record[r_.EXPOSURE : r_.FAST_BODY].tolist(), strict=True)
    values = [*(seen[name] for name in OBSERVABLES), *(states[name] for name in STATES)]
    return [person, stamp(at_ms), *(f"{value:.9g}" for value in values)]
