"""How commands answer: tables for people, one JSON document on standard output for programs; progress on standard error."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

EXIT_USAGE, EXIT_BAD_INPUT = 2, 3
Advance = Callable[[float, float], None]


def answer(as_json: bool, document: Any, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print the document as JSON, or the rows as a table whose cells are never cut."""
    if as_json:
        print(json.dumps(document))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table()
    for title in header:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar on standard error, where that is a terminal, and gone afterwards; gives advance(done, total)."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
