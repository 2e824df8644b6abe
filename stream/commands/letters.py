"""Commands on dead letters: list, show, replay."""

import asyncio
import base64
from typing import Annotated

import typer

from stream.commands.output import EXIT_BAD_INPUT, answer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
dlq_app = typer.Typer(
    help="Dead letters: what was refused, why, and sending it again.\n\nExample: twin dlq list",
    no_args_is_help=True,
)


@dlq_app.command("list")
def dlq_list(as_json: Json = False) -> None:
    """Letters by topic and reason; waiting are those that no replay has taken. No value is shown.

    Example: twin dlq list --json
    """
    from stream.dlq import count  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    found = asyncio.run(count(Settings()))
    header = (
        "topic",
        "reason",
        "letters",
        "waiting",
        "most attempts",
        "newest failed at [ms]",
        "twin dlq show",
    )
    answer(as_json, found, header, [tuple(line.values()) for line in found])


@dlq_app.command("show")
def dlq_show(
    topic: Annotated[str, typer.Argument(help="The topic that it was meant for, such as reading.v1.")],
    partition: Annotated[int, typer.Argument(help="Of the dead-letter topic.")],
    offset: Annotated[int, typer.Argument(help="In the dead-letter topic.")],
    as_json: Json = False,
) -> None:
    """One letter with its headers and its original bytes: the only place where a value is shown.

    Example: twin dlq show reading.v1 0 17
    """
    from stream.dlq import show  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    found = asyncio.run(show(Settings(), topic, partition, offset))
    if found is None:
        typer.echo(f"error: no letter {offset} in partition {partition} of {topic}.dlq", err=True)
        raise typer.Exit(EXIT_BAD_INPUT)
    headers = {name: value.decode(errors="replace") for name, value in found.headers.items()}
    key = None if found.key is None else found.key.decode(errors="replace")
    document = {"topic": topic, "partition": partition, "offset": offset, "waiting": found.waiting,
                "headers": headers, "key": key, "value": found.value.decode(errors="replace"),
                "value_base64": base64.b64encode(found.value).decode()}  # fmt: skip
    rows = [*headers.items(), ("key", key), ("value", document["value"])]
    answer(as_json, document, ("", ""), rows)


@dlq_app.command("replay")
def dlq_replay(
    topic: Annotated[str | None, typer.Option(help="Only of this topic; else of all.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason, such as future.")] = None,
    as_json: Json = False,
) -> None:
    """Send waiting letters to where they were meant for, as they came. Readings applied before are duplicates.

    Example: twin dlq replay --topic estimate.v1 --reason sink_rejected
    """
    from stream.dlq import names, replay  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    if topic is not None and topic not in names():
        typer.echo(f"error: no topic {topic!r}; there are: {', '.join(names())}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT)
    done = asyncio.run(replay(Settings(), [topic] if topic else names(), reason))
    rows = [tuple(line.values()) for line in done["by"]]
    answer(as_json, done, ("topic", "reason", "replayed"), rows)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(dlq_app, name="dlq")
