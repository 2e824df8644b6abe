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
FED_BPM = 6.0  # thermic effect of a meal


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
def warmth(core: float, own: float) -> float:
    """Tx = sp(Tc - Tref - 0.15, 0.05), degC above the own circadian set-point Tref."""
    return softplus(core - own - 0.15, 0.05)


@equation
def desaturation(saturation: float) -> float:
    """sp(96 - SaO2, 0.3), % of saturation that is missing."""
    return softplus(96.0 - saturation, 0.3)


@equation
def additive_tone(
    circadian: float,
    circadian_amplitude: float,
    asleep: float,
    sleep_fall: float,
    posture: float,
    standing_gain: float,
    heat: float,
    heat_gain: float,
    missing_oxygen: float,
    oxygen_gain: float,
    dehydration: float,
    dehydration_gain: float,
    fed: float,
    arousal: float,
    alcohol: float,
    alcohol_gain: float,
    inflammation: float,
    inflammation_gain: float,
) -> float:
    """Beats that are added whatever the demand.

    add = A_HR c - dHRsl S + 10 post + kT Tx + kDeh deh + kO2 sp(96 - SaO2, 0.3) + 6 fed + a + 12 BAC + 3.5 y

    Args:
        circadian: c, +1 at the body-temperature maximum [-].
        circadian_amplitude: A_HR, 3 (1-6) [bpm].
        asleep: S [0-1].
        sleep_fall: dHRsl, 5 (2-10) [bpm].
        posture: 0 supine, 0.3 sitting, 1 standing.
        standing_gain: stand against supine, 10 (5-25) [bpm].
        heat: Tx [degC].
        heat_gain: kT, 6.5 [bpm/degC]; with the inflammation term the total is 8.3 (7-10) in fever.
        missing_oxygen: sp(96 - SaO2, 0.3) [%].
        oxygen_gain: kO2, 1.0 (0.5-1.5) [bpm/%].
        dehydration: water deficit [% of body mass].
        dehydration_gain: kDeh, 3 (1-4) [bpm/%].
        fed: 0-1.
        arousal: a [bpm].
        alcohol: BAC [g/L].
        alcohol_gain: 12 (5-15) [bpm L/g].
        inflammation: y [-].
        inflammation_gain: 3.5 [bpm].

    Returns:
        Beats per minute.

    """
    return (
        circadian_amplitude * circadian
        - sleep_fall * asleep
        + standing_gain * posture
        + heat_gain * heat
        + dehydration_gain * dehydration
        + oxygen_gain * missing_oxygen
        + FED_BPM * fed
        + arousal
        + alcohol_gain * alcohol
        + inflammation_gain * inflammation
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
def rmssd(
    rate: float,
    resting: float,
    log_variability: float,
    beta_blockade: float,
    rate_slope: float,
    inflammation: float,
    inflammation_slope: float,
) -> float:
    """RMSSD = 3 + exp(lnR0 - kR (HR - HR0') - 0.15 y), ms over 5 minutes; lnR0 = 3.70 - 0.02 (age - 40).

    kR 0.030 (0.02-0.045) per bpm; the exponent is held within 0 to 6 (1 to 400 ms), where sigma points may land.
    """
    lowest = resting * (1.0 - 0.12 * beta_blockade)
    exponent = log_variability - rate_slope * (rate - lowest) - inflammation_slope * inflammation
    return 3.0 + exp(min(max(exponent, 0.0), 6.0))
