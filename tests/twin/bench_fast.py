"""Microseconds of block F, and whether its loop over the sigma points became SIMD: python tests/twin/bench_fast.py."""

import re
import timeit

import numba
import numpy as np

from twin.blocks import fast
from twin.filter.points import draw, gather
from twin.jit import FASTMATH


def best(call, number=300, repeat=9):
    return min(timeit.repeat(call, number=number, repeat=repeat)) / number * 1e6


def main():
    k, u = np.array(fast.default_body()), np.array(fast.default_inputs())
    mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, k, u)
    factor, x = np.zeros((fast.N, fast.N)), np.zeros(fast.N * fast.STRIDE)
    d, t, a, seen = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), np.zeros(fast.SEEN * fast.STRIDE)
    draw(mean, covariance, factor, x, fast.STRIDE)

    def tick():
        draw(mean, covariance, factor, x, fast.STRIDE)
        fast.advance(x, 1.0, u, k, d, t, a)
        gather(x, mean, covariance, fast.STRIDE)
        fast.add_process_noise(mean, covariance, 1.0, u)

    print(f"rates    {best(lambda: fast.rates(x, d, u, k)):6.2f} us")
    print(f"observe  {best(lambda: fast.observe(x, seen, u, k)):6.2f} us")
    print(f"tick of 60 s, at rest   {best(tick, 100):6.1f} us")
    u[0] = 8.0
    for _ in range(10):
        tick()
    print(f"tick of 60 s, at 8 MET  {best(tick, 100):6.1f} us")
    # A kernel from the disk cache cannot be inspected, so it is compiled once more.
    fresh = numba.njit(error_model="numpy", fastmath=FASTMATH)(fast.rates.py_func)
    fresh(x, d, u, k)
    assembly = fresh.inspect_asm(fresh.signatures[0])
    body = assembly[: assembly.find(".size")]
    count = {
        name: len(re.findall(rf"\t{name}\b", body)) for name in ("vmulpd", "vfmadd213pd", "vdivpd", "callq")
    }
    wide = len(re.findall("vmulpd.*%zmm", body))
    print(f"assembly of rates: {count}, {wide} multiplications of 8 numbers")


if __name__ == "__main__":
    main()
