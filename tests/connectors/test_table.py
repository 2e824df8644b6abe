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
        (HEAD + "ada,2026-01-01T00:00:00Z,glucose,inf\n", "line 2, column value"),
        (HEAD + "ada,1970-01-01T00:00:00Z,glucose,100\n", "line 2, column time"),
        (HEAD + "x" * 10_000 + ",2026-01-01T00:00:00Z,glucose,100\n", "line 2, column person"),
        (HEAD + 'a,2026-01-01T00:00:00Z,glucose,"' + "1" * 200_000 + '"\n', "line 2: field larger"),
        ("person,time,channel,value,value\n", "line 1: a column is there twice"),
        (HEAD.strip() + ",sigma\na,2026-01-01T00:00:00Z,glucose,100,-1\n", "line 2, column sigma"),
        (HEAD.strip() + ",revision\na,2026-01-01T00:00:00Z,glucose,100,1.5\n", "line 2, column revision"),
        (
            HEAD.strip() + ",ingested_at\na,2026-01-01T00:00:00Z,glucose,100,now\n",
            "line 2, column ingested_at",
        ),
        (HEAD.strip() + ",unit\na,2026-01-01T00:00:00Z,glucose,100,kg\n", "line 2, column unit"),
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


def test_a_cut_or_corrupted_gzip_and_other_bytes_are_refused_whole(tmp_path):
    whole = gzip.compress((HEAD + "ada,2026-01-01T00:00:00Z,glucose,110\n" * 999).encode())
    for number, content in enumerate(
        (whole[:-20], whole[:40] + b"\x00" * 20 + whole[60:], b"no gzip at all")
    ):
        path = tmp_path / f"{number}.csv.gz"
        path.write_bytes(content)
        with pytest.raises(TableError, match="cannot be read"):
            read_table(path)
    (tmp_path / "latin.csv").write_bytes(
        (HEAD + "Jos\xe9,2026-01-01T00:00:00Z,glucose,110\n").encode("latin-1")
    )
    with pytest.raises(TableError, match="UTF-8"):
        read_table(tmp_path / "latin.csv")
