"""Block F's equations word by word as C++, so that the compiled kernel can be measured against a C++ build of the same.

The scalar functions of twin/physiology/ and twin/numerics.py are read as syntax trees; exp and log become those of <cmath>,
which g++ turns into glibc's vector functions under -O3 -march=native -ffast-math.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from twin import numerics
from twin.blocks import fast
from twin.physiology import circulation, energetics, heart, inflammation, respiration, thermoregulation

MODULES = (numerics, energetics, circulation, heart, respiration, inflammation, thermoregulation)
SYMBOLS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.Gt: ">"}
NATIVE = {"exp": "std::exp", "log": "std::log", "min": "std::min", "max": "std::max", "abs": "std::fabs"}
REPLACED = {"exp", "log", "log_of_one_plus"}
SOFTPLUS = "return std::max(z, 0.0) + width * std::log(1.0 + std::exp(-std::fabs(z) / width));"
LOOP = """extern "C" void rates(const double *__restrict x, double *__restrict d, const Inputs *__restrict u,
                      const Body *__restrict k) {{
  const Inputs inputs = *u; const Body body = *k;
  #pragma GCC ivdep
  for (int s = 0; s < S; ++s) {{
    const State state = {{{state}}};
    {body}
  }}
}}"""


def names_in(module: ModuleType) -> dict[str, str]:
    """The equations of a module, with their names in C++."""
    short = module.__name__.rsplit(".", 1)[-1]
    return {
        name: f"{short}_{name}"
        for name, thing in vars(module).items()
        if getattr(thing, "py_func", None) is not None and thing.__module__ == module.__name__
    }


class Translation:
    """One module's expressions in C++."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.local = {
            name: full
            for one in MODULES
            for name, full in names_in(one).items()
            if vars(module).get(name) is vars(one)[name]
        }

    def text(self, node: Any) -> str:
        """An expression."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return repr(float(value))
            case ast.Name():
                found = vars(self.module).get(node.id)
                return repr(float(found)) if isinstance(found, (int, float)) else node.id
            case ast.UnaryOp():
                return f"(-{self.text(node.operand)})"
            case ast.BinOp():
                return f"({self.text(node.left)} {SYMBOLS[type(node.op)]} {self.text(node.right)})"
            case ast.Compare():
                right = self.text(node.comparators[0])
                return f"({self.text(node.left)} {SYMBOLS[type(node.ops[0])]} {right})"
            case ast.IfExp():
                return f"({self.text(node.test)} ? {self.text(node.body)} : {self.text(node.orelse)})"
            case ast.Attribute(value=ast.Name(id=owner)):
                return f"{owner}.{node.attr}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
                called = f"{owner}_{name}"
            case ast.Call(func=ast.Name(id=name)):
                called = NATIVE.get(name) or self.local[name]
            case _:
                raise NotImplementedError(f"{self.module.__name__}: {ast.dump(node)[:80]}")
        return f"{called}({', '.join(self.text(one) for one in node.args)})"

    def statements(self, body: Iterable[ast.stmt], known: Iterable[str] = ()) -> Iterator[str]:
        """Statements; an assignment to `slopes` becomes stores and ends the function."""
        seen = set(known)
        for line in body:
            match line:
                case ast.Expr():
                    continue
                case ast.AugAssign(target=ast.Name(id=name)):
                    yield f"{name} {SYMBOLS[type(line.op)]}= {self.text(line.value)};"
                case ast.Assign(targets=[ast.Name(id="slopes")], value=ast.Tuple(elts=values)):
                    for i, value in enumerate(values):
                        yield f"d[{i} * S + s] = {self.text(value)};"
                    return
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                    for target, value in zip(targets, values, strict=True):
                        yield f"double {self.text(target)} = {self.text(value)};"
                case ast.Assign(targets=[ast.Name(id=name)]):
                    yield f"{'' if name in seen else 'double '}{name} = {self.text(line.value)};"
                    seen.add(name)
                case ast.Return():
                    yield f"return {self.text(line.value)};"
                case _:
                    raise NotImplementedError(f"{self.module.__name__}: {ast.dump(line)[:80]}")


def tree_of(function: Any) -> Any:
    """The syntax tree of a compiled function's source."""
    return ast.parse(textwrap.dedent(inspect.getsource(function.py_func))).body[0]


def source() -> str:
    """C++ of block F's rates at all points: `rates(x, d, inputs, body)`."""
    lines = ["#include <algorithm>", "#include <cmath>", f"constexpr int S = {fast.STRIDE};"]
    for module in MODULES:
        translation = Translation(module)
        for name, full in names_in(module).items():
            if name in REPLACED:
                continue
            tree = tree_of(vars(module)[name])
            known = [one.arg for one in tree.args.args]
            text = SOFTPLUS if name == "softplus" else "\n  ".join(translation.statements(tree.body, known))
            arguments = ", ".join(f"double {one}" for one in known)
            head = f"static inline __attribute__((always_inline)) double {full}({arguments})"
            lines.append(f"{head} {{\n  {text}\n}}")
    for kind in (fast.State, fast.Inputs, fast.Body):
        lines.append(f"struct {kind.__name__} {{ double {', '.join(kind._fields)}; }};")
    state = ", ".join(f"x[{i} * S + s]" for i in range(fast.N))
    body = "\n    ".join(Translation(fast).statements(tree_of(fast.equations).body))
    lines.append(LOOP.format(state=state, body=body))
    return "\n".join(lines)
