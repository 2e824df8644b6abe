"""Insulin signalling of the human adipocyte, whole: the 27 species of Brannmark 2013, the offline reference.

The product carries an algebraic chain of four levels instead (twin/physiology/insulin_signalling.py): the cascade's
rate constants span seven decades, its conserved totals would make a covariance singular, and nothing of it is seen by
a wearable. Insulin in nmol/L, time in minutes, species in percent of their total.

References:
    Brannmark C et al. (2013). Insulin signaling in type 2 diabetes: experimental and modeling analyses reveal
    mechanisms of insulin resistance in human adipocytes. J Biol Chem 288, 9867-9880. doi:10.1074/jbc.M112.432062.
    BioModels BIOMD0000000448 (normal) and BIOMD0000000449 (diabetic): reactions v1a to v9b2 and rate constants.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

(
    IR, IRP, IRINS, IRIP, IRI,  # receptor: free, phosphorylated, with insulin, both, internalised
    IRS1, IRS1P, IRS1P307, IRS1307,  # tyrosine (p) and serine-307 phosphorylation
    X, XP,  # unknown feedback on internalisation
    PKB, PKB308, PKB473, PKB308473,
    MTORC1, MTORC1A, MTORC2, MTORC2A,
    AS160, AS160P, GLUT4M, GLUT4,  # GLUT4M: at the membrane
    S6K, S6KP, S6, S6P,
) = range(27)  # fmt: skip

POOLS = (
    (IR, IRP, IRINS, IRIP, IRI), (IRS1, IRS1P, IRS1P307, IRS1307), (X, XP), (PKB, PKB308, PKB473, PKB308473),
    (MTORC1, MTORC1A), (MTORC2, MTORC2A), (AS160, AS160P), (GLUT4M, GLUT4), (S6K, S6KP), (S6, S6P),
)  # fmt: skip

GLUCOSE = 0.05  # medium's glucose, mmol/L
GLUT1, K8 = 7042.0, 724.2  # uptake by GLUT1, and per percent of GLUT4 at the membrane
KM6, N6, KM9, N9 = 30.54, 2.137, 5873.0, 0.9855


@dataclass(frozen=True, slots=True)
class Cell:
    """What type 2 diabetes changes: total receptor and GLUT4 [%], and the feedback of mTORC1 on IRS1 [-]."""

    receptor: float = 100.0
    glut4: float = 100.0
    feedback: float = 1.0


NORMAL = Cell()
TYPE_2 = Cell(receptor=55.0, glut4=50.0, feedback=0.15)


def rates(species, insulin, cell):
    """Rates of the 27 species at `insulin` nmol/L: reactions v1 to v9 in the order of the paper's figure."""
    s = species
    d = np.zeros(27)

    def turn(source, target, flux):
        d[source] -= flux
        d[target] += flux

    # Receptor: insulin binds, the bound receptor phosphorylates, is internalised by Xp, loses its phosphate, recycles.
    turn(IR, IRINS, 0.6331 * s[IR] * insulin)
    turn(IR, IRP, 0.03683 * s[IR])
    turn(IRINS, IRP, 0.8768 * s[IRINS])
    turn(IRP, IRIP, 31.01 * s[IRP])
    turn(IRP, IR, 1944.0 * s[IRP])
    turn(IRIP, IRI, 1840.0 * s[IRIP] * s[XP])
    turn(IRI, IR, 0.5471 * s[IRI])
    # IRS1: tyrosine by the internalised receptor, serine 307 by mTORC1 (the feedback that diabetes weakens).
    turn(IRS1, IRS1P, 3.227 * s[IRS1] * s[IRIP])
    turn(IRS1P, IRS1, 3424.0 * s[IRS1P])
    turn(IRS1P, IRS1P307, 5759.0 * s[IRS1P] * s[MTORC1A] * cell.feedback)
    turn(IRS1P307, IRS1P, 280.8 * s[IRS1P307])
    turn(IRS1P307, IRS1307, 2.913 * s[IRS1P307])
    turn(IRS1, IRS1307, 0.04228 * s[IRS1])
    turn(IRS1307, IRS1, 0.2671 * s[IRS1307])
    turn(X, XP, 0.001377 * s[X] * s[IRS1P])
    turn(XP, X, 0.09876 * s[XP])
    # PKB: threonine 308 by IRS1, serine 473 by mTORC2.
    turn(PKB, PKB308, 5790.0 * s[PKB] * s[IRS1P])
    turn(PKB308, PKB, 34.8 * s[PKB308])
    turn(PKB308, PKB308473, 4.456 * s[PKB308] * s[MTORC2A])
    turn(PKB473, PKB308473, 42.84 * s[PKB473] * s[IRS1P307])
    turn(PKB308473, PKB473, 143.6 * s[PKB308473])
    turn(PKB473, PKB, 0.5361 * s[PKB473])
    turn(MTORC1, MTORC1A, s[MTORC1] * (1.842 * s[PKB308473] + 0.05506 * s[PKB308]))
    turn(MTORC1A, MTORC1, 24.83 * s[MTORC1A])
    turn(MTORC2, MTORC2A, 0.08575 * s[MTORC2] * s[IRIP])
    turn(MTORC2A, MTORC2, 1.06 * s[MTORC2A])
    # AS160 releases GLUT4 to the membrane.
    pkb = max(s[PKB473], 0.0) ** N6
    turn(AS160, AS160P, s[AS160] * (2.652 * s[PKB308473] + 36.93 * pkb / (KM6**N6 + pkb)))
    turn(AS160P, AS160, 65.18 * s[AS160P])
    turn(GLUT4, GLUT4M, 50.98 * s[GLUT4] * s[AS160P])
    turn(GLUT4M, GLUT4, 2286.0 * s[GLUT4M])
    # Protein synthesis.
    mtorc1 = max(s[MTORC1A], 0.0) ** N9
    turn(S6K, S6KP, 0.1298 * s[S6K] * mtorc1 / (KM9**N9 + mtorc1))
    turn(S6KP, S6K, 0.04441 * s[S6KP])
    turn(S6, S6P, 3.329 * s[S6] * s[S6KP])
    turn(S6P, S6, 31.0 * s[S6P])
    return d


def integrate(species, insulin, minutes, cell):
    """Species at `minutes` (t,) after insulin steps to `insulin`: (t, 27). Stiff, hence BDF."""
    solution = solve_ivp(
        lambda _, s: rates(s, insulin, cell),
        (0.0, max(minutes)),
        species,
        method="BDF",
        t_eval=minutes,
        rtol=1e-7,
        atol=1e-9,
    )
    assert solution.success, solution.message
    return solution.y.T


@cache
def basal(cell):
    """The cell at rest without insulin: every pool starts unphosphorylated and settles for a week."""
    species = np.zeros(27)
    species[[pool[0] for pool in POOLS]] = 100.0
    species[GLUT4M], species[GLUT4] = 0.0, cell.glut4
    species[IR] = cell.receptor
    return integrate(species, 0.0, [10_000.0], cell)[-1]


def stimulate(insulin, minutes, cell):
    """Species at `minutes` after a cell at rest meets `insulin` nmol/L: (t, 27)."""
    return integrate(basal(cell), insulin, minutes, cell)


def uptake(species):
    """Glucose uptake, the index of the model: k8 GLUT4m gluc + glut1 gluc."""
    return K8 * species[..., GLUT4M] * GLUCOSE + GLUT1 * GLUCOSE


def tyrosine(species):
    """IRS1 with phosphorylated tyrosine, %: IRS1p + IRS1p307."""
    return species[..., IRS1P] + species[..., IRS1P307]


def serine_473(species):
    """PKB with phosphorylated serine 473, %."""
    return species[..., PKB473] + species[..., PKB308473]
