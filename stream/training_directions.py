"""The directions of the second layer in which people differ, and by how much: the prior of what a person learns.

A person's correction of a forecast is b' phi, phi = [1, standardised main directions of the layer], b ~ N(0, S) between people.
S is found by expectation and maximisation over the people that were trained on (Laird, Ware 1982, random effects):

    C_i = (Phi' Phi / (v s2) + S^-1)^-1,  m_i = C_i Phi' r / (v s2),  S = mean(m_i m_i' + C_i)

r: errors of the population's mean in units of s_h; v: forecasts that overlap. The first eigenvectors of S, each times the root
of its eigenvalue, are the projection: with the recursion's equal prior variances a person then learns most where people
differ most, and nearly nothing where they do not (twin/learned/adapt.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stream.training_network import PER_HORIZON, hidden_units
from stream.training_people import Rows
from twin.learned import glucose_slot as s_
from twin.learned.adapt import CLIPPED_ERROR, PRIOR_HIDDEN
from twin.learned.network import Network
from twin.learned.observe import AHEAD_MIN

Floats = NDArray[np.float64]
KEPT = 24  # main directions of the layer that are looked at
LEARNED_AT = (1, 2)  # of the horizons
STEPS = 8
CLIPPED = 4.0
LEAST = 1e-6  # of a layer that hardly moves


def _fixed(directions: Floats) -> Floats:
    """An eigenvector may point either way: the largest element says which."""
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    return np.asarray(directions * signs, dtype=np.float64)


def directions(
    network: Network, rows: Sequence[list[Rows]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Usual units (units,) and projection (units, PROJECTED) of the people whose rows these are."""
    own = [person[0] for person in rows]
    units = [hidden_units(network, part.x[:: part.quarter]).astype(np.float64) for part in own]
    everybody = np.concatenate(units)
    middle = everybody.mean(axis=0)
    size, main = np.linalg.eigh(np.cov((everybody - middle).T))
    kept = min(KEPT, len(size))
    main = _fixed(main[:, ::-1][:, :kept]) / np.sqrt(np.maximum(size[::-1][:kept], LEAST))
    seen, told, error2, count = [], [], 0.0, 0
    for part, unit in zip(own, units, strict=True):
        phi = np.column_stack([np.ones(len(unit)), np.clip((unit - middle) @ main, -CLIPPED, CLIPPED)])
        mean = unit @ network.outer[:, ::PER_HORIZON] + network.offset[::PER_HORIZON]
        at = slice(None, None, part.quarter)
        for h in LEARNED_AT:
            overlap = AHEAD_MIN[h] / s_.OPEN_EVERY_MIN
            error = (part.target[at][:, h] - part.base[at][:, h, 0]) / part.base[at][:, h, 1] - mean[:, h]
            known = np.isfinite(error)
            error = np.clip(error[known], -CLIPPED_ERROR, CLIPPED_ERROR)
            seen.append(phi[known].T @ phi[known] / overlap)
            told.append(phi[known].T @ error / overlap)
            error2, count = error2 + float(error @ error), count + len(error)
    between = _between(np.array(seen), np.array(told), error2 / max(count, 1))
    size, turned = np.linalg.eigh(between[1:, 1:])
    learned = np.zeros((len(middle), s_.PROJECTED))
    found = min(s_.PROJECTED, kept)
    strength = np.sqrt(np.maximum(size[::-1][:found], 0.0) / (PRIOR_HIDDEN * error2 / max(count, 1)))
    learned[:, :found] = main @ (_fixed(turned[:, ::-1][:, :found]) * strength)
    return middle.astype(np.float32), np.ascontiguousarray(learned, dtype=np.float32)


def _between(seen: Floats, told: Floats, noise: float) -> Floats:
    """S, from Phi' Phi / v and Phi' r / v of every person."""
    found = PRIOR_HIDDEN * np.eye(seen.shape[1])
    for _ in range(STEPS):
        spread = np.linalg.inv(seen / noise + np.linalg.inv(found))
        mean = np.einsum("nij,nj->ni", spread, told / noise)
        found = (np.einsum("ni,nj->ij", mean, mean) + spread.sum(axis=0)) / len(seen)
    return np.asarray(found, dtype=np.float64)
