"""Block F's rates against C++: the equations are translated word by word, built by g++ and timed beside the kernel.

python tests/twin/bench_fast_cpp.py [g++ options]; the default is -O3 -march=native -ffast-math, with which exp and log are
the vector functions of glibc.
"""

import ast
import ctypes
import inspect
import subprocess
import sys
import tempfile
import textwrap
import timeit
from pathlib import Path

import numpy as np

from twin import numerics
from twin.blocks import fast
from twin.filter.points import draw
from twin.physiology import circulation, energetics, heart, inflammation, respiration, thermoregulation

MODULES = (numerics, energetics, circulation, heart, respiration, inflammation, thermoregulation)
SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.Gt: ">"}
NATIVE = {"exp": "std::exp", "log": "std::log", "min": "std::min", "max": "std::max", "abs": "std::fabs"}
REPLACED = {"exp", "log", "log_of_one_plus"}


def names_in(module):
    return {name: f"{module.__name__.rsplit('.', 1)[-1]}_{name}" for name, thing in vars(module).items()
            if hasattr(thing, "py_func") and thing.__module__ == module.__name__}  # fmt: skip


class Translation(ast.NodeVisitor):
    """One module's expressions in C++."""

    def __init__(self, module):
        self.module, self.local = module, {}
        for one in MODULES:
            for name, full in names_in(one).items():
                if vars(module).get(name) is vars(one)[name]:
                    self.local[name] = full

    def text(self, node):
        match node:
            case ast.Constant():
                return repr(float(node.value))
            case ast.Name():
                value = vars(self.module).get(node.id)
                return repr(float(value)) if isinstance(value, (int, float)) else node.id
            case ast.UnaryOp():
                return f"(-{self.text(node.operand)})"
            case ast.BinOp():
                return f"({self.text(node.left)} {SYMBOLS[type(node.op)]} {self.text(node.right)})"
            case ast.Compare():
                return (
                    f"({self.text(node.left)} {SYMBOLS[type(node.ops[0])]} {self.text(node.comparators[0])})"
                )
            case ast.IfExp():
                return f"({self.text(node.test)} ? {self.text(node.body)} : {self.text(node.orelse)})"
            case ast.Attribute():
                return f"{node.value.id}.{node.attr}"
            case ast.Call(func=ast.Attribute()):
                called = f"{node.func.value.id}_{node.func.attr}"
            case ast.Call():
                called = NATIVE.get(node.func.id) or self.local[node.func.id]
        return f"{called}({', '.join(map(self.text, node.args))})"

    def statements(self, body, seen=()):
        seen = set(seen)
        for line in body:
            match line:
                case ast.Expr():
                    continue
                case ast.AugAssign():
                    yield f"{line.target.id} {SYMBOLS[type(line.op)]}= {self.text(line.value)};"
                case ast.Assign(targets=[ast.Name(id="slopes")]):
                    for i, value in enumerate(line.value.elts):
                        yield f"d[{i} * S + s] = {self.text(value)};"
                    return
                case ast.Assign(targets=[ast.Tuple(elts=targets)]):
                    for target, value in zip(targets, line.value.elts, strict=True):
                        yield f"double {target.id} = {self.text(value)};"
                case ast.Assign(targets=[ast.Name(id=name)]):
                    yield f"{'' if name in seen else 'double '}{name} = {self.text(line.value)};"
                    seen.add(name)
                case ast.Return():
                    yield f"return {self.text(line.value)};"


def tree_of(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function.py_func))).body[0]


def source():
    lines = ["#include <algorithm>", "#include <cmath>", f"constexpr int S = {fast.STRIDE};"]
    ready = set()
    for module in MODULES:
        translation = Translation(module)
        for name, full in names_in(module).items():
            if name in REPLACED:
                continue
            tree = tree_of(vars(module)[name])
            arguments = ", ".join(f"double {one.arg}" for one in tree.args.args)
            text = "\n  ".join(translation.statements(tree.body, [one.arg for one in tree.args.args])) if name != "softplus" else (
                "return std::max(z, 0.0) + width * std::log(1.0 + std::exp(-std::fabs(z) / width));"
            )  # fmt: skip
            lines.append(
                f"static inline __attribute__((always_inline)) double {full}({arguments}) {{\n  {text}\n}}"
            )
            ready.add(full)
    for kind in (fast.State, fast.Inputs, fast.Body):
        lines.append(f"struct {kind.__name__} {{ double {', '.join(kind._fields)}; }};")
    state = ", ".join(f"x[{i} * S + s]" for i in range(fast.N))
    body = "\n    ".join(Translation(fast).statements(tree_of(fast.equations).body))
    lines.append(f"""extern "C" void rates(const double *__restrict x, double *__restrict d, const Inputs *__restrict u,
                      const Body *__restrict k) {{
  const Inputs inputs = *u; const Body body = *k;
  #pragma GCC ivdep
  for (int s = 0; s < S; ++s) {{
    const State state = {{{state}}};
    {body}
  }}
}}""")
    return "\n".join(lines)


def main():
    options = sys.argv[1:] or ["-O3", "-march=native", "-ffast-math"]
    folder = Path(tempfile.mkdtemp())
    (folder / "rates.cpp").write_text(source())
    built = folder / "rates.so"
    subprocess.run(["g++", *options, "-shared", "-fPIC", "-o", built, folder / "rates.cpp"], check=True)
    function = ctypes.CDLL(str(built)).rates
    k, u = np.array(fast.default_body()), np.array(fast.default_inputs())
    mean, covariance = np.zeros(fast.N), np.zeros((fast.N, fast.N))
    fast.start(mean, covariance, k, u)
    x = np.zeros(fast.N * fast.STRIDE)
    draw(mean, covariance, np.zeros_like(covariance), x, fast.STRIDE)
    ours, theirs = np.zeros_like(x), np.zeros_like(x)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (x, theirs, u, k)]

    def best(call):
        return min(timeit.repeat(call, number=300, repeat=15)) / 300 * 1e6

    figures = [(best(lambda: fast.rates(x, ours, u, k)), best(lambda: function(*pointers))) for _ in range(3)]
    numba, cpp = (min(column) for column in zip(*figures, strict=True))
    difference = np.abs(ours - theirs).max() / np.abs(ours).max()
    print(
        f"numba {numba:.2f} us, C++ {cpp:.2f} us, ratio {numba / cpp:.2f}; greatest difference {difference:.1e}"
    )
    print(f"({folder / 'rates.cpp'}, g++ {' '.join(options)})")


if __name__ == "__main__":
    main()
