"""twin outlook: forecast and what-if from a twin, with and without a scenario."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.commands.output import EXIT_BAD_INPUT

ROWS = 6  # of the table for people, spread over the hours
FIRST = ("glucose", "heart_rate")
COURSES = ("nothing", "scenario", "difference")
LEAST_CHANCE = 0.01
NOTABLE = 0.3  # of the sd of doing nothing: a channel that the scenario moves so much is shown


def _several(help_: str) -> Any:
    return typer.Option(help=f"{help_}; repeat it for several.")


def outlook(
    person: Annotated[str, typer.Argument(help="The person's pseudonym.")],
    hours: Annotated[float, typer.Option(help="How far to look, 0.5 to 48.")] = 6.0,
    meal: Annotated[list[str] | None, _several("Grams of carbohydrate: 60@12:30")] = None,
    insulin: Annotated[list[str] | None, _several("Units, rapid-acting: 4@12:15")] = None,
    exercise: Annotated[list[str] | None, _several("45min@6met, 1h@150w@17:00, 30min@10km/h@+90min")] = None,
    fluid: Annotated[list[str] | None, _several("Litres above habit: 0.5@15:00")] = None,
    alcohol: Annotated[list[str] | None, _several("Grams: 20@20:00")] = None,
    sleep_shift: Annotated[
        str, typer.Option(help="Hours that bedtime and waking are later: -2h is earlier.")
    ] = "",
    ambient: Annotated[list[str] | None, _several("Air, degrees Celsius: 35, 2h@35@14:00")] = None,
    altitude: Annotated[list[str] | None, _several("Metres: 2500, 3h@2500@10:00")] = None,
    drug: Annotated[list[str] | None, _several("Customary doses: beta_blocker=1@08:00")] = None,
    fever: Annotated[list[str] | None, _several("Core temperature, degrees Celsius: 39")] = None,
    infection: Annotated[list[str] | None, _several("Drive, 0.05 to 1.5: 0.6, 12h@0.6")] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A folder of `twin replay`, or a table; default: the running worker, over Kafka."
        ),
    ] = None,
    until: Annotated[
        str, typer.Option(help="Of a table: only readings until then, RFC 3339 with a zone.")
    ] = "",
    profile: Annotated[
        Path | None, typer.Option(help="Of a table: a profile, or profiles by person.")
    ] = None,
    every: Annotated[int, typer.Option(help="Minutes between rows of the document.")] = 5,
    channels: Annotated[
        str,
        typer.Option(help="Of the table for people, comma-separated; default: what the scenario moves."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Forecast and what-if from the twin as it is: nothing of it changes the twin.

    Times are HH:MM of the person's own clock, +90min, +2h, or RFC 3339 with a zone; left out: at once.

    Example: twin outlook ada --meal 60@12:30 --insulin 4@12:15 --exercise 45min@6met@17:00 --hours 8

    Example: twin outlook ada --from results --ambient 35 --json

    Example: twin outlook ada --from readings.csv.gz --until 2026-05-01T12:00Z --altitude 2500
    """
    from stream.commands.output import progress  # noqa: PLC0415
    from stream.compiled import OUTLOOK, ensure  # noqa: PLC0415
    from stream.outlook import OutlookError  # noqa: PLC0415

    wanted = {
        "meal": meal, "insulin": insulin, "exercise": exercise, "fluid": fluid, "alcohol": alcohol,
        "sleep_shift": [sleep_shift] if sleep_shift else None, "ambient": ambient, "altitude": altitude, "drug": drug,
        "fever": fever, "infection": infection,
    }  # fmt: skip
    with progress("compiling the equations (the first time one to two minutes)"):
        ensure(stages=OUTLOOK)
    from stream.outlook_run import outlook as make  # noqa: PLC0415

    try:
        record = _record(person, source, until, profile)
        chosen = {kind: texts for kind, texts in wanted.items() if texts}
        document = make(person, record, chosen, hours, every)
    except OutlookError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    _answer(as_json, document, frozenset(name for name in channels.split(",") if name))


def _record(person: str, source: Path | None, until: str, profile: Path | None) -> Any:
    """The twin: of the worker, of a folder, or of a table."""
    from stream import outlook_source  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    if (until or profile) and (source is None or source.is_dir()):
        raise typer.BadParameter("--until and --profile go with --from TABLE")
    if source is None:
        return asyncio.run(outlook_source.Heads(Settings()).record(person))
    if source.is_dir():
        return outlook_source.from_folder(source, person)
    return outlook_source.from_table(source, person, profile, until or None)


def _answer(as_json: bool, document: dict[str, Any], chosen: frozenset[str]) -> None:
    from stream.commands.output import answer  # noqa: PLC0415

    if not as_json:
        made_at = datetime.fromtimestamp(document["made_at"] / 1000.0, UTC).strftime("%Y-%m-%d %H:%M UTC")
        shift = f", {document['utc_offset_h']:+g} h on the person's clock" if document["utc_offset_h"] else ""
        typer.echo(f"From the twin of {made_at}{shift}; {len(document['scenario'])} things are done.")
    answer(as_json, document, HEADER, _rows(document, chosen))
    if as_json:
        return
    for name, why in document["not_shown"].items():
        typer.echo(f"{name}: not shown, {why}.")
    for sentence in document["unknown"]:
        typer.echo(f"- {sentence}")
    typer.echo(f"{document['notice']}.")


HEADER = ("channel", "in", "nothing is done", "scenario", "difference", "limits")


def _rows(document: dict[str, Any], chosen: frozenset[str]) -> list[tuple[str, ...]]:
    """Some times of each channel, mean and 90 % band; limits as chances without and with."""
    last = len(document["times"]) - 1
    picked = sorted({round(i * last / ROWS) for i in range(ROWS + 1)})
    rows = []
    for name, part in document["channels"].items():
        if not (name in chosen if chosen else _shown(name, part)):
            continue
        for i in picked:
            minutes = round((document["times"][i] - document["made_at"]) / 60_000)
            cells = [_cell(part.get(course), i, course == "difference") for course in COURSES]
            head = f"{name}, {part['unit']}" if i == picked[0] else ""
            rows.append((head, f"{minutes // 60}:{minutes % 60:02d}", *cells, _limits(part, i)))
    return rows


def _shown(name: str, part: dict[str, Any]) -> bool:
    """Without a choice: what was measured; with a scenario of that glucose and heart rate, and whatever it moves."""
    if "difference" not in part:
        return bool(part["measured"])
    moved = zip(part["difference"]["mean"], part["nothing"]["sd"], strict=True)
    return name in FIRST or any(abs(mean) > NOTABLE * sd for mean, sd in moved)


def _cell(course: dict[str, Any] | None, i: int, signed: bool) -> str:
    if course is None:
        return ""
    places = 0 if course["sd"][i] >= 3.0 else 1
    plus = "+" if signed else ""
    mean, low, high = (f"{course[name][i]:{plus}.{places}f}" for name in ("mean", "q05", "q95"))
    return f"{mean} ({low} to {high})"


def _limits(part: dict[str, Any], i: int) -> str:
    """`<70: 3 → 12 %` for limits that either course crosses with a chance of at least 1 %."""
    found = []
    for side, sign in (("below", "<"), ("above", ">")):
        for limit in part["nothing"][side]:
            shares = [part[course][side][limit][i] for course in COURSES[:2] if course in part]
            if max(shares) >= LEAST_CHANCE:
                found.append(f"{sign}{limit}: " + " → ".join(f"{100 * share:.0f}" for share in shares) + " %")
    return ", ".join(found)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(outlook)
