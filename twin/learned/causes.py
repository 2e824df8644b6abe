"""Meals, insulin and activity as the person's recursion sees them: small compartments moved by what was logged.

    dS/dt = -kst S,  dQ/dt = kst S - kab Q,  Ra = kab Q          a meal: (1 - phi) to S, phi to Q [g]
    dD1/dt = u - kd D1,  dD2/dt = (kd - ka1) D1 - ka2 D2,  dI/dt = ka1 D1 + ka2 D2 - ke I,  dX/dt = p2 (ke I - X)
    dA/dt = (intensity - A) / 30

X is the insulin that acts, as the rate whose steady state it is [U/min]. Rates as in the mechanism's gut and depots
(../shared/physiology.md), fitted to nobody: the gains are learned by each person alone (hybrid.md section 9).
"""

import math

from twin.jit import kernel
from twin.learned import glucose_slot as s_
from twin.shapes import Vector

KST, FAST_SHARE, KAB = 0.0105, 0.15, 0.057  # per min, -, per min
KD, KA1, KA2, KE, P2 = 0.0159, 0.0034, 0.0159, 0.11, 0.034  # per min
RECENT_MIN, ACTIVE_MIN, USUAL_MIN = 30.0, 30.0, 1440.0
LONGEST_MIN = 1440.0
AHEAD_STEP_MIN = 5.0


@kernel
def move_causes(slot: Vector, now: float, basal_u_h: float, intensity: float) -> None:
    """Bring the compartments to `now` under a held basal rate [U/h] and intensity [0..1]."""
    if slot[s_.CAUSES_S] == 0.0:
        slot[s_.CAUSES_S] = now
        slot[s_.DEPOT_1] = basal_u_h / 60.0 / KD
        slot[s_.DEPOT_2] = (KD - KA1) * slot[s_.DEPOT_1] / KA2
        slot[s_.PLASMA] = (KA1 * slot[s_.DEPOT_1] + KA2 * slot[s_.DEPOT_2]) / KE
        slot[s_.ACTION] = KE * slot[s_.PLASMA]
        slot[s_.ACTION_USUAL] = slot[s_.ACTION]
    left = min((now - slot[s_.CAUSES_S]) / 60.0, LONGEST_MIN)
    slot[s_.CAUSES_S] = now
    while left > 0.0:
        dt = min(left, 1.0)
        left -= dt
        stomach, gut, one, two = slot[s_.STOMACH], slot[s_.GUT], slot[s_.DEPOT_1], slot[s_.DEPOT_2]
        plasma, action = slot[s_.PLASMA], slot[s_.ACTION]
        slot[s_.STOMACH] -= dt * KST * stomach
        slot[s_.GUT] += dt * (KST * stomach - KAB * gut)
        slot[s_.ABSORBED] += dt * (KAB * gut - slot[s_.ABSORBED] / RECENT_MIN)
        slot[s_.DEPOT_1] += dt * (basal_u_h / 60.0 - KD * one)
        slot[s_.DEPOT_2] += dt * ((KD - KA1) * one - KA2 * two)
        slot[s_.PLASMA] += dt * (KA1 * one + KA2 * two - KE * plasma)
        slot[s_.ACTION] += dt * P2 * (KE * plasma - action)
        slot[s_.ACTION_USUAL] += dt / USUAL_MIN * (action - slot[s_.ACTION_USUAL])
        slot[s_.ACTIVE] += dt / ACTIVE_MIN * (intensity - slot[s_.ACTIVE])


@kernel
def eat_grams(slot: Vector, grams: float) -> None:
    """A meal [g of carbohydrate]."""
    slot[s_.STOMACH] += (1.0 - FAST_SHARE) * grams
    slot[s_.GUT] += FAST_SHARE * grams


@kernel
def inject_units(slot: Vector, units: float) -> None:
    """A bolus [U]."""
    slot[s_.DEPOT_1] += units


@kernel
def absorbed_within(stomach: float, gut: float, minutes: float) -> float:
    """Carbohydrate that appears in the next `minutes` [g]."""
    stomach_left, gut_left = math.exp(-KST * minutes), math.exp(-KAB * minutes)
    left = stomach * stomach_left + gut * gut_left + stomach * KST * (stomach_left - gut_left) / (KAB - KST)
    return stomach + gut - left


@kernel
def causes_now(slot: Vector, basal_u_h: float, out: Vector) -> None:
    """Fill `out` (CAUSES,): change of appearance, appearance ahead, change of insulin action, its excess, activity."""
    stomach, gut = slot[s_.STOMACH], slot[s_.GUT]
    out[0] = (absorbed_within(stomach, gut, 30.0) - slot[s_.ABSORBED]) / 10.0
    out[1] = absorbed_within(stomach, gut, 60.0) / 20.0
    one, two, plasma, action = slot[s_.DEPOT_1], slot[s_.DEPOT_2], slot[s_.PLASMA], slot[s_.ACTION]
    for _ in range(6):
        before_one, before_two, before = one, two, plasma
        one += AHEAD_STEP_MIN * (basal_u_h / 60.0 - KD * one)
        two += AHEAD_STEP_MIN * ((KD - KA1) * before_one - KA2 * two)
        plasma += AHEAD_STEP_MIN * (KA1 * before_one + KA2 * before_two - KE * plasma)
        action += AHEAD_STEP_MIN * P2 * (KE * before - action)
    out[2] = 60.0 * (action - slot[s_.ACTION]) / 3.0  # of U/h
    out[3] = 60.0 * (slot[s_.ACTION] - slot[s_.ACTION_USUAL]) / 3.0
    out[4] = slot[s_.ACTIVE] / 0.3
