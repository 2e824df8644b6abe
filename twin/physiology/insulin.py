"""Insulin: secretion by the beta cell, the liver's extraction, the subcutaneous depot.

Reference: Dalla Man C, Rizza RA, Cobelli C (2007). Meal simulation model of the glucose-insulin system.
IEEE Trans Biomed Eng 54, 1740-1749. doi:10.1109/TBME.2007.893506. Liver insulin is eliminated quasi-steadily.
1 U = 6000 pmol.
"""

from twin.jit import equation
from twin.numerics import LN2, softplus

PMOL_PER_UNIT = 6000.0


@equation
def hepatic_extraction(secretion: float, slope: float, most: float) -> float:
    """HE = m6 - m5 S, kept within 0.1-0.9; S [pmol/kg/min]."""
    return min(max(most - slope * secretion, 0.1), 0.9)


@equation
def plasma_insulin_rate(
    insulin: float, secretion: float, extraction: float, depot: float, m2: float, m4: float
) -> float:
    """dIp/dt = (1 - HE) S - (m4 + HE m2) Ip + ka1 s1 + ka2 s2, pmol/kg/min; `depot` is ka1 s1 + ka2 s2."""
    return (1.0 - extraction) * secretion - (m4 + extraction * m2) * insulin + depot


@equation
def static_secretion_rate(
    static: float, glucose: float, basal_glucose: float, alpha: float, beta: float
) -> float:
    """dY/dt = -al (Y - be (G - Gb)), pmol/kg/min per minute."""
    return -alpha * (static - beta * (glucose - basal_glucose))


@equation
def secretion(static: float, glucose_rate: float, basal: float, dynamic_gain: float) -> float:
    """S = sp(Sb' + Y + K sp(dG/dt, 0.05), 0.15), Sb' = Sb - 0.05 K ln 2, pmol/kg/min.

    The offset of the inner soft-plus is taken from Sb, so that rest is exactly at Sb.
    """
    corrected = basal - dynamic_gain * 0.05 * LN2
    return softplus(corrected + static + dynamic_gain * softplus(glucose_rate, 0.05), 0.15)


@equation
def delayed_insulin_rate(delayed: float, source: float, rate: float) -> float:
    """dI1/dt = -ki (I1 - I) and dId/dt = -ki (Id - I1), pmol/L per minute: the delay of insulin on the liver."""
    return -rate * (delayed - source)


def basal_secretion(insulin: float, m2: float, m4: float, m5: float, m6: float) -> float:
    """Sb that holds plasma insulin: the positive root of (1 - HE) Sb = (m4 + HE m2) Ip with HE = m6 - m5 Sb.

    Args:
        insulin: Ip at rest [pmol/kg].
        m2, m4: rates [1/min].
        m5: [min kg/pmol].
        m6: [-].

    Returns:
        Sb [pmol/kg/min].

    """
    linear = 1.0 - m6 + m5 * m2 * insulin
    constant = (m4 + m6 * m2) * insulin
    if m5 == 0.0:
        return constant / linear
    return float((-linear + (linear * linear + 4.0 * m5 * constant) ** 0.5) / (2.0 * m5))
