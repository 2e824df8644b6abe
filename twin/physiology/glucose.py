"""Glucose: gut, plasma and tissue, liver, kidney, exercise and the sensor's site.

References:
    Dalla Man C, Rizza RA, Cobelli C (2007). IEEE Trans Biomed Eng 54, 1740-1749 (two-compartment glucose, liver).
    Deichmann J et al. (2023). PLoS Comput Biol 19:e1010289 (exercise: GU, GP, Z).
    Stomach emptying is linear instead of their tanh law: rms 3.8-6 mg/dL against it over 4 h after 75 g.
"""

from twin.jit import equation
from twin.numerics import sigmoid, softplus

SENSOR_MINUTES = 8.0
BIOAVAILABLE = 0.90  # f


@equation
def stomach_rate(stomach: float, intake: float, fast: float, emptying: float) -> float:
    """dq1/dt = (1 - phi) CHO - kst q1, mg/min."""
    return (1.0 - fast) * intake - emptying * stomach


@equation
def gut_rate(
    gut: float, stomach: float, intake: float, fast: float, emptying: float, absorption: float
) -> float:
    """dq2/dt = phi CHO + kst q1 - kab q2, mg/min."""
    return fast * intake + emptying * stomach - absorption * gut


@equation
def appearance(gut: float, absorption: float, weight_kg: float) -> float:
    """Ra = f kab q2 / BW, mg/kg/min."""
    return BIOAVAILABLE * absorption * gut / weight_kg


@equation
def endogenous_production(
    plasma: float,
    delayed_insulin: float,
    portal: float,
    kp1: float,
    kp2: float,
    kp3: float,
    kp4: float,
    counter_regulation: float,
    concentration: float,
) -> float:
    """EGP = sp(kp1 - kp2 Gp - kp3 Id - kp4 S / gam, 0.1) + 0.03 sp(70 - G, 4), mg/kg/min.

    Args:
        plasma: Gp [mg/kg].
        delayed_insulin: Id [pmol/L].
        portal: S / gam [pmol/kg].
        kp1: [mg/kg/min].
        kp2: [1/min].
        kp3: [mg/kg/min per pmol/L].
        kp4: [mg/kg/min per pmol/kg].
        counter_regulation: 1, or 0 in long-standing type 1 diabetes.
        concentration: G [mg/dL].

    """
    liver = softplus(kp1 - kp2 * plasma - kp3 * delayed_insulin - kp4 * portal, 0.1)
    return liver + counter_regulation * 0.03 * softplus(70.0 - concentration, 4.0)


@equation
def renal_excretion(plasma: float, ke1: float, ke2: float) -> float:
    """E = ke1 sp(Gp - ke2, 5), mg/kg/min."""
    return ke1 * softplus(plasma - ke2, 5.0)


@equation
def tissue_uptake(
    tissue: float,
    surface_glut4: float,
    basal_glut4: float,
    sensitivity: float,
    capacity: float,
    basal_velocity: float,
    km: float,
    exercise_boost: float,
) -> float:
    """Uid = sp(Vm, 0.2) Gt / (Km + Gt),  Vm = Vm0 + sI Vg (g4 - gb) (1 + Z), mg/kg/min.

    Args:
        tissue: Gt [mg/kg].
        surface_glut4: g4, fraction of GLUT4 at the surface [-].
        basal_glut4: gb = Ib / (E_I + Ib) [-].
        sensitivity: sI, the person's insulin sensitivity [-].
        capacity: Vg, 44 healthy, 27 T2D [mg/kg/min].
        basal_velocity: Vm0 [mg/kg/min].
        km: Km [mg/kg].
        exercise_boost: Z [-].

    """
    velocity = basal_velocity + sensitivity * capacity * (surface_glut4 - basal_glut4) * (
        1.0 + exercise_boost
    )
    return softplus(velocity, 0.2) * tissue / (km + tissue)


@equation
def exercise_uptake_rate(uptake: float, intensity: float) -> float:
    """dGU/dt = 0.00388 x e - 0.0617 GU, 1/min per minute; e = sig((x - 0.15) / 0.03)."""
    return 0.00388 * intensity * sigmoid((intensity - 0.15) / 0.03) - 0.0617 * uptake


@equation
def exercise_production_rate(production: float, intensity: float, gain: float) -> float:
    """dGP/dt = kGP 0.00443 x e - 0.0705 GP, 1/min per minute."""
    return gain * 0.00443 * intensity * sigmoid((intensity - 0.15) / 0.03) - 0.0705 * production


@equation
def exercise_boost_rate(boost: float, intensity: float) -> float:
    """dZ/dt = 0.011 x e - (1 - e) Z / 600, per minute: sensitivity that outlasts exercise."""
    gate = sigmoid((intensity - 0.15) / 0.03)
    return 0.011 * intensity * gate - (1.0 - gate) * boost / 600.0


@equation
def sensor_rate(sensor: float, concentration: float) -> float:
    """dIG/dt = (G - IG) / 8, mg/dL per minute."""
    return (concentration - sensor) / SENSOR_MINUTES
