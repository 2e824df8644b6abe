"""Smooth scalar functions without branches or library calls, so that a loop over them becomes SIMD.

`exp` and `log` agree with numpy's to 1e-13 relative over the range that they are used in (tests/twin/test_numerics.py).
Every function is C-infinity where sigma points can land; section 0 of the specification in README.md names them.
"""

import numpy as np

from twin.jit import equation

LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding and subtracting it rounds to a whole number
LN2 = 0.6931471805599453


@equation
def exp(x: float) -> float:
    """e^x, x clipped to +/-700: 2^k times a polynomial on half an octave."""
    x = min(max(x, -700.0), 700.0)
    shifted = x * 1.4426950408889634 + ROUND
    k = shifted - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 1.0 / 3628800 + r / 39916800
    p = 1.0 / 5040 + r * (1.0 / 40320 + r * (1.0 / 362880 + r * p))
    p = 1.0 + r * (
        1.0 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r * p)))))
    )
    scale = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    return p * scale


@equation
def log(x: float) -> float:
    """Natural logarithm of a positive normal number (fdlibm's polynomial, without its branches)."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits >> 52) & 2047
    m = np.int64((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000).view(np.float64)
    low = m < 0.7071067811865476
    m = m * 2.0 if low else m
    e = np.int64(exponent | 0x4330000000000000).view(np.float64) - 4503599627370496.0 - 1022.0
    e = e - 1.0 if low else e
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    tail = z * (
        0.2222219843214978 + z * (0.1818357216161805 + z * (0.1531383769920937 + z * 0.1479819860511659))
    )
    r = z * (0.6666666666666735 + z * (0.3999999999940942 + z * (0.2857142874366239 + tail)))
    half = 0.5 * f * f
    return e * LN2_HIGH + (f - (half - (s * (half + r) + e * LN2_LOW)))


@equation
def clip(x: float, low: float, high: float) -> float:
    """Keep a wild sigma point where the equations mean something."""
    return min(max(x, low), high)


@equation
def log_of_one_plus(t: float) -> float:
    """ln(1 + t) for t of 0 to 1, to 7e-14 relative: 2 artanh(t / (2 + t)) as a near-minimax polynomial of its square."""
    s = t / (2.0 + t)
    z = s * s
    p = 0.18310873038644424 + z * (0.14065379620097226 + z * 0.20081905552634546)
    p = 0.3999999721520674 + z * (0.2857162656545663 + z * (0.22215336445163109 + z * p))
    return s * (1.9999999999998685 + z * (0.6666666668157013 + z * p))


@equation
def softplus(z: float, width: float) -> float:
    """sp(z, w) = w ln(1 + e^(z/w)): a smooth max(z, 0). sp(0, w) = w ln 2, not 0."""
    return max(z, 0.0) + width * log_of_one_plus(exp(-abs(z) / width))


@equation
def sigmoid(z: float) -> float:
    """1 / (1 + e^-z)."""
    return 1.0 / (1.0 + exp(-z))


@equation
def tanh(z: float) -> float:
    """Hyperbolic tangent."""
    return 1.0 - 2.0 / (exp(2.0 * z) + 1.0)


@equation
def smooth_min(a: float, ceiling: float, width: float) -> float:
    """smin(a, b, w) = b - sp(b - a, w)."""
    return ceiling - softplus(ceiling - a, width)


@equation
def power(x: float, exponent: float) -> float:
    """x^a for positive x."""
    return exp(exponent * log(x))


@equation
def logit(p: float) -> float:
    """ln(p / (1 - p))."""
    return log(p / (1.0 - p))


@equation
def sine(x: float) -> float:
    """Sine of x clipped to +/- pi/2, to 1e-9: a shifted clock."""
    x = min(max(x, -1.5707963267948966), 1.5707963267948966)
    z = x * x
    p = 1.0 - z / 42.0 * (1.0 - z / 72.0 * (1.0 - z / 110.0 * (1.0 - z / 156.0)))
    return x * (1.0 - z / 6.0 * (1.0 - z / 20.0 * p))


@equation
def cosine(x: float) -> float:
    """Cosine of x clipped to +/- pi/2, to 1e-9."""
    x = min(max(x, -1.5707963267948966), 1.5707963267948966)
    z = x * x
    p = 1.0 - z / 56.0 * (1.0 - z / 90.0 * (1.0 - z / 132.0 * (1.0 - z / 182.0)))
    return 1.0 - z / 2.0 * (1.0 - z / 12.0 * (1.0 - z / 30.0 * p))
