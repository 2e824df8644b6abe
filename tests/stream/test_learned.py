"""The learned part inside the product: a fold like the rest, in the same record, and off when it is told to be."""

import numpy as np
import pytest

from stream.cohort import Cohort
from stream.estimates import estimates
from stream.replay import Replay, ReplayError, run
from stream.training import run_online
from stream.training_people import Person
from stream.virtual import readings_of_rows
from stream.weights import provenance, weights_named
from twin import record as r_
from twin.forecast import LEARNED, MEAN, QUANTILES
from twin.learned import glucose_slot as s_
from twin.learned.weights import SHIPPED

START_MS = 1_795_392_000_000
HORIZONS = (900, 1800, 2700, 3600, 7200, 10800, 18000)


def rows(hours=9, seed=4):
    rng = np.random.default_rng(seed)
    found = []
    for k in range(hours * 12):
        value = 140.0 + 50.0 * np.sin(k / 9.0) + rng.normal(0.0, 2.0)
        found.append((START_MS + 300_000 * k, "glucose", float(value)))
        if k % 40 == 5:
            found.append((START_MS + 300_000 * k + 60_000, "carbohydrate_intake", 40.0))
        if k % 40 == 7:
            found.append((START_MS + 300_000 * k, "insulin_bolus", 4.0))
    return found


def applied(weights="", told=None):
    cohort = Cohort(horizons={"glucose": HORIZONS}, weights=weights_named(weights))
    return cohort, cohort.apply(readings_of_rows("ada", told or rows()))


def slot(cohort):
    return cohort.twins["ada"].head.record[r_.LEARNED_GLUCOSE : r_.LEARNED_GLUCOSE_END]


def test_the_learned_part_is_the_same_bit_for_bit_however_readings_come():
    whole, _ = applied()
    cut = Cohort(horizons={"glucose": HORIZONS})
    readings = readings_of_rows("ada", rows())
    order = np.random.default_rng(1).permutation(len(readings))
    for part in np.array_split(order, 6):
        cut.apply(readings.rows(part))
    cut.apply(readings.rows(order[:20]))  # twice

    assert slot(whole).tobytes() == slot(cut).tobytes()
    assert (slot(whole) != 0.0).sum() > 100


def test_the_learned_part_is_restored_from_the_changelog():
    whole, _ = applied()
    first = Cohort(horizons={"glucose": HORIZONS})
    readings = readings_of_rows("ada", rows())
    half = len(readings) // 2
    first.apply(readings.rows(slice(0, half)))
    second = Cohort(horizons={"glucose": HORIZONS})
    for key, value in first.changed():
        second.restore(key, value)
    second.finish_restore()
    second.apply(readings.rows(slice(half, None)))

    assert slot(whole).tobytes() == slot(second).tobytes()


def test_off_the_mechanism_forecasts_alone_and_on_it_is_not_touched():
    on, with_it = applied()
    off, without = applied("none")
    states = slice(0, r_.LEARNED_GLUCOSE)

    assert on.twins["ada"].head.record[states].tobytes() == off.twins["ada"].head.record[states].tobytes()
    assert slot(off)[s_.COUNT] == 0.0
    made = without.forecasts[:, 1][~np.isnan(without.forecasts[:, 1, 0, MEAN])]
    assert (made[:, :, LEARNED] == 0.0).all()
    assert np.isnan(made[:, :, QUANTILES]).all()
    assert np.isnan(without.low_probability[:, 1]).all()
    told = with_it.forecasts[:, 1][~np.isnan(with_it.forecasts[:, 1, 0, MEAN])]
    assert ((told[:, :, LEARNED] >= 0.0) & (told[:, :, LEARNED] <= 1.0)).all()
    assert (told[20:, :5, LEARNED] > 0.0).mean() > 0.99
    np.testing.assert_array_equal(
        told[:, -1, MEAN], made[:, -1, MEAN]
    )  # beyond four hours nothing is learned


def test_the_product_forecasts_what_training_validated():
    """The same kernels offline and online: nothing was lost on the way. Without meals, which training does not see."""
    told = [row for row in rows() if row[1] == "glucose"]
    _, done = applied(told=told)
    times = np.array([t / 1000.0 for t, _, _ in told])
    person = Person("x", "ada", times, np.array([v for _, _, v in told]), 300.0)
    issued, lows = run_online(person, weights_named().glucose)

    for column, h in ((0, 0), (1, 1), (3, 2), (4, 3)):
        np.testing.assert_allclose(done.forecasts[:, 1, column, MEAN], issued[:, h, 0], rtol=1e-9)
    np.testing.assert_allclose(done.low_probability[:, 0], lows[:, 2], rtol=1e-9)


def test_quantiles_of_every_horizon_rise_and_the_share_is_told():
    cohort, done = applied()
    outlook = list(estimates(cohort, done))[-1]["outlook"]

    assert [f["horizon_s"] for f in outlook] == list(HORIZONS)
    for forecast in outlook:
        five = [forecast[name] for name in ("q05", "q25", "q50", "q75", "q95")]
        assert five == sorted(five)
        assert 0.0 <= forecast["learned"] <= 1.0


def test_a_person_keeps_nothing_learned_beside_other_weights(tmp_path):
    cohort, _ = applied()
    other = weights_named().glucose
    other = other._replace(identity=other.identity + 1.0)
    gains = slot(cohort)[s_.SINGLES :].view(np.float32)[s_.GAINS : s_.GAINS + s_.TERMS].copy()
    cohort.weights = cohort.weights._replace(glucose=other)
    cohort.apply(readings_of_rows("ada", [(START_MS + 300_000 * 9 * 12, "glucose", 140.0)]))
    after = slot(cohort)[s_.SINGLES :].view(np.float32)[s_.GAINS : s_.GAINS + s_.TERMS]

    assert np.abs(gains[: 1 + s_.PROJECTED]).max() > 0.0
    assert (after[: 1 + s_.PROJECTED] == 0.0).all()
    assert slot(cohort)[s_.COUNT] > 100


def test_replay_refuses_weights_by_name_and_writes_nothing(tmp_path):
    table, weights = tmp_path / "t.csv", tmp_path / "w.json"
    table.write_text("person,time,channel,value\nada,2026-11-25T00:00:00Z,glucose,100\n")
    weights.write_text('{"schema": "glucose-weights/99"}')

    with pytest.raises(
        ReplayError, match="glucose-weights/99 is newer than this program's glucose-weights/3"
    ):
        run(Replay(table, tmp_path / "out", weights=str(weights)))
    assert not (tmp_path / "out").exists()


def test_weights_say_what_they_were_trained_on(tmp_path):
    own = tmp_path / "mine.json"
    own.write_text(
        SHIPPED.read_text(encoding="utf-8").replace('"study": "cgm_azt1d"', '"study": "our cohort"'),
        encoding="utf-8",
    )
    mine, body = provenance(str(own))
    shipped, _ = provenance()

    assert (shipped["weights"], mine["weights"], body["weights"]) == (
        "glucose.json",
        "mine.json",
        "body.json",
    )
    assert "cgm_azt1d" in shipped["trained_on"] and "cgm_azt1d" not in mine["trained_on"]
    assert mine["trained_on"][0] == "our cohort"
    assert any("Fitabase" in study for study in body["trained_on"])
    assert provenance("none") == []
