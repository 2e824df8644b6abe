"""How commands answer: tables for people, one JSON document on standard output for programs."""

import json
from collections.abc import Sequence
from typing import Any

EXIT_BAD_INPUT = 3


def answer(as_json: bool, document: Any, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print the document as JSON, or the rows as a table."""
    if as_json:
        print(json.dumps(document))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*header)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)
