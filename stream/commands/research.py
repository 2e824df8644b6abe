"""Commands for modellers beside those of inspect.py: an open-loop run, and the benchmark of the filter."""

from pathlib import Path
from typing import Annotated

import typer

from stream.commands.inspect import model_app
from stream.commands.output import EXIT_BAD_INPUT, EXIT_USAGE

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
bench_app = typer.Typer(
    help="Measure, beside a reference in the same run.\n\nExample: twin bench filter --json",
    no_args_is_help=True,
)


@model_app.command("run")
def model_run(
    inputs: Annotated[Path, typer.Argument(help="CSV or CSV.gz: person,time,channel,value.")],
    out: Annotated[Path, typer.Option(help="CSV or CSV.gz to write; it must not exist.")],
    profile: Annotated[
        Path | None, typer.Option(help="YAML or JSON: a profile, or profiles by person.")
    ] = None,
    every: Annotated[int, typer.Option(help="Seconds between rows, a multiple of 60.", min=60)] = 60,
    as_json: Json = False,
) -> None:
    """Run the equations in open loop under a table of inputs, each held until its next row.

    Example: twin model run inputs.csv --out day.csv --profile ada.yaml
    """
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.modelling import run  # noqa: PLC0415
    from stream.replay import ReplayError  # noqa: PLC0415

    if every % 60:
        typer.echo(
            f"error: --every {every}: a multiple of 60 s is needed, the model's step outside", err=True
        )
        raise typer.Exit(EXIT_USAGE)
    try:
        with progress("minutes of the model") as advance:
            summary = run(inputs, out, profile, every, advance)
    except ReplayError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    answer(as_json, summary, ("what", "value"), list(summary.items()))


@bench_app.command("filter")
def bench_filter(
    rounds: Annotated[int, typer.Option(help="How often everybody takes a turn.", min=1)] = 15,
    as_json: Json = False,
) -> None:
    """Microseconds of the filter beside C++ (where g++ is) and filterpy, all in turns; about a minute.

    Example: twin bench filter --json
    """
    from stream.bench.filter import run  # noqa: PLC0415
    from stream.commands.output import answer, progress  # noqa: PLC0415

    with progress("rounds") as advance:
        found = run(rounds, advance)
    words = {True: "ok", False: "MISSED", None: ""}
    rows = [
        (f["what"], _short(f["ours"]), f["unit"], f["reference"], _short(f["theirs"]), _short(f["ratio"]),
         _short(f["target"]), words[f["ok"]])
        for f in found["figures"]
    ]  # fmt: skip
    header = ("what", "ours", "unit", "beside it", "its", "ratio", "target", "")
    answer(as_json, found, header, rows)


@bench_app.command("sink")
def bench_sink(
    documents: Annotated[int, typer.Option(help="Estimates of a round and contender.", min=1000)] = 20_000,
    rounds: Annotated[int, typer.Option(help="How often everybody takes a turn.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """Points/s into InfluxDB beside influxdb-client's batching and a raw post of ready bytes, in turns.

    The InfluxDB of TWIN_INFLUX_* if a token is set (rows are left in its bucket), else one of our own.

    Example: twin bench sink --json
    """
    from connectors.errors import Unavailable  # noqa: PLC0415
    from stream.bench.sinking import run  # noqa: PLC0415
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    try:
        with progress("turns") as advance:
            found = run(Settings(), documents, rounds, advance)
    except Unavailable as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    rows = [tuple(line.values()) for line in found["figures"]]
    answer(as_json, found, ("what", "points/s", "CPU us a point", "lost", "ours over it"), rows)


@bench_app.command("stream")
def bench_stream(
    people: Annotated[int, typer.Option(help="Whose heart rate comes each second.", min=16)] = 2000,
    seconds: Annotated[
        int, typer.Option(help="Of each person; of batches five times as many.", min=60)
    ] = 600,
    resident: Annotated[int, typer.Option(help="Measure memory with so many people, too; 0: only 1000.")] = 0,
    recover: Annotated[int, typer.Option(help="Start with so many twins in the changelog; 0: do not.")] = 0,
    in_process: Annotated[bool, typer.Option("--in-process", help="Without a broker.")] = False,
    as_json: Json = False,
) -> None:
    """Readings a second to acknowledged state, latency, memory, lateness; on TWIN_BROKER or Kafka of deploy/services.

    Example: twin bench stream --json
    """
    from stream.bench.stream import run  # noqa: PLC0415
    from stream.commands.output import answer  # noqa: PLC0415

    try:
        found = run(people, seconds, resident, recover, in_process, lambda words: typer.echo(words, err=True))
    except RuntimeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    words = {True: "ok", False: "MISSED", None: ""}
    rows = [
        (f["what"], _short(f["ours"]), f["unit"], f.get("beside", ""), _short(f.get("theirs")), _short(f["target"]),
         words[f["ok"]])
        for f in found["figures"]
    ]  # fmt: skip
    answer(as_json, found, ("what", "ours", "unit", "beside it", "its", "target", ""), rows)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(bench_app, name="bench")
