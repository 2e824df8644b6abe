"""The command line `twin`. Every command imports what it needs when it runs, so that --help is quick."""

import logging
import sys

import typer

from stream.commands import (
    evaluating,
    inspect,
    letters,
    outlooking,
    replaying,
    research,
    services,
    simulating,
    training,
)
from stream.commands.output import EXIT_BAD_INPUT, EXIT_USAGE

app = typer.Typer(
    help="Virtual human twins from wearable data. Decision support, not a medical device.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip
services.register(app)
replaying.register(app)
evaluating.register(app)
simulating.register(app)
outlooking.register(app)
training.register(app)
inspect.register(app)
letters.register(app)
research.register(app)


def main() -> None:
    """Entry point. Exit codes: 0 done, 2 wrong usage, 3 bad input (nothing written), 1 anything else."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # commands say it in words of their own
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the message is for people; a traceback is not
        message, code = explain(error)
        typer.echo(f"error: {message}", err=True)
        sys.exit(code)


def explain(error: Exception) -> tuple[str, int]:
    """What to tell people of an error, and the exit code. A setting's value is never in it: it may be a secret."""
    from pydantic import ValidationError  # noqa: PLC0415
    from pydantic_settings import SettingsError  # noqa: PLC0415

    from connectors.errors import PayloadError, Unavailable  # noqa: PLC0415

    name = type(error).__name__
    if isinstance(error, ValidationError):
        found = ((".".join(map(str, e["loc"])), e["msg"]) for e in error.errors(include_input=False))
        texts = [f"TWIN_{place.upper().replace('.', ': ', 1)}: {text}" for place, text in found]
        return "; ".join(texts), EXIT_USAGE
    if isinstance(error, SettingsError):
        return f"{error} (TWIN_VENDOR_KEYS and the like are JSON)", EXIT_USAGE
    if isinstance(error, PayloadError) or name in ("ProfileError", "WeightsError"):
        return str(error), EXIT_BAD_INPUT
    if name == "UnsafePageError":
        return str(error), EXIT_USAGE
    if isinstance(error, Unavailable):
        return str(error), 1
    return f"{name}: {error}", 1
