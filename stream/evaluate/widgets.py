"""Small pieces that the sections of the page share: tables, numbers as text, and what to show."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from connectors.channels import CHANNELS

TITLES = {"twin": "twin", "persistence": "persistence", "linear": "linear", "damped": "damped trend",
          "hours": "own hour of day", "week": "mean of 7 days", "ar": "AR (ridge)", "trees": "boosted trees"}  # fmt: skip
Cells = Sequence[str]


def table(header: Cells, rows: Sequence[tuple[str, Cells]], text: frozenset[int] = frozenset()) -> str:
    """Rows are (class, cells); cells are HTML; columns in `text` are set as text; a row of one cell heads a group."""
    kind = ['class="text"' if i in text else "" for i in range(len(header))]
    head = "".join(f"<th {kind[i]}>{cell}</th>" for i, cell in enumerate(header))
    body = "".join(_row(name, cells, kind) for name, cells in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(name: str, cells: Cells, kind: Cells) -> str:
    if len(cells) == 1:
        return f'<tr class="group"><th colspan="{len(kind)}">{cells[0]}</th></tr>'
    return (
        f'<tr class="{name}">'
        + "".join(f"<td {kind[i]}>{cell}</td>" for i, cell in enumerate(cells))
        + "</tr>"
    )


def minutes(horizon_s: float) -> str:
    """A horizon in words."""
    return f"{horizon_s / 60:g} min" if horizon_s < 86400 else f"{horizon_s / 86400:g} d"


def called(name: str) -> str:
    """A forecast's name: of the twin, a baseline, or another replay as the user called it."""
    return TITLES.get(name, name)


def colour(name: str) -> str:
    """Class of its colour; other replays share one."""
    return name if name in TITLES else "p5"


def title(channel: str) -> str:
    """A channel with its unit."""
    spec = CHANNELS[channel]
    return f"{escape(spec.title)} [{escape(spec.ucum)}]"


def percent(value: float | None, places: int = 1) -> str:
    """A share as per cent; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.{places}f}"


def change(entry: dict[str, Any]) -> str:
    """Change against a baseline, coloured, with its interval."""
    return _change(entry["rmse_change_percent"], entry["interval"])


def crps_change(entry: dict[str, Any]) -> str:
    """The same of CRPS."""
    return _change(entry["crps_change_percent"], entry["crps_interval"])


def _change(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    kind = "better" if value < 0 else "worse"
    more = f" [{interval[0]:+.1f}, {interval[1]:+.1f}]" if interval else ""
    return f'<span class="{kind}">{value:+.1f} %</span>{more}'


def figures(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Channels that have something to show."""
    for channel, found in document["channels"].items():
        if found["horizons"]:
            yield channel, found


def main_horizon(part: dict[str, Any]) -> dict[str, Any]:
    """The horizon that single plots show: half an hour, or the one in the middle."""
    horizons = part["horizons"]
    return next((h for h in horizons if h["horizon_s"] == 1800), horizons[len(horizons) // 2])
