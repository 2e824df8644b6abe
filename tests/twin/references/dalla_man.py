"""The meal model of Dalla Man 2007, whole: the offline reference that the product's reduced glucose block is judged by.

Twelve states, as in the paper: two of plasma and tissue glucose, liver and plasma insulin, the delayed insulin signal
(two), remote insulin action, static secretion, portal insulin, two of the stomach and one of the gut. Kept apart from
the product, which has a linear stomach, eliminates liver insulin and replaces remote action by GLUT4.

References:
    Dalla Man C, Rizza RA, Cobelli C (2007). Meal simulation model of the glucose-insulin system. IEEE Trans Biomed
    Eng 54, 1740-1749. doi:10.1109/TBME.2007.893506, equations 1-26 and table I.
    Dalla Man C, Camilleri M, Cobelli C (2006). A system model of oral glucose absorption. IEEE Trans Biomed Eng 53,
    2472-2478 (emptying of the stomach: b and c are the shares of the meal at which its rate turns).
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

(
    PLASMA,
    TISSUE,
    LIVER_INSULIN,
    PLASMA_INSULIN,
    DELAYED,
    DELAYED_2,
    REMOTE,
    STATIC,
    PORTAL,
    SOLID,
    LIQUID,
    GUT,
) = range(12)


@dataclass(frozen=True, slots=True)
class Subject:
    """Table I: rates in 1/min, VG in dL/kg, VI in L/kg, glucose in mg, insulin in pmol."""

    weight: float
    vg: float
    k1: float
    k2: float
    vi: float
    m1: float
    m2: float
    m4: float
    m5: float
    m6: float
    kmax: float
    kmin: float
    kabs: float
    b: float
    c: float
    kp1: float
    kp2: float
    kp3: float
    kp4: float
    ki: float
    vmx: float
    km: float
    p2u: float
    k: float
    alpha: float
    beta: float
    gamma: float
    ke1: float
    ke2: float
    basal_glucose: float
    basal_insulin: float
    f: float = 0.90
    brain: float = 1.0  # F_cns = Uii


NORMAL = Subject(
    weight=78.0, vg=1.88, k1=0.065, k2=0.079, vi=0.05, m1=0.190, m2=0.484, m4=0.194, m5=0.0304, m6=0.6471,
    kmax=0.0558, kmin=0.0080, kabs=0.057, b=0.82, c=0.010, kp1=2.70, kp2=0.0021, kp3=0.009, kp4=0.0618, ki=0.0079,
    vmx=0.047, km=225.59, p2u=0.0331, k=2.30, alpha=0.050, beta=0.11, gamma=0.5, ke1=0.0005, ke2=339.0,
    basal_glucose=91.76, basal_insulin=25.6,
)  # fmt: skip
TYPE_2 = Subject(
    weight=91.0, vg=1.49, k1=0.042, k2=0.071, vi=0.04, m1=0.379, m2=0.673, m4=0.269, m5=0.0526, m6=0.8118,
    kmax=0.0465, kmin=0.0076, kabs=0.023, b=0.68, c=0.09, kp1=3.09, kp2=0.0007, kp3=0.005, kp4=0.0786, ki=0.0066,
    vmx=0.034, km=466.21, p2u=0.0840, k=0.99, alpha=0.013, beta=0.05, gamma=0.5, ke1=0.0007, ke2=269.0,
    basal_glucose=164.18, basal_insulin=57.2,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """What a meal does: minutes, glucose [mg/dL], insulin [pmol/L], appearance [mg/kg/min]."""

    minutes: np.ndarray
    glucose: np.ndarray
    insulin: np.ndarray
    appearance: np.ndarray


def extraction(subject, secretion):
    """HE = -m5 S + m6 (eq. 5)."""
    return subject.m6 - subject.m5 * secretion


def basal_secretion(subject):
    """Sb that holds Ib: S = m4 Ip + m3 Il, Il = (m2 + m4) Ip / m1, m3 = HE m1 / (1 - HE); solved for S."""
    plasma = subject.basal_insulin * subject.vi

    def excess(secretion):
        share = extraction(subject, secretion)
        return (
            secretion * (1.0 - share)
            - subject.m4 * plasma * (1.0 - share)
            - share * (subject.m2 + subject.m4) * plasma
        )

    return brentq(excess, 0.0, subject.m6 / subject.m5)


def basal(subject):
    """The state at rest, basal secretion [pmol/kg/min] and Vm0 [mg/kg/min], which the paper solves from the rest."""
    secretion = basal_secretion(subject)
    plasma = subject.basal_glucose * subject.vg
    insulin = subject.basal_insulin * subject.vi
    portal = secretion / subject.gamma
    production = (
        subject.kp1 - subject.kp2 * plasma - subject.kp3 * subject.basal_insulin - subject.kp4 * portal
    )
    excretion = subject.ke1 * max(plasma - subject.ke2, 0.0)
    tissue = (subject.brain + excretion + subject.k1 * plasma - production) / subject.k2
    uptake = production - subject.brain - excretion
    state = np.zeros(12)
    state[PLASMA], state[TISSUE], state[PLASMA_INSULIN] = plasma, tissue, insulin
    state[LIVER_INSULIN] = (subject.m2 + subject.m4) * insulin / subject.m1
    state[DELAYED] = state[DELAYED_2] = subject.basal_insulin
    state[PORTAL] = portal
    return state, secretion, uptake * (subject.km + tissue) / tissue


def emptying(subject, stomach, dose):
    """kempt(qsto) = kmin + (kmax - kmin)/2 {tanh[a (qsto - b D)] - tanh[b' (qsto - c D)] + 2}, 1/min."""
    if dose <= 0.0:
        return subject.kmax
    a = 5.0 / (2.0 * dose * (1.0 - subject.b))
    b = 5.0 / (2.0 * dose * subject.c)
    turn = np.tanh(a * (stomach - subject.b * dose)) - np.tanh(b * (stomach - subject.c * dose)) + 2.0
    return subject.kmin + 0.5 * (subject.kmax - subject.kmin) * turn


def rates(subject, state, solid, liquid, dose, basal_rate, vm0):
    """Rates of the twelve states; `solid` and `liquid` mg/min are eaten and drunk, `dose` mg is the meal's size D."""
    glucose = state[PLASMA] / subject.vg
    insulin = state[PLASMA_INSULIN] / subject.vi
    arrival = subject.f * subject.kabs * state[GUT] / subject.weight
    production = max(
        subject.kp1
        - subject.kp2 * state[PLASMA]
        - subject.kp3 * state[DELAYED_2]
        - subject.kp4 * state[PORTAL],
        0.0,
    )
    excretion = subject.ke1 * max(state[PLASMA] - subject.ke2, 0.0)
    velocity = vm0 + subject.vmx * state[REMOTE]
    uptake = velocity * state[TISSUE] / (subject.km + state[TISSUE])
    secretion = subject.gamma * state[PORTAL]
    share = extraction(subject, secretion)
    m3 = share * subject.m1 / (1.0 - share)
    empties = emptying(subject, state[SOLID] + state[LIQUID], dose)
    d = np.empty(12)
    d[PLASMA] = (
        production
        + arrival
        - subject.brain
        - excretion
        - subject.k1 * state[PLASMA]
        + subject.k2 * state[TISSUE]
    )
    d[TISSUE] = -uptake + subject.k1 * state[PLASMA] - subject.k2 * state[TISSUE]
    d[LIVER_INSULIN] = (
        -(subject.m1 + m3) * state[LIVER_INSULIN] + subject.m2 * state[PLASMA_INSULIN] + secretion
    )
    d[PLASMA_INSULIN] = -(subject.m2 + subject.m4) * state[PLASMA_INSULIN] + subject.m1 * state[LIVER_INSULIN]
    d[DELAYED] = -subject.ki * (state[DELAYED] - insulin)
    d[DELAYED_2] = -subject.ki * (state[DELAYED_2] - state[DELAYED])
    d[REMOTE] = subject.p2u * (insulin - subject.basal_insulin - state[REMOTE])
    static = max(subject.beta * (glucose - subject.basal_glucose), -basal_rate)
    d[STATIC] = -subject.alpha * (state[STATIC] - static)
    released = basal_rate + state[STATIC] + subject.k * max(d[PLASMA] / subject.vg, 0.0)
    d[PORTAL] = -subject.gamma * state[PORTAL] + released
    d[SOLID] = solid - subject.kmax * state[SOLID]  # kgri = kmax
    d[LIQUID] = liquid + subject.kmax * state[SOLID] - empties * state[LIQUID]
    d[GUT] = empties * state[LIQUID] - subject.kabs * state[GUT]
    return d


def swallow(subject, grams=75.0, liquid=1.0, over_minutes=5.0, until_minutes=240.0):
    """The course after `grams` within `over_minutes`, every minute; the share `liquid` of them needs no grinding.

    A glucose drink enters the second compartment of the stomach; a meal of solids (0) the first, which costs some 20
    minutes: 133 instead of 151 mg/dL at 30 minutes.
    """
    state, basal_rate, vm0 = basal(subject)
    dose = 1000.0 * grams
    minutes = np.arange(until_minutes + 1.0)
    out = np.empty((minutes.size, 12))
    out[0] = state
    pieces = [(0.0, over_minutes, dose / over_minutes), (over_minutes, until_minutes, 0.0)]
    for start, stop, intake in pieces:
        inside = (minutes > start) & (minutes <= stop)
        solution = solve_ivp(
            lambda _, x, intake=intake: rates(
                subject, x, (1.0 - liquid) * intake, liquid * intake, dose, basal_rate, vm0
            ),
            (start, stop),
            state,
            t_eval=minutes[inside],
            rtol=1e-8,
            atol=1e-8,
            max_step=1.0,
        )
        if inside.any():
            out[inside] = solution.y.T
        state = out[inside][-1]
    return Course(
        minutes,
        out[:, PLASMA] / subject.vg,
        out[:, PLASMA_INSULIN] / subject.vi,
        subject.f * subject.kabs * out[:, GUT] / subject.weight,
    )
