"""Which weights of the learned part a twin uses: those that are shipped, a file of one's own, or none."""

from functools import cache
from pathlib import Path

from twin.learned.weights import Weights, load, nothing

NONE = "none"


@cache
def weights_named(name: str = "") -> Weights:
    """Weights by a setting: empty for those that are shipped, `none` for the mechanism alone, else a file.

    Raises:
        WeightsError: the file cannot be used; says why.

    """
    if name == NONE:
        return nothing()
    return load(Path(name) if name else None)
