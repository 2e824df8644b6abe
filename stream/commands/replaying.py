"""twin replay: the same engine without a broker, strictly causal in event time, no wall clock."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stream.commands.output import EXIT_BAD_INPUT


class Filter(StrEnum):
    """Which filter runs."""

    COMPILED = "compiled"
    REFERENCE = "reference"


def replay(
    table: Annotated[Path, typer.Argument(help="CSV or CSV.gz: person,time,channel,value.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not hold any.")],
    forecast: Annotated[str, typer.Option(help="Horizons in minutes, for example 30,60.")] = "",
    forecast_channels: Annotated[
        str,
        typer.Option(
            help="With --forecast also of these, comma-separated (respiration_rate, spo2, skin_temperature ...), or none."
        ),
    ] = "all",
    chance: Annotated[
        str,
        typer.Option(
            help="Of each forecast also the chance to be beyond limits: 'glucose<70,heart_rate>110'."
        ),
    ] = "",
    people: Annotated[str, typer.Option(help="Only these, comma-separated.")] = "",
    profile: Annotated[
        Path | None, typer.Option(help="YAML or JSON: a profile, or profiles by person.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    as_arrived: Annotated[
        bool, typer.Option("--as-arrived", help="In file order, cut at random, by the journal.")
    ] = False,
    filter_: Annotated[
        Filter, typer.Option("--filter", help="compiled, or filterpy as reference.")
    ] = Filter.COMPILED,
    smooth: Annotated[
        bool,
        typer.Option("--smooth", help="Also what all readings tell of each time: estimates_smoothed.csv."),
    ] = False,
    weights: Annotated[
        str,
        typer.Option(
            envvar="TWIN_WEIGHTS",
            help="Weights file of the learned part; none: the mechanism alone. Default: shipped.",
        ),
    ] = "",
    plan: Annotated[
        Path | None,
        typer.Option(
            help="Speeds to come (and the day's first heart rates): heart rate then in planned.csv."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON document.")] = False,
) -> None:
    """Run the twins over a table of readings.

    Example: twin replay readings.csv.gz --out results --forecast 30,60 --people ada

    Example: twin replay readings.csv.gz --out results --forecast 15,60 --forecast-channels spo2,skin_temperature

    Example: twin replay readings.csv.gz --out results --forecast 60 --chance 'glucose<54,glucose<70,glucose>250'
    """
    from stream.chances import limits_of  # noqa: PLC0415
    from stream.commands.output import answer  # noqa: PLC0415
    from stream.replay import Replay, ReplayError, run  # noqa: PLC0415

    try:
        horizons = tuple(int(float(text) * 60) for text in forecast.split(",") if text)
    except ValueError as error:
        raise typer.BadParameter(f"--forecast {forecast!r}: minutes, comma-separated") from error
    try:
        chances = limits_of(chance)
    except ValueError as error:
        raise typer.BadParameter(f"--chance {error}") from error
    chosen = frozenset(name for name in people.split(",") if name) or None
    ordered = (
        filter_ is Filter.COMPILED and not as_arrived
    )  # other channels are forecast in the order of time
    channels = channels_of(forecast_channels) if ordered else ()
    if smooth and (as_arrived or filter_ is Filter.REFERENCE):
        raise typer.BadParameter("--smooth goes with the compiled filter in the order of time")
    task = Replay(
        table,
        out,
        horizons,
        chosen,
        profile,
        jobs,
        as_arrived,
        filter_ is Filter.REFERENCE,
        smooth,
        weights=weights,
        plan=plan,
        channels=channels,
        chances=chances,
    )
    try:
        summary = run(task)
    except ReplayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    told = summary | {
        "learned_from": ", ".join(part["weights"] for part in summary["learned_from"]) or "nothing"
    }
    answer(as_json, summary, ("what", "value"), list(told.items()))


def channels_of(text: str) -> tuple[str, ...]:
    """Channels to forecast beside heart rate and glucose, of a comma-separated text, `all` or `none`."""
    from twin.forecast_others import OTHERS  # noqa: PLC0415

    names = (
        OTHERS if text == "all" else () if text == "none" else tuple(name for name in text.split(",") if name)
    )
    known = (*OTHERS, "heart_rate", "glucose")
    for name in names:
        if name not in known:
            raise typer.BadParameter(
                f"--forecast-channels: {name!r} is not forecast; known are {', '.join(known)}"
            )
    return tuple(name for name in names if name in OTHERS)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(replay)
