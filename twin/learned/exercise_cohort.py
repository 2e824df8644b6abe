"""What the people of one history have in common: the prior of each of them, learned of all their bouts.

    numbers of person i ~ N(m, diag(s^2)),   m ~ EVERYBODY's centre and s ~ its widths, as much as ALREADY people count

by expectation and maximisation (Laird, Ware 1982, random effects), each person's numbers by exercise.fit and Laplace's
variances. Nothing of it is kept or shipped: it is as good as the history it is given, and of one person's history it stays
near EVERYBODY.
"""

from collections.abc import Sequence

import numpy as np

from twin.learned import exercise
from twin.learned.exercise import EVERYBODY, Bout, Prior

ALREADY = 1.0  # people as which EVERYBODY counts
STEPS, STANDS = 30, 0.01  # at most so many; the centre moves by less than this share of its width


def prior_of(people: Sequence[list[Bout]]) -> Prior:
    """The prior of these people from the bouts of each of them; EVERYBODY where there is nobody."""
    prior = EVERYBODY
    if not people:
        return prior
    for _ in range(STEPS):
        fits = [exercise.fit(bouts, prior) for bouts in people]
        means = np.array([found.mean for found in fits])
        open_still = np.array([found.variance for found in fits])
        count = ALREADY + len(fits)
        mean = (ALREADY * EVERYBODY.mean + means.sum(axis=0)) / count
        spread = ((means - mean) ** 2 + open_still).sum(axis=0)
        found = Prior(mean, np.sqrt((ALREADY * EVERYBODY.sd**2 + spread) / count))
        moved = np.abs(found.mean - prior.mean) / found.sd
        prior = found
        if moved.max() < STANDS:
            break
    return prior
