"""Heart rate, autonomic tone and heart-rate variability.

The fraction of heart-rate reserve follows the fraction of oxygen-uptake reserve (Swain and Leutholtz 1997) with
kinetics that rise faster than they fall; arousal, posture, the clock, warmth, hypoxia and the baroreflex add to it.

References:
    Swain DP, Leutholtz BC (1997). Heart rate reserve is equivalent to %VO2 reserve. Med Sci Sports Exerc 29, 410-414.
    Tanaka H, Monahan KD, Seals DR (2001). Age-predicted maximal heart rate revisited. JACC 37, 153-156.
    Hunt KJ, Fankhauser SE, Saengsuwan J (2015). BioMed Eng OnLine 14:117 (tau 56-60 s on the treadmill).
    Jensen MM et al. (2019). Acute Med (7.2 bpm per degC, n = 4493).
    Adams WM et al. (2014). J Strength Cond Res (3 bpm per 1 % of body mass lost).
    Monfredi O et al. (2014). Hypertension 64, 1334-1343 (exponential relation of HRV and heart rate).
"""

from twin.jit import equation
from twin.numerics import exp, softplus, tanh

AROUSAL_MINUTES = 30.0
STANDING_BPM = 10.0  # stand against supine (5-25)
WARMTH_BPM = 6.5  # kT per degC above the own set-point; with 3.5 per unit y the total is 8.3 per degC (7-10)
INFLAMMATION_BPM = 3.5  # per unit of y
DEHYDRATION_BPM = 3.0  # kDeh per 1 % of body mass (1-4)
HYPOXIA_BPM = 1.0  # kO2 per % of SaO2 below 96 (0.5-1.5)
FED_BPM = 6.0
ALCOHOL_BPM = 12.0  # per g/L (5-15)
RMSSD_SLOPE = 0.030  # kR per bpm (0.02-0.045)


@equation
def cardiac_drive_rate(drive: float, demand: float, on_s: float, off_s: float, slowing: float) -> float:
    """Rate of change of the cardiac drive.

    dh/dt = k (D - h),  k = koff + (kon - koff) (1 + tanh((D - h) / 0.05)) / 2
    kon = 60 / tau_on,  koff = 60 / (tau_off (1 + kap h^2))

    Args:
        drive: h, fraction of heart-rate reserve in use [-].
        demand: D = sp(xd, 0.01), demanded fraction of oxygen-uptake reserve [-].
        on_s: tau_on, 40 (20-70) [s].
        off_s: tau_off, 50 (30-90) [s].
        slowing: kap, how much slower recovery is from high drive, 4 (2-8) [-].

    Returns:
        dh/dt [1/min].

    """
    rise = 60.0 / on_s
    fall = 60.0 / (off_s * (1.0 + slowing * drive * drive))
    rate = fall + (rise - fall) * 0.5 * (1.0 + tanh((demand - drive) / 0.05))
    return rate * (demand - drive)


@equation
def arousal_rate(arousal: float) -> float:
    """da/dt = -a / 30: arousal nobody measured, an Ornstein-Uhlenbeck process [bpm/min]."""
    return -arousal / AROUSAL_MINUTES


@equation
def additive_tone(
    circadian: float,
    circadian_amplitude: float,
    asleep: float,
    sleep_fall: float,
    posture: float,
    warmth: float,
    saturation: float,
    fed: float,
    arousal: float,
) -> float:
    """Beats that are added whatever the demand.

    add = A_HR c - dHRsl S + 10 post + kT Tx + kO2 sp(96 - SaO2, 0.3) + 6 fed + a,  Tx = sp(Tc - Tref - 0.15, 0.05)

    Args:
        circadian: c, +1 at the body-temperature maximum [-].
        circadian_amplitude: A_HR, 3 (1-6) [bpm].
        asleep: S [0-1].
        sleep_fall: dHRsl, 5 (2-10) [bpm].
        posture: 0 supine, 0.3 sitting, 1 standing.
        warmth: Tc - Tref, core temperature above the own circadian set-point [degC].
        saturation: SaO2 [%].
        fed: 0-1.
        arousal: a [bpm].

    Returns:
        Beats per minute.

    """
    heat = WARMTH_BPM * softplus(warmth - 0.15, 0.05)
    hypoxia = HYPOXIA_BPM * softplus(96.0 - saturation, 0.3)
    return (
        circadian_amplitude * circadian
        - sleep_fall * asleep
        + STANDING_BPM * posture
        + heat
        + hypoxia
        + FED_BPM * fed
        + arousal
    )


@equation
def heart_rate(
    drive: float,
    tone: float,
    pressure_error: float,
    resting: float,
    maximal: float,
    reflex_gain: float,
    beta_blockade: float,
) -> float:
    """Heart rate from drive, tone and baroreflex.

    HR = HR0' + (HRm' - HR0') h (1 - 0.08 bb) + [(1 - 0.22 bb) add - kB (Pf - Pref) e^(-2h)] (1 - 0.7 h)
    HR0' = HR0 (1 - 0.12 bb),  HRm' = HRmax (1 - 0.18 bb)

    Args:
        drive: h [-].
        tone: add [bpm].
        pressure_error: Pf - Pref [mmHg].
        resting: HR0, seated and quiet, 62 (42-90) [bpm].
        maximal: HRmax, 208 - 0.7 age [bpm].
        reflex_gain: kB, 0.6 (0.2-1.5) [bpm/mmHg].
        beta_blockade: bb [0-1].

    Returns:
        HR [bpm].

    """
    lowest = resting * (1.0 - 0.12 * beta_blockade)
    highest = maximal * (1.0 - 0.18 * beta_blockade)
    modulation = (1.0 - 0.22 * beta_blockade) * tone - reflex_gain * pressure_error * exp(-2.0 * drive)
    return (
        lowest + (highest - lowest) * drive * (1.0 - 0.08 * beta_blockade) + modulation * (1.0 - 0.7 * drive)
    )


@equation
def rmssd(rate: float, resting: float, log_variability: float, beta_blockade: float) -> float:
    """RMSSD = 3 + exp(lnR0 - kR (HR - HR0')), ms over 5 minutes; lnR0 = 3.70 - 0.02 (age - 40)."""
    return 3.0 + exp(log_variability - RMSSD_SLOPE * (rate - resting * (1.0 - 0.12 * beta_blockade)))
