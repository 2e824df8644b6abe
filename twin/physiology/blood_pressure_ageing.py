"""Blood pressure over the years: for yearly projections only.

Reference: the Linkoping hybrid stroke twin (willov/hybrid_app), fitted to population means by age: systolic pressure
rises by 0.408 mmHg a year, diastolic by 0.926 - 0.0183 t, both scaled by how far the person stands from that model's
first means, 117.86 / 75.85 mmHg. The specification does not say what t is; read as age it puts the maximum of diastolic
pressure at 51 years, where it is in populations. Treatment takes 20 / 5 mmHg over two years.
"""

SYSTOLIC_SLOPE, DIASTOLIC_SLOPE, DIASTOLIC_BEND = 0.408, 0.926, 0.0183
TREATED_SYSTOLIC, TREATED_DIASTOLIC, TREATMENT_YEARS = -20.0, -5.0, 2.0


def projected_pressure(
    systolic: float, diastolic: float, age_years: float, years: float, treated_years: float = 0.0
) -> tuple[float, float]:
    """Systolic and diastolic pressure [mmHg] after some years.

    Args:
        systolic: SBP0 now [mmHg].
        diastolic: DBP0 now [mmHg].
        age_years: age now.
        years: how far ahead.
        treated_years: how long of them under antihypertensive treatment, which is fully there after two.

    """
    systolic_scale = (systolic - 99.87) / (117.86 - 99.87)
    diastolic_scale = (diastolic - 55.98) / (75.85 - 55.98)
    later = age_years + years
    diastolic_rise = DIASTOLIC_SLOPE * years - 0.5 * DIASTOLIC_BEND * (later * later - age_years * age_years)
    treated = min(treated_years / TREATMENT_YEARS, 1.0)
    return (
        systolic + systolic_scale * SYSTOLIC_SLOPE * years + treated * TREATED_SYSTOLIC,
        diastolic + diastolic_scale * diastolic_rise + treated * TREATED_DIASTOLIC,
    )
