"""Commands that show: settings, doctor, model, alerts, person."""

import asyncio
import time
from typing import Annotated, Any

import typer

from stream.commands.output import EXIT_BAD_INPUT, answer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
model_app = typer.Typer(
    help="The equations: what there is, and its check-points.\n\nExample: twin model list --json",
    no_args_is_help=True,
)
alerts_app = typer.Typer(
    help="Alerts: list and acknowledge.\n\nExample: twin alerts list --all", no_args_is_help=True
)
person_app = typer.Typer(help="One person's twin.\n\nExample: twin person show ada", no_args_is_help=True)


def settings(as_json: Json = False) -> None:
    """Print the settings in force; secrets are hidden.

    Example: TWIN_BROKER=kafka:9092 twin settings
    """
    from stream.settings import Settings  # noqa: PLC0415

    document = Settings().model_dump(mode="json")
    described = Settings.model_fields
    rows = [(f"TWIN_{k.upper()}", v, described[k].description) for k, v in document.items()]
    answer(as_json, document, ("variable", "value", "meaning"), rows)


def doctor(
    as_json: Json = False,
    fix: Annotated[bool, typer.Option("--fix", help="Create missing topics and buckets.")] = False,
) -> None:
    """Say what is wrong with broker, topics, store, clock and versions, and what to do. Exit 1 if something is.

    Example: twin doctor --fix
    """
    from stream.doctor import examine  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    found = asyncio.run(examine(Settings(), fix))
    rows = [("ok" if f["ok"] else "WRONG", f["what"], f["found"], f["do"]) for f in found]
    answer(as_json, found, ("", "what", "found", "what to do"), rows)
    if not all(f["ok"] for f in found):
        raise typer.Exit(1)


@model_app.command("list")
def model_list(as_json: Json = False) -> None:
    """States, parameters, observables and constants with blocks, units, priors and sources.

    Example: twin model list --json
    """
    from twin.catalogue import catalogue  # noqa: PLC0415

    found = catalogue()
    columns = ("block", "name", "kind", "unit", "meaning", "source")
    rows = [tuple(str(row.get(column, "")) for column in columns) for row in found]
    answer(as_json, found, columns, rows)


@model_app.command("check")
def model_check(as_json: Json = False) -> None:
    """Assert the model's check-points; exit 1 if one fails.

    Example: twin model check
    """
    from stream.commands.output import progress  # noqa: PLC0415
    from twin.checkpoints import run  # noqa: PLC0415

    with progress("running the model"):
        rows = run()
    table = [
        (r["what"], r["expected"], round(r["got"], 2), r["tolerance"], "ok" if r["ok"] else "FAILED")
        for r in rows
    ]
    answer(as_json, rows, ("what", "expected", "got", "tolerance", ""), table)
    if not all(r["ok"] for r in rows):
        raise typer.Exit(1)


def _store() -> Any:
    from stream.settings import Settings  # noqa: PLC0415
    from stream.sink import open_store  # noqa: PLC0415

    return open_store(Settings())


@alerts_app.command("list")
def alerts_list(
    as_json: Json = False,
    everything: Annotated[bool, typer.Option("--all", help="Also the resolved ones.")] = False,
) -> None:
    """Open alerts, newest first.

    Example: twin alerts list
    """
    found = asyncio.run(_store().alerts())
    found = [a for a in found if everything or a["state"] != "resolved"]
    rows = [
        (a["alert_id"], a["person"], a["severity"], a["title"], a["state"], " ".join(a["why"])) for a in found
    ]
    answer(as_json, found, ("id", "person", "severity", "what", "state", "why"), rows)


@alerts_app.command("ack")
def alerts_ack(
    alert_id: Annotated[str, typer.Argument(help="As `twin alerts list` shows it.")],
    by: Annotated[str, typer.Option(help="Who takes it.")],
    as_json: Json = False,
) -> None:
    """Acknowledge an alert: the command goes to the worker by its topic.

    Example: twin alerts ack 3f0c... --by "night shift"
    """
    from stream.commanding import send_acknowledgement  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    found = [a for a in asyncio.run(_store().alerts()) if a["alert_id"] == alert_id]
    if not found:
        typer.echo(f"error: no alert {alert_id!r} in the store", err=True)
        raise typer.Exit(EXIT_BAD_INPUT)
    asyncio.run(send_acknowledgement(Settings(), found[0]["person"], alert_id, by))
    document = {"alert_id": alert_id, "person": found[0]["person"], "by": by, "at": int(time.time() * 1000)}
    answer(as_json, document, tuple(document), [tuple(document.values())])


@person_app.command("show")
def person_show(
    person: Annotated[str, typer.Argument(help="The person's pseudonym.")], as_json: Json = False
) -> None:
    """The newest estimate: states, parameters with their uncertainty, forecasts.

    Example: twin person show ada
    """
    found = [e for e in asyncio.run(_store().latest()) if e["person"] == person]
    if not found:
        typer.echo(f"error: nobody called {person!r} in the store", err=True)
        raise typer.Exit(EXIT_BAD_INPUT)
    kinds = [(kind, name, v) for kind in ("state", "parameter") for name, v in found[0][kind].items()]
    kinds += [("forecast", f"{f['channel']} in {f['horizon_s'] // 60} min", f) for f in found[0]["outlook"]]
    rows = [(kind, name, f"{v['mean']:.4g}", f"{v['sd']:.2g}") for kind, name, v in kinds]
    rows.append(("readings", "that came too late, not applied", str(found[0].get("late_readings", 0)), ""))
    answer(as_json, found[0], ("kind", "name", "mean", "sd"), rows)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(settings)
    app.command()(doctor)
    app.add_typer(model_app, name="model")
    app.add_typer(alerts_app, name="alerts")
    app.add_typer(person_app, name="person")
