"""What a block says of its states and parameters, for the filter's start and for `twin model list`."""

from dataclasses import dataclass

PLAIN, LOG, LOGIT = 0, 1, 2
TRANSFORMS = ("plain", "log", "logit")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the equations that is fixed for a person: population value, range of people, where it is from."""

    default: float
    unit: str
    low: float
    high: float
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class State:
    """One state of a block as the filter holds it.

    Args:
        name: as estimates and `state.<name>` columns call it.
        unit: UCUM, of the natural value.
        transform: PLAIN, LOG or LOGIT (of 0 to `ceiling`): what the filter holds.
        sd: of the prior, in what the filter holds.
        walk: process noise, sd per square root of `per` minutes, in what the filter holds; 0 where the block computes it.
        per: minutes: 1, 5, 60 or 1440.
        meaning: what it is.
        ceiling: of a logit.

    """

    name: str
    unit: str
    transform: int
    sd: float
    walk: float
    per: float
    meaning: str
    ceiling: float = 1.0
