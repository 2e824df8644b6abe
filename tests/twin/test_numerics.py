import numpy as np
import pytest

from twin.jit import kernel
from twin.numerics import cosine, exp, log, sigmoid, sine, softplus


@kernel
def tabulate(x, out):
    for i in range(x.shape[0]):
        out[0, i] = exp(x[i])
        out[1, i] = log(exp(x[i]))
        out[2, i] = softplus(x[i], 1.0)
        out[3, i] = sigmoid(x[i])


@pytest.fixture(scope="module")
def table():
    x = np.linspace(-600.0, 600.0, 20001)
    out = np.empty((4, x.size))
    tabulate(x, out)
    return x, out


def test_exp_agrees_with_numpy(table):
    np.testing.assert_allclose(table[1][0], np.exp(table[0]), rtol=1e-12)


def test_log_undoes_exp(table):
    np.testing.assert_allclose(table[1][1], table[0], rtol=1e-12, atol=1e-12)


def test_softplus_and_sigmoid_agree_with_numpy(table):
    np.testing.assert_allclose(table[1][2], np.logaddexp(0.0, table[0]), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(table[1][3], 1 / (1 + np.exp(-table[0])), rtol=1e-11)


def test_a_quarter_turn_agrees_with_numpy():
    for x in np.linspace(-np.pi / 2, np.pi / 2, 101):
        assert abs(sine(x) - np.sin(x)) < 1e-8
        assert abs(cosine(x) - np.cos(x)) < 1e-8
