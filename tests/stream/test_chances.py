"""Chances of limits beside a replay's forecasts."""

import csv

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from stream.chances import add_chances, limits_of
from stream.commands import app
from stream.estimates import Z


def forecasts(path, rows):
    """A file of forecasts with the quantiles of normals: (channel, mean, sd)."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person", "channel", "mean", "sd", *Z, "learned"])
        for channel, mean, sd in rows:
            writer.writerow(["ada, b", channel, mean, sd, *(mean + z * sd for z in Z.values()), "0"])
    return path


def test_the_chance_of_a_normal_is_the_normals_and_other_channels_have_none(tmp_path):
    rows = [("glucose", 100.0, 20.0), ("heart_rate", 80.0, 5.0), ("glucose", 60.0, 4.0)] * 3000
    path = forecasts(tmp_path / "f.csv", rows)
    before = path.read_text().splitlines()
    add_chances(path, limits_of("glucose<70, glucose>70,heart_rate>85.5"))
    after = path.read_text().splitlines()

    assert after[0] == before[0] + ",glucose<70,glucose>70,heart_rate>85.5"
    assert [line.startswith(old) for line, old in zip(after, before, strict=True)].count(False) == 0
    with path.open() as file:
        found = list(csv.DictReader(file))
    for row, (channel, mean, sd) in zip(found, rows, strict=True):
        if channel == "glucose":
            assert float(row["glucose<70"]) == pytest.approx(norm.cdf(70.0, mean, sd), rel=1e-3)
            assert float(row["glucose<70"]) + float(row["glucose>70"]) == pytest.approx(1.0, abs=1e-3)
            assert row["heart_rate>85.5"] == ""
        else:
            assert (row["glucose<70"], row["glucose>70"]) == ("", "")
            assert float(row["heart_rate>85.5"]) == pytest.approx(norm.sf(85.5, mean, sd), rel=1e-3)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("glucose=70", "'glucose=70'"),
        ("sugar<4", "sugar is not in the channel table"),
        ("glucose<", "'glucose<'"),
    ],
)
def test_a_limit_that_cannot_be_read_is_named(text, place, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("person,time,channel,value\n")
    done = CliRunner().invoke(
        app, ["replay", str(table), "--out", str(tmp_path / "out"), "--chance", f"glucose<70,{text}"]
    )

    assert done.exit_code == 2
    assert place in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_replay_tells_the_chances_it_was_asked_for(tmp_path):
    table = tmp_path / "t.csv"
    lines = [
        f"ada,2026-01-01T{m // 60:02d}:{m % 60:02d}:00Z,glucose,{110 + 30 * np.sin(m / 60.0):.1f}"
        for m in range(0, 600, 5)
    ]
    table.write_text("person,time,channel,value\n" + "\n".join(lines) + "\n")
    done = CliRunner().invoke(
        app,
        ["replay", str(table), "--out", str(tmp_path / "out"), "--forecast", "30", "--chance", "glucose<90"],
    )
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / "forecasts.csv").open() as file:
        rows = list(csv.DictReader(file))

    told = np.array([(float(row["q50"]), float(row["glucose<90"])) for row in rows])
    assert len(told) > 100
    assert ((told[:, 1] >= 0.5) == (told[:, 0] <= 90.0)).all(), "half where the median lies"
    assert told[:, 1].min() < 0.1 and told[:, 1].max() > 0.5
