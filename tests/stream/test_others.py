"""Forecasts of other channels in a replay: one row for each reading of its moment and each horizon."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from stream.commands import app


def table(path, rows):
    path.write_text("person,time,channel,value\n" + "".join(f"ada,2026-01-0{d}T{h:02d}:{m:02d}:00Z,{c},{v}\n" for d, h, m, c, v in rows))  # fmt: skip
    return path


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """Two hours of every channel, and a night's RMSSD on each of three days after."""
    rows = [(1, 8 + m // 60, m % 60, "heart_rate", 65 + m % 3) for m in range(0, 120, 2)]
    for name, value in (
        ("respiration_rate", 15),
        ("spo2", 97),
        ("skin_temperature", 32.5),
        ("bp_systolic", 120),
    ):
        rows += [(1, 8 + m // 60, m % 60, name, value) for m in range(0, 120, 30)]
    rows += [(d, 7, 0, "hrv_rmssd", 40 + d) for d in (2, 3, 4)]
    return table(tmp_path_factory.mktemp("others") / "t.csv", rows)


def replay(readings, out, *options):
    done = CliRunner().invoke(app, ["replay", str(readings), "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    with (out / "forecasts.csv").open() as file:
        return [
            row for row in csv.DictReader(file) if row["horizon_s"] != "86400"
        ]  # next-day values: test_learned_body


@pytest.fixture(scope="module")
def rows(readings):
    return replay(readings, readings.parent / "all", "--forecast", "7,45")


def test_each_reading_is_forecast_at_each_horizon(rows):
    found = {}
    for row in rows:
        found.setdefault((row["channel"], row["horizon_s"]), []).append(row["made_at"])

    for name, count in (
        ("respiration_rate", 4),
        ("spo2", 4),
        ("skin_temperature", 4),
        ("bp_systolic", 4),
        ("heart_rate", 60),
    ):
        assert len(found[name, "420"]) == len(found[name, "2700"]) == count, name
        assert found[name, "420"] == sorted(found[name, "420"])


def test_a_nights_values_are_not_forecast_by_the_minute(rows):
    made = {row["made_at"][:10] for row in rows if row["channel"] == "hrv_rmssd"}

    assert made == {"2026-01-02"}  # the first of all; nobody can tell yet that it is a night's


def test_rows_are_distributions(rows):
    for row in rows:
        quantiles = [float(row[name]) for name in ("q05", "q25", "q50", "q75", "q95")]
        assert quantiles == sorted(quantiles)
        assert float(row["sd"]) > 0.0
        assert row["channel"] != "spo2" or quantiles[-1] <= 100.0


def test_channels_are_chosen_and_the_twin_is_the_same(readings, rows):
    folder = readings.parent
    chosen = replay(readings, folder / "some", "--forecast", "7,45", "--forecast-channels", "spo2")
    none = replay(readings, folder / "none", "--forecast", "7,45", "--forecast-channels", "none")
    plain = replay(readings, folder / "plain")

    assert {row["channel"] for row in chosen} == {"spo2", "heart_rate"}
    assert [row for row in chosen if row["channel"] == "spo2"] == [
        row for row in rows if row["channel"] == "spo2"
    ]
    assert {row["channel"] for row in none} == {row["channel"] for row in plain} == {"heart_rate"}
    portraits = [
        json.loads((folder / name / "twins.jsonl").read_text()) for name in ("all", "some", "none", "plain")
    ]
    assert all(portrait == portraits[0] for portrait in portraits)


def test_a_channel_that_is_not_forecast_is_refused(readings, tmp_path):
    done = CliRunner().invoke(
        app,
        [
            "replay",
            str(readings),
            "--out",
            str(tmp_path / "r"),
            "--forecast",
            "7",
            "--forecast-channels",
            "mood",
        ],
    )

    assert done.exit_code == 2
    assert "'mood' is not forecast" in " ".join(done.output.split())
    assert not (tmp_path / "r").exists()


def test_a_forecast_is_made_of_the_past_alone(readings, rows, tmp_path):
    text = readings.read_text().splitlines()
    cut = table(tmp_path / "cut.csv", [])
    cut.write_text(
        "\n".join([text[0], *(line for line in text[1:] if line.split(",")[1] <= "2026-01-01T08:30:00Z")])
        + "\n"
    )
    early = replay(cut, tmp_path / "r", "--forecast", "7,45")
    known = [row for row in rows if row["made_at"] <= "2026-01-01T08:30:00.000Z"]

    assert sorted(map(str, early)) == sorted(map(str, known))
    assert len(early) > 0
    assert np.isfinite([float(row["mean"]) for row in early]).all()
