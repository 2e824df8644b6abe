"""twin simulate: the contract of its three files, by its command."""

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from connectors.table import read_table
from stream.truth import truth_header

TWIN = [sys.executable, "-m", "stream.commands", "simulate"]


def simulate(*arguments):
    return subprocess.run(
        [*TWIN, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "people.csv.gz"
    done = simulate(
        "--people", 2, "--days", 0.5, "--condition", "t2d,hypertension_1", "--seed", 7, "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_readings_are_a_table_that_replay_takes(made):
    out, summary = made
    table = read_table(out)

    assert summary["readings"] == len(table) > 1500
    assert not table.refused
    assert table.persons == ["virtual-1", "virtual-2"]


def test_the_truth_has_a_row_a_minute_and_the_columns_of_model_run(made):
    out, summary = made
    with gzip.open(summary["truth"], "rt", newline="") as file:
        rows = list(csv.DictReader(file))

    assert summary["truth"] == str(out.with_name("people.truth.csv.gz"))
    assert list(rows[0]) == truth_header()
    assert len(rows) == 2 * 720
    assert all(
        np.isfinite(float(v)) for row in rows[::97] for k, v in row.items() if k not in {"person", "time"}
    )


def test_readings_err_around_the_truth_as_their_sensors_do(made):
    out, summary = made
    with gzip.open(summary["truth"], "rt", newline="") as file:
        true = {(row["person"], row["time"]): float(row["heart_rate"]) for row in csv.DictReader(file)}
    with gzip.open(out, "rt", newline="") as file:
        error = [float(row["value"]) - true[row["person"], row["time"]]
                 for row in csv.DictReader(file) if row["channel"] == "heart_rate"]  # fmt: skip

    assert abs(np.mean(error)) < 0.3
    assert 2.2 < np.std(error) < 5.0


def test_a_condition_shows_in_profile_and_truth(made):
    _, summary = made
    profiles = json.loads(Path(summary["profiles"]).read_text())
    with gzip.open(summary["truth"], "rt", newline="") as file:
        glucose = np.mean([float(row["glucose"]) for row in csv.DictReader(file)])

    assert all(p["conditions"] == ["t2d", "hypertension_1"] for p in profiles.values())
    assert glucose > 130.0


def test_a_seed_makes_the_same_bytes_and_another_seed_others(made, tmp_path):
    out, _ = made
    again, other = tmp_path / "again.csv.gz", tmp_path / "other.csv.gz"
    common = ("--people", 2, "--days", 0.5, "--condition", "t2d,hypertension_1")
    assert simulate(*common, "--seed", 7, "--out", again).returncode == 0
    assert simulate(*common, "--seed", 8, "--out", other).returncode == 0

    assert again.read_bytes() == out.read_bytes()
    assert other.read_bytes() != out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--people", 1, "--days", 0.1, "--condition", "plague", "--out", "x.csv"), 3, "plague"),
        (("--people", 1, "--days", 0.1, "--out", "x.txt"), 3, "x.txt"),
        (("--people", 0, "--days", 0.1, "--out", "x.csv"), 2, "people"),
        (("--days", 0.1, "--out", "x.csv"), 2, "people"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(arguments, code, said, tmp_path):
    done = subprocess.run(
        [*TWIN, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_it_overwrites_nothing(made):
    out, _ = made
    before = out.read_bytes()
    done = simulate("--people", 1, "--days", 0.1, "--out", out)

    assert done.returncode == 3
    assert out.read_bytes() == before
