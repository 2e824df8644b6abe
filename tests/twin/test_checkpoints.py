import pytest

from twin import checkpoints

ROWS = checkpoints.run()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_the_equations_give_the_checkpoint(row):
    assert row["ok"], (
        f"{row['what']}: expected {row['expected']} +/- {row['tolerance']}, got {row['got']:.3f}"
    )


def test_signalling_saturates_in_order():
    from twin.physiology.insulin_signalling import signalling_levels

    low = signalling_levels(25.0, 600.0, diabetic=0.0)
    high = signalling_levels(60_000.0, 600.0, diabetic=0.0)

    assert all(0.0 < a < b < 1.0 for a, b in zip(low, high, strict=True))
    assert signalling_levels(600.0, 900.0, diabetic=1.0)[2] < signalling_levels(600.0, 600.0, diabetic=0.0)[2]


def test_a_check_that_fails_makes_the_command_fail(monkeypatch):
    from typer.testing import CliRunner

    from stream.commands import app

    rows = [row | {"ok": row["what"] != ROWS[0]["what"]} for row in ROWS]
    monkeypatch.setattr(checkpoints, "run", lambda: rows)
    result = CliRunner().invoke(app, ["model", "check"])

    assert result.exit_code == 1
    assert result.stdout.count("FAILED") == 1
