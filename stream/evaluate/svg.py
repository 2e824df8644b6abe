"""Plots as SVG text: small pure functions, no script. Colours are classes of the page's style sheet, for light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: `kind` is its colour class; points may be joined, dotted with marks, or both."""

    label: str
    kind: str
    points: Sequence[Point]
    marks: bool = True
    joined: bool = True
    tips: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Axes:
    """From data to pixels; labels carry units."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    width: int = 460
    height: int = 280
    left: int = 54
    bottom: int = 44
    top: int = 12
    right: int = 14

    def px(self, value: float) -> float:
        """Pixel of an x."""
        span = self.x[1] - self.x[0] or 1.0
        return self.left + (value - self.x[0]) / span * (self.width - self.left - self.right)

    def py(self, value: float) -> float:
        """Pixel of a y."""
        span = self.y[1] - self.y[0] or 1.0
        return self.height - self.bottom - (value - self.y[0]) / span * (self.height - self.bottom - self.top)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between low and high, about `count` of them."""
    span = high - low
    if span <= 0.0 or not math.isfinite(span):
        return [low]
    raw = span / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * unit >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def extent(values: Sequence[float], zero: bool = False) -> tuple[float, float]:
    """Low and high with some air; from zero where asked."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = min(low, 0.0) if zero else low
    pad = 0.06 * (high - low or abs(high) or 1.0)
    return (low if zero and low == 0.0 else low - pad), high + pad


def _number(value: float) -> str:
    return f"{value:.10g}" if abs(value) >= 1e-9 else "0"


def frame(
    axes: Axes, inside: str, title: str, x_ticks: Sequence[Point | float] = (), names: Sequence[str] = ()
) -> str:
    """Axes with ticks around what is drawn inside; `title` is what a screen reader says."""
    marks = [float(t) for t in x_ticks if isinstance(t, int | float)] or ticks(*axes.x)
    labels = list(names) or [_number(t) for t in marks]
    low, parts = axes.height - axes.bottom, []
    for at in ticks(*axes.y):
        y = axes.py(at)
        parts.append(
            f'<line class="gridline" x1="{axes.left}" x2="{axes.width - axes.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        place = f'x="{axes.left - 6}" y="{y + 4:.1f}" text-anchor="end"'
        parts.append(f'<text class="tick" {place}>{_number(at)}</text>')
    for at, label in zip(marks, labels, strict=True):
        x = axes.px(at)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{low + 4}"/>'
                     f'<text class="tick" x="{x:.1f}" y="{low + 16}" text-anchor="middle">{escape(label)}</text>')  # fmt: skip
    middle_x, middle_y = (axes.left + axes.width - axes.right) / 2, (axes.top + low) / 2
    parts.append(
        f'<line class="axis" x1="{axes.left}" x2="{axes.width - axes.right}" y1="{low}" y2="{low}"/>'
    )
    parts.append(f'<text class="label" x="{middle_x:.0f}" y="{axes.height - 6}" text-anchor="middle">'
                 f"{escape(axes.x_label)}</text>")  # fmt: skip
    parts.append(f'<text class="label" transform="translate(13 {middle_y:.0f}) rotate(-90)" text-anchor="middle">'
                 f"{escape(axes.y_label)}</text>")  # fmt: skip
    return (
        f'<svg viewBox="0 0 {axes.width} {axes.height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}{inside}</svg>"
    )


def path(axes: Axes, points: Sequence[Point], kind: str, closed: bool = False) -> str:
    """A line through the points."""
    if not points:
        return ""
    steps = " ".join(f"{axes.px(x):.1f},{axes.py(y):.1f}" for x, y in points)
    tag = "polygon" if closed else "polyline"
    return f'<{tag} class="{kind}" points="{steps}"/>'


def dots(
    axes: Axes, points: Sequence[Point], kind: str, radius: float = 3.2, tips: Sequence[str] = ()
) -> str:
    """A mark at every point; tips show under the pointer."""
    texts = list(tips) or [""] * len(points)
    return "".join(
        f'<circle class="{kind}" cx="{axes.px(x):.1f}" cy="{axes.py(y):.1f}" r="{radius}">'
        + (f"<title>{escape(tip)}</title>" if tip else "")
        + "</circle>"
        for (x, y), tip in zip(points, texts, strict=True)
    )


def legend(lines: Sequence[tuple[str, str]]) -> str:
    """Names beside their colours (label, kind)."""
    items = "".join(f'<li><i class="swatch {kind}"></i>{escape(label)}</li>' for label, kind in lines)
    return f'<ul class="legend">{items}</ul>'


def chart(
    axes: Axes, lines: Sequence[Line], title: str, x_ticks: Sequence[float] = (), names: Sequence[str] = ()
) -> str:
    """Lines with marks and a legend; the first one is drawn last, above the others."""
    drawn = []
    for line in reversed(lines):
        if line.joined:
            drawn.append(path(axes, line.points, f"line {line.kind}"))
        if line.marks:
            drawn.append(dots(axes, line.points, f"dot {line.kind}", tips=line.tips))
    key = legend([(line.label, line.kind) for line in lines]) if len(lines) > 1 else ""
    return f"<figure>{frame(axes, ''.join(drawn), title, x_ticks, names)}{key}</figure>"


def histogram(values: Sequence[float], axes: Axes, title: str, expected: float | None = None) -> str:
    """Bars of equal width over the x range; a dashed line where they should be."""
    width = (axes.x[1] - axes.x[0]) / max(1, len(values))
    bars = []
    for k, value in enumerate(values):
        left, right = axes.px(axes.x[0] + k * width) + 1.0, axes.px(axes.x[0] + (k + 1) * width) - 1.0
        top = axes.py(value)
        bars.append(f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                    f'height="{max(0.0, axes.py(0.0) - top):.1f}"><title>{value:.3f}</title></rect>')  # fmt: skip
    if expected is not None:
        bars.append(path(axes, [(axes.x[0], expected), (axes.x[1], expected)], "line expected"))
    return f"<figure>{frame(axes, ''.join(bars), title)}</figure>"


def band(axes: Axes, curve: Sequence[Sequence[float]], kind: str) -> str:
    """Mean with one sd on both sides, from rows of x, mean, sd."""
    upper = [(row[0], row[1] + row[2]) for row in curve]
    lower = [(row[0], row[1] - row[2]) for row in reversed(curve)]
    return path(axes, upper + lower, f"band {kind}", closed=True) + path(
        axes, [(r[0], r[1]) for r in curve], f"line {kind}"
    )
