"""Commands that run something: demo, worker, gateway, send, warm."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def _until_stopped(service: Coroutine[Any, Any, None]) -> None:
    """Run a service until SIGTERM or Ctrl-C; what it has begun it ends."""

    async def watched() -> None:
        task = asyncio.ensure_future(service)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(watched())


class Target(StrEnum):
    """Where `send` publishes to."""

    KAFKA = "kafka"
    GATEWAY = "gateway"


def worker() -> None:
    """Run the Faust worker. Settings come from TWIN_* variables.

    Example: TWIN_BROKER=127.0.0.1:9092 twin worker
    """
    from stream.stopping import stop_at_once  # noqa: PLC0415

    stop_at_once()
    from stream.logs import configure_logs  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415
    from stream.worker import run  # noqa: PLC0415

    settings = Settings()
    configure_logs(settings.log_level)
    run(settings)


def gateway() -> None:
    """Run the HTTP door for vendors.

    Example: TWIN_VENDOR_KEYS='{"readings": "secret"}' twin gateway
    """
    from stream.stopping import stop_at_once  # noqa: PLC0415

    stop_at_once()
    from stream.gateway import serve  # noqa: PLC0415
    from stream.logs import configure_logs  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    settings = Settings()
    configure_logs(settings.log_level)
    _until_stopped(serve(settings))


def page() -> None:
    """Serve the page from the store.

    Example: TWIN_SQLITE_PATH=.twin/twin.sqlite twin page
    """
    from stream.stopping import stop_at_once  # noqa: PLC0415

    stop_at_once()
    from stream.logs import configure_logs  # noqa: PLC0415
    from stream.page.server import serve  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    settings = Settings()
    configure_logs(settings.log_level)
    _until_stopped(serve(settings))


def warm(as_json: Json = False) -> None:
    """Compile the equations into the cache, so that no reading waits for the compiler.

    Example: twin warm
    """
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.compiled import load_all as compile_all  # noqa: PLC0415
    from twin.jit import cache_folder  # noqa: PLC0415

    with progress("compiling the equations (the first time one to two minutes)"):
        seconds = round(compile_all(), 2)
    folder = str(cache_folder())
    answer(as_json, {"seconds": seconds, "cache": folder}, ("seconds", "cache"), [(seconds, folder)])


def send(
    table: Annotated[Path, typer.Argument(help="CSV or CSV.gz: person,time,channel,value.")],
    to: Annotated[Target, typer.Option(help="kafka, or the gateway by HTTP.")] = Target.KAFKA,
    speed: Annotated[float, typer.Option(help="Times real time; 0 sends as fast as it goes.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Publish a table of readings, in the order of their times.

    Example: twin send readings.csv.gz --speed 60

    Example: TWIN_VENDOR_KEYS='{"readings": "secret"}' twin send readings.csv --to gateway
    """
    from stream.commands.output import answer, progress  # noqa: PLC0415
    from stream.sending import send_table  # noqa: PLC0415
    from stream.settings import Settings  # noqa: PLC0415

    with progress("readings sent") as advance:
        sent = asyncio.run(send_table(Settings(), table, to.value, speed, advance))
    answer(as_json, sent, tuple(sent), [tuple(sent.values())])


def demo(
    people: Annotated[
        int, typer.Option(help="Real people of the shipped samples, at most 5.", min=1, max=5)
    ] = 5,
    minutes: Annotated[float, typer.Option(help="End after so long; 0 runs until Ctrl-C.")] = 0.0,
    port: Annotated[int, typer.Option(help="Port of the page; 0 chooses a free one.")] = 8090,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document at the end: what ran, and how soon.")
    ] = False,
) -> None:
    """Everything on this machine: broker, worker, store, page, and readings of real people.

    Example: twin demo --minutes 5
    """
    typer.echo("wearable-twin demo: decision support, not a medical device", err=True)
    from stream.demo import run_demo  # noqa: PLC0415

    report: dict[str, object] = {}
    code = run_demo(people, minutes, port, not no_browser, report)
    if as_json:
        print(json.dumps(report))  # noqa: T201
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (demo, worker, gateway, page, send, warm):
        app.command()(command)
