"""twin train: weights of the learned part from tables of one's own cohort."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.commands.output import EXIT_BAD_INPUT


def train(
    tables: Annotated[
        list[Path], typer.Argument(help="CSV or CSV.gz with glucose: person,time,channel,value; one a study.")
    ],
    out: Annotated[Path, typer.Option(help="Weights file to write; its report goes beside it.")],
    folds: Annotated[int, typer.Option(help="Cross-validation by person; 1 for none.", min=1)] = 5,
    seeds: Annotated[int, typer.Option(help="Networks that are averaged.", min=1)] = 4,
    epochs: Annotated[int, typer.Option(help="Times that each reading is seen.", min=1)] = 8,
    licence: Annotated[
        list[str] | None, typer.Option(help="STUDY=TEXT: licence of a table by its name; repeat it.")
    ] = None,
    keep_folds: Annotated[
        bool,
        typer.Option("--keep-folds", help="Also the weights of each fold, with whom they have not seen."),
    ] = False,
    body: Annotated[
        bool, typer.Option("--body", help="Heart rate by the minute and daily values instead of glucose.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON document.")] = False,
) -> None:
    """Train the learned part of the forecasts; the same tables give the same file.

    Example: twin train cgm_azt1d.csv.gz cgm_hall_2018.csv.gz --out mine.json && twin replay t.csv --out r --weights mine.json
    """
    from stream.commands.output import answer  # noqa: PLC0415
    from stream.training import TrainError, Training  # noqa: PLC0415
    from stream.training import train as run  # noqa: PLC0415

    named = tuple((text.partition("=")[0], text.partition("=")[2]) for text in licence or ())
    if not all(study and text for study, text in named):
        raise typer.BadParameter("--licence needs STUDY=TEXT")
    if body:
        _train_body(tables, out, dict(named), as_json)
        return
    task = Training(tuple(tables), out, folds, seeds, epochs, named, keep_folds)
    try:
        report = run(task, lambda what: typer.echo(what, err=True))
    except TrainError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    answer(as_json, report, HEADER, _rows(report))


def _train_body(tables: list[Path], out: Path, licences: dict[str, str], as_json: bool) -> None:
    from connectors.errors import TableError  # noqa: PLC0415
    from stream.commands.output import answer  # noqa: PLC0415
    from stream.training_body import train as run  # noqa: PLC0415

    try:
        text, report = run(tables, licences)
    except (TableError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    out.write_text(text, encoding="utf-8")
    answer(as_json, report, ("what", "value"), list(report.items()))


HEADER = ("study", "min", "n", "learned", "persist.", "AR", "vs AR", "50 %", "90 %")


def _rows(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (r["study"], f"{r['minutes']:g}", r["n"], f"{r['rmse']:.2f}", f"{r['persistence']:.2f}",
         f"{r['autoregression']:.2f}", f"{100 * (r['rmse'] / r['autoregression'] - 1):+.1f} %",
         f"{100 * r['coverage_50']:.1f}", f"{100 * r['coverage_90']:.1f}")
        for r in report["unseen_people"]
    ]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(train)
