import gzip

import pytest

from connectors.errors import TableError
from connectors.table import read_table

HEAD = "person,time,channel,value\n"


def table(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


def test_reads_plain_and_gzip(tmp_path):
    text = HEAD + "ada,2026-01-01T00:00:00Z,glucose,110\nbob,2026-01-01T00:00:00Z,heart_rate,60\n"

    assert read_table(table(tmp_path, text)).value.tolist() == [110.0, 60.0]
    assert read_table(table(tmp_path, text, "t.csv.gz"), frozenset(["bob"])).persons == ["bob"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1"),
        ("person,time,value\n", "column channel is missing"),
        (HEAD + "ada,2026-01-01T00:00:00Z,glucose,abc\n", "line 2, column value"),
        (HEAD + "ada,2026-01-01T00:00:00Z,glucose,nan\n", "line 2, column value"),
        (HEAD + "ada,yesterday,glucose,100\n", "line 2, column time"),
        (HEAD + "ada,2026-01-01T00:00:00Z,mood,3\n", "line 2, column channel"),
        (HEAD + "ada,2026-01-01T00:00:00Z,glucose\n", "line 2: 3 cells"),
    ],
)
def test_a_broken_table_says_where(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        read_table(table(tmp_path, text))


def test_an_impossible_value_is_refused_alone(tmp_path):
    found = read_table(
        table(tmp_path, HEAD + "ada,2026-01-01T00:00:00Z,glucose,9000\nada,2026-01-01T00:05:00Z,glucose,90\n")
    )

    assert (len(found), len(found.refused)) == (1, 1)
