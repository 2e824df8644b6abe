"""`twin model run`: an open loop under a table of inputs."""

import csv
import json
import subprocess
import sys

import pytest

HEADER = "person,time,channel,value,unit\n"
ROWS = """ada,2026-03-02T10:00:00Z,met,1.3,
ada,2026-03-02T10:00:00Z,posture,0.3,
ada,2026-03-02T10:00:00Z,asleep,0,
ada,2026-03-02T10:00:00Z,ambient_temperature,75.2,degF
ada,2026-03-02T10:05:00Z,carbohydrate_intake,60,
ada,2026-03-02T10:20:00Z,met,6,
ada,2026-03-02T10:20:00Z,heart_rate,150,
ada,2026-03-02T10:26:00Z,met,6,
"""


def model_run(folder, text, *arguments):
    table, out = folder / "inputs.csv", folder / "out.csv"
    table.write_text(text)
    command = [
        sys.executable,
        "-m",
        "stream.commands",
        "model",
        "run",
        table,
        "--out",
        out,
        "--json",
        *arguments,
    ]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=500)
    return result, list(csv.DictReader(out.read_text().splitlines())) if out.exists() else None


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return model_run(tmp_path_factory.mktemp("plain"), HEADER + ROWS)


def test_begins_at_rest_with_the_first_inputs_and_follows_the_next(plain):
    result, rows = plain

    assert json.loads(result.stdout) == {"people": 1, "inputs": 7, "not_inputs": 1, "refused": {}, "rows": 27}
    assert [rows[i]["time"] for i in (0, -1)] == ["2026-03-02T10:00:00Z", "2026-03-02T10:26:00Z"]
    assert abs(float(rows[1]["heart_rate"]) - float(rows[0]["heart_rate"])) < 0.3, "settled"
    assert float(rows[20]["heart_rate"]) < 75.0 < 100.0 < float(rows[22]["heart_rate"])
    stomach = [float(row["state.stomach_glucose"]) for row in rows]
    assert stomach[5] < 1.0 < stomach[8] < stomach[12], "a meal is eaten over ten minutes"
    assert max(stomach) > 10_000.0


def test_a_column_is_what_a_perfect_sensor_of_the_channel_reads(plain):
    _, rows = plain
    last = {name: float(value) for name, value in rows[-1].items() if name not in {"person", "time"}}

    assert last["body_temperature"] == pytest.approx(last["core_temperature"] - 0.25)
    assert last["oxygen_uptake"] == pytest.approx(last["state.oxygen_uptake"] * last["weight"], rel=1e-6)
    assert last["glucose"] == last["glucose_bgm"] > 80.0


def test_a_repeated_row_and_the_order_of_rows_change_nothing_and_every_thins(plain, tmp_path):
    lines = ROWS.splitlines()
    again = HEADER + "\n".join([*reversed(lines), lines[0], lines[4]]) + "\n"
    _, rows = model_run(tmp_path, again, "--every", 300)

    assert rows == plain[1][::5]


def test_infection_brings_fever(tmp_path):
    ill = "".join(f"ada,2026-03-0{day}T10:00:00Z,infection,1,1\n" for day in (2, 3))
    result, rows = model_run(tmp_path, HEADER + ROWS + ill, "--every", 3600)

    assert float(rows[-1]["fever"]) > 0.5, result.stderr
    assert float(rows[-1]["core_temperature"]) > float(rows[0]["core_temperature"]) + 0.5


@pytest.mark.parametrize(
    ("text", "profile", "named"),
    [
        (HEADER + ROWS + "ada,2026-03-02T11:00:00Z,met,much,\n", None, "line 10, column value"),
        (HEADER + ROWS + "ada,2026-03-02T11:00:00Z,met,3,mmol/L\n", None, "line 10, column unit"),
        (HEADER + ROWS + "ada,soon,met,3,\n", None, "line 10, column time"),
        (HEADER + ROWS + "ada,2027-03-02T11:00:00Z,met,3,\nada,2029-03-02T11:00:00Z,met,3,\n", None, "span"),
        (HEADER + ROWS, "height_m: 178", "height_m = 178.0: allowed is 1 to 2.5"),
        (HEADER + ROWS, "weight_kg: -3", "weight_kg = -3.0: allowed is 20 to 400"),
        (HEADER + ROWS, '{"conditions": ["gout"]}', "conditions: 'gout' is unknown"),
        (HEADER + ROWS, "parameters: {kp1: 99}", "parameters.kp1 = 99.0: allowed is"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_place_and_nothing_is_written(tmp_path, text, profile, named):
    arguments = []
    if profile:
        (tmp_path / "profile.yaml").write_text(profile)
        arguments = ["--profile", tmp_path / "profile.yaml"]
    result, rows = model_run(tmp_path, text, *arguments)

    assert result.returncode == 3
    assert named in result.stderr
    assert rows is None
    assert {path.name for path in tmp_path.iterdir()} <= {"inputs.csv", "profile.yaml"}


def test_a_profile_changes_the_body(plain, tmp_path):
    (tmp_path / "profile.json").write_text('{"weight_kg": 110, "conditions": ["beta_blocker"]}')
    _, rows = model_run(tmp_path, HEADER + ROWS, "--profile", tmp_path / "profile.json")

    assert abs(float(rows[0]["weight"]) - 110.0) < 1.0
    assert float(rows[-1]["heart_rate"]) < float(plain[1][-1]["heart_rate"]) - 5.0
