"""The command line `twin`. Every command imports what it needs when it runs, so that --help is quick."""

import sys

import typer

from stream.commands import inspect, replaying, services
from stream.commands.output import EXIT_BAD_INPUT

app = typer.Typer(
    help="Virtual human twins from wearable data. Decision support, not a medical device.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
services.register(app)
replaying.register(app)
inspect.register(app)


def main() -> None:
    """Entry point. Exit codes: 0 done, 2 wrong usage, 3 bad input (nothing written), 1 anything else."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the message is for people; a traceback is not
        from pydantic import ValidationError  # noqa: PLC0415

        from connectors.errors import PayloadError  # noqa: PLC0415

        name = type(error).__name__
        if isinstance(error, (PayloadError, ValidationError)) or name == "ProfileError":
            typer.echo(f"error: {error}", err=True)
            sys.exit(EXIT_BAD_INPUT)
        typer.echo(f"error: {name}: {error}", err=True)
        sys.exit(1)
