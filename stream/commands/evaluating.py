"""twin evaluate: error, calibration and alarms of a replay against its readings, as a page and as one document."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.commands.output import EXIT_BAD_INPUT


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(help="Folder of `twin replay`, or a table of readings (then it is replayed first)."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for report.html and report.json; it must not hold them.")],
    readings: Annotated[
        Path | None,
        typer.Option(help="The table that was replayed; default: the one that summary.json names."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Truth: person,time, columns as simulate writes; default: what lies beside the table."
        ),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=DIR: another replay of the same table, compared at the same instants; repeat it."
        ),
    ] = None,
    onboarding: Annotated[
        float, typer.Option(help="Hours of each person that are not scored.", min=0.0)
    ] = 24.0,
    forecast: Annotated[str, typer.Option(help="Of a table: horizons in minutes.")] = "15,30,60,120",
    people: Annotated[str, typer.Option(help="Of a table: only these, comma-separated.")] = "",
    profile: Annotated[
        Path | None, typer.Option(help="Of a table: a profile, or profiles by person.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Of a table: processes.", min=1)] = 1,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Run the model's check-points for the report, some seconds."),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The whole document on standard output.")] = False,
) -> None:
    """Judge the twins' forecasts: error beside baselines, calibration, error grids, alarms; HTML and JSON.

    Example: twin replay readings.csv.gz --out results && twin evaluate results --out report

    Example: twin evaluate readings.csv.gz --out report --forecast 30,60

    Example: twin evaluate both --out report --beside mechanism=pure
    """
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.evaluate.evidence import EvaluateError  # noqa: PLC0415
    from stream.evaluate.report import Evaluation, check_free  # noqa: PLC0415
    from stream.evaluate.report import evaluate as make  # noqa: PLC0415
    from stream.replay import Replay, ReplayError, run  # noqa: PLC0415
    from twin.forecast_others import OTHERS  # noqa: PLC0415

    try:
        horizons = tuple(int(float(text) * 60) for text in forecast.split(",") if text)
    except ValueError as error:
        raise typer.BadParameter(f"--forecast {forecast!r}: minutes, comma-separated") from error
    others = tuple((text.partition("=")[0], Path(text.partition("=")[2])) for text in beside or ())
    if not all(name and folder.is_dir() for name, folder in others):
        raise typer.BadParameter("--beside needs NAME=DIR, DIR a folder of `twin replay`")
    try:
        check_free(out)
        if source.is_dir():
            with progress("comparing") as advance:
                document = make(
                    Evaluation(source, out, readings, truth, onboarding * 3600.0, beside=others, check=check),
                    advance,
                )
        elif not source.exists():
            raise EvaluateError(f"{source} is neither a folder nor a table")
        else:
            out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".evaluate-", dir=out.parent) as scratch:
                folder = Path(scratch) / "replay"
                chosen = frozenset(name for name in people.split(",") if name) or None
                run(Replay(source, folder, horizons, chosen, profile, jobs, channels=OTHERS))
                with progress("comparing") as advance:
                    document = make(
                        Evaluation(
                            folder, out, source, truth, onboarding * 3600.0, beside=others, check=check
                        ),
                        advance,
                    )
    except (EvaluateError, ReplayError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    typer.echo(f"written: {out / 'report.html'} and {out / 'report.json'}", err=True)
    answer(as_json, document, HEADER, _rows(document))


HEADER = ("channel", "min", "n", "twin", "persist.", "AR", "trees", "vs AR", "50 %", "90 %")


def _rows(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    """RMSE of the twin beside baselines, its change against AR, and the share of readings in its bands."""
    rows = []
    for channel, part in document["channels"].items():
        for h in part["horizons"]:
            found, gap = h["scores"], h["intervals"]["against"]["ar"]["rmse_change_percent"]
            rmse = [
                f"{found[name]['rmse']:.2f}" if name in found else "-"
                for name in ("twin", "persistence", "ar", "trees")
            ]
            inside = [f"{100 * found['twin'][name]:.1f}" for name in ("coverage_50", "coverage_90")]
            change = "-" if gap is None else f"{gap:+.1f} %"
            rows.append((channel, f"{h['horizon_s'] / 60:g}", h["n"], *rmse, change, *inside))
    return rows


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(evaluate)
