"""Intracellular insulin signalling: receptor, IRS1, PKB and surface GLUT4.

The 27-state adipocyte of Brannmark is quasi-steady for a filter of minutes, so its levels are algebraic; only the
interstitial insulin and the GLUT4 fraction at the surface move.

References:
    Brannmark C et al. (2013). Insulin signaling in type 2 diabetes. J Biol Chem 288, 9867-9880 (BIOMD0000000448/449).
    Nyman E et al. (2011). A hierarchical whole-body modeling approach. J Biol Chem 286, 26028-26041.

The chain's constants are least squares to that model's time courses: normal K_R 1.43, K1 0.22, K2 3.0, K3 0.36;
type 2 K_R 1.46, K1 50, K2 0.31, K3 0.66 (insulin in nmol/L).
"""

from twin.jit import equation

GLUT4_MINUTES = 8.0
CELL_EC50_PMOL_L = 55.0  # of the isolated cell, 0.055 nmol/L


@equation
def interstitial_insulin_rate(interstitial: float, plasma: float, rate: float) -> float:
    """dXi/dt = p2U (I - Xi), pmol/L per minute: capillary to interstitium."""
    return rate * (plasma - interstitial)


@equation
def glut4_demand(interstitial: float, potency: float) -> float:
    """gss' = Xi / (E_I + Xi): what the chain comes to in the whole body; E_I 600 (T2D 900) [pmol/L]."""
    return interstitial / (potency + interstitial)


@equation
def glut4_rate(surface: float, demand: float) -> float:
    """dg4/dt = (gss' - g4) / 8, 1/min."""
    return (demand - surface) / GLUT4_MINUTES


@equation
def signalling_levels(
    interstitial: float, potency: float, diabetic: float
) -> tuple[float, float, float, float]:
    """Activated fractions of receptor, IRS1, PKB and GLUT4 demand, for people.

    r = Xi / (K_R + Xi),  s = r (1 + K1) / (K1 + r),  q = s (1 + K2) / (K2 + s),  gss = q (1 + K3) / (K3 + q)

    Args:
        interstitial: Xi [pmol/L].
        potency: E_I, whole-body potency [pmol/L]; the cell sees Xi EC50_cell / E_I.
        diabetic: 1 where the constants of type 2 diabetes hold, else 0.

    Returns:
        r, s, q, gss, each a fraction of its maximum.

    """
    k_r, k_1 = (1.46, 50.0) if diabetic > 0.5 else (1.43, 0.22)
    k_2, k_3 = (0.31, 0.66) if diabetic > 0.5 else (3.0, 0.36)
    insulin_nmol_l = interstitial * CELL_EC50_PMOL_L / potency / 1000.0
    receptor = insulin_nmol_l / (k_r + insulin_nmol_l)
    irs1 = receptor * (1.0 + k_1) / (k_1 + receptor)
    pkb = irs1 * (1.0 + k_2) / (k_2 + irs1)
    return receptor, irs1, pkb, pkb * (1.0 + k_3) / (k_3 + pkb)
