"""twin simulate: virtual people by condition, with their truth."""

from pathlib import Path
from typing import Annotated

import typer

from stream.commands.output import EXIT_BAD_INPUT


def simulate(
    people: Annotated[int, typer.Option(help="How many.", min=1)],
    days: Annotated[float, typer.Option(help="Days of each, from midnight.", min=0.01, max=3660.0)],
    out: Annotated[Path, typer.Option(help="TABLE to write: .csv or .csv.gz; it must not be there.")],
    condition: Annotated[str, typer.Option(help="Of everybody, comma-separated; `twin model list`.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.", min=0)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON document.")] = False,
) -> None:
    """Make virtual people: readings with sensor noise, and the truth and the profiles beside the table.

    Example: twin simulate --people 10 --days 14 --condition t2d,hypertension_1 --out people.csv.gz

    Example: twin replay people.csv.gz --profile people.profiles.json --out results
    """
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.simulating import SimulateError, Simulation, run  # noqa: PLC0415
    from twin.profile import ProfileError  # noqa: PLC0415

    conditions = tuple(name.strip() for name in condition.split(",") if name.strip())
    try:
        with progress("minutes lived") as advance:
            summary = run(Simulation(people, days, out, conditions, seed), advance)
    except (SimulateError, ProfileError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    answer(as_json, summary, ("what", "value"), list(summary.items()))


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(simulate)
