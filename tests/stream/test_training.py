"""`twin train`: the same tables give the same bytes; what cannot be used is refused by name."""

import json

import numpy as np
import pytest

from stream.training import SOURCES, TrainError, Training, fold_of, slow_trend, train
from stream.training_directions import directions
from stream.training_network import Examples, Plan, fit, forecast_loss, hidden_units, together
from stream.training_people import Person, Rows, labels, targets
from twin.learned.weights import SHIPPED, WeightsError, load


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Six people whose glucose follows its own past: something that can be learned."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("training") / "cohort.csv"
    lines = ["person,time,channel,value"]
    for person in range(6):
        level, trend = 120.0, 0.0
        for k in range(700):
            trend = 0.9 * trend + rng.normal(0.0, 1.5)
            level = min(max(level + trend - 0.03 * (level - 125.0), 45.0), 320.0)
            at = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(300 * k, "s")
            lines.append(f"p{person},{at}Z,glucose,{level:.1f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_same_table_gives_the_same_bytes_and_a_report_of_people_unseen(table, tmp_path):
    first = train(Training((table,), tmp_path / "a.json", folds=2, seeds=1, epochs=2))
    train(Training((table,), tmp_path / "b.json", folds=2, seeds=1, epochs=2))
    report = json.loads((tmp_path / "a.report.json").read_text())

    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert report == first
    row = next(r for r in report["unseen_people"] if r["minutes"] == 30.0)
    assert row["people"] == 6
    assert row["rmse"] < 0.9 * row["persistence"]
    assert report["trained_on"][0] | {"readings": 0} == {
        "study": "cohort", "source": "cohort", "licence": "not stated", "people": 6, "readings": 0,
    }  # fmt: skip
    assert load(tmp_path / "a.json").glucose.identity != 0.0


def test_nothing_is_overwritten_and_a_table_without_glucose_is_refused(table, tmp_path):
    (tmp_path / "w.json").write_text("mine")
    poor = tmp_path / "poor.csv"
    poor.write_text("person,time,channel,value\nada,2026-11-25T00:00:00Z,heart_rate,60\n")

    with pytest.raises(TrainError, match="is there already"):
        train(Training((table,), tmp_path / "w.json", seeds=1, epochs=1))
    with pytest.raises(TrainError, match=r"poor\.csv: nobody in it has 50 readings of glucose"):
        train(Training((poor,), tmp_path / "x.json", seeds=1, epochs=1))
    assert (tmp_path / "w.json").read_text() == "mine"
    assert not (tmp_path / "x.json").exists()


def test_shipped_weights_say_what_they_were_trained_on_and_only_what_may_be():
    about = json.loads(SHIPPED.read_text())["trained_on"]

    assert {line["study"] for line in about} == set(SOURCES)
    assert all(line["licence"] == SOURCES[line["study"]][1] for line in about)
    notice = SHIPPED.with_name("NOTICE").read_text()
    assert all(
        word in notice for word in ("AZT1D", "PhysioCGM", "HUPA-UCM", "Hall et al. 2018", "CC BY 4.0", "CC0")
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "glucose-weights/0"}, "glucose-weights/0 is older than"),
        ({"schema": "other/1"}, "is not that of weights"),
        ({"inputs": ["level"]}, "made for other inputs"),
        ({"arrays": {}}, "damaged"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_by_name(tmp_path, change, words):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(json.loads(SHIPPED.read_text()) | change))

    with pytest.raises(WeightsError, match=words):
        load(path)


def test_people_differ_most_in_the_first_direction_that_is_kept():
    """Eight people whose errors follow one unit of the layer, each with a slope of their own, and nothing else."""
    rng = np.random.default_rng(6)
    network = fit(
        Examples(*(rng.normal(size=(600, n)).astype(np.float32) for n in (4,)), np.ones(600, np.float32),
                 rng.normal(size=(600, 4)).astype(np.float32), np.ones((600, 4), np.float32),
                 np.zeros((600, 3), np.float32)),
        24, forecast_loss, Plan(hidden=12, deep=16, epochs=40, batch=100), 0,
    )  # fmt: skip
    rows, unit = [], 3
    for slope in rng.normal(0.0, 0.5, 8):
        x = rng.normal(size=(2000, 4)).astype(np.float32)
        units = hidden_units(network, x)
        mean = units @ network.outer[:, ::6] + network.offset[::6]
        off = (units[:, unit] - units[:, unit].mean()) / units[:, unit].std()
        base = np.stack([np.full((2000, 4), 100.0), np.full((2000, 4), 10.0)], axis=2)
        noise = rng.normal(0.0, 0.3, (2000, 1))
        rows.append(
            [Rows(x, 100.0 + 10.0 * (mean + slope * off[:, None] + noise), base, np.zeros((2000, 3)), 1.0)]
        )
    _, projection = directions(network, rows)
    everybody = np.concatenate([hidden_units(network, part[0].x) for part in rows]).astype(np.float64)
    told = (everybody - everybody.mean(axis=0)) @ projection

    assert abs(np.corrcoef(told[:, 0], everybody[:, unit])[0, 1]) > 0.95
    assert told[:, 0].std() > 3.0 * told[:, 1].std()


def test_members_side_by_side_give_the_mean_of_their_outputs():
    rng = np.random.default_rng(7)
    data = Examples(rng.normal(size=(500, 5)).astype(np.float32), np.ones(500, np.float32),
                    rng.normal(size=(500, 4)).astype(np.float32), np.ones((500, 4), np.float32),
                    np.zeros((500, 3), np.float32))  # fmt: skip
    plan = Plan(hidden=6, deep=5, epochs=3, batch=100)
    parts = [fit(data, 24, forecast_loss, plan, seed) for seed in range(3)]
    out = [hidden_units(n, data.x) @ n.outer + n.offset for n in (*parts, together(parts))]

    np.testing.assert_allclose(out[3], np.mean(out[:3], axis=0), atol=1e-5)


def test_nobody_is_in_two_folds_and_every_study_is_spread():
    people = [Person(study, f"{n}", np.zeros(1), np.zeros(1), 300.0) for study in "ab" for n in range(7)]
    fold = fold_of(people, 5)

    assert fold.tolist() == [0, 1, 2, 3, 4, 0, 1] * 2


def test_targets_are_the_nearest_reading_within_half_a_step():
    times = 60.0 * np.array([0.0, 5.0, 14.0, 17.0, 31.0])
    found = targets(times, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 300.0)

    assert found[0].tolist()[:2] == [3.0, 5.0]
    assert np.isnan(found[3, 1])


def test_labels_ask_for_episodes_where_one_may_begin_and_for_low_readings_anywhere():
    times = 300.0 * np.arange(40)
    values = np.r_[np.full(20, 90.0), np.full(6, 60.0), np.full(14, 100.0)]
    found = labels(times, values, 300.0)

    assert found[16:20, 2].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert found[14:16, 3].tolist() == [0.0, 1.0]
    assert np.isnan(found[20, 0])
    assert found[14, -1] == 1.0
    assert found[26, -1] == 0.0
    assert np.isnan(labels(times, values + 100.0, 300.0)[:20]).all()  # far from a low nothing is asked


def slow_people(step_s, count=3):
    """People whose reading in half an hour is told by this one and the one a quarter of an hour ago."""
    found = []
    for seed in range(count):
        rng, values = np.random.default_rng(seed), [140.0, 150.0, 145.0]
        for _ in range(3000):
            values.append(42.0 + 0.6 * values[-2] + 0.1 * values[-3] + rng.normal(0.0, 5.0))
        times = 1.7e9 + 900.0 * np.arange(len(values))
        if step_s < 900.0:  # quick readings between, of another law
            quick = 1.7e9 + step_s * np.arange(3 * len(values))
            values, times = np.interp(quick, times, values), quick
        found.append(Person("s", str(seed), times, np.asarray(values), step_s))
    return found


def test_the_trend_of_slow_sensors_is_learned_of_slow_sensors_alone():
    trend = slow_trend(slow_people(900.0))
    np.testing.assert_allclose(trend[:4], [0.6, 0.1, 0.0, 0.0], atol=0.05)
    assert abs(trend[4] - 42.0) < 7.0

    np.testing.assert_array_equal(slow_trend(slow_people(900.0) + slow_people(300.0)), trend)
    np.testing.assert_allclose(slow_trend(slow_people(300.0))[:4], trend[:4], atol=0.05)


def test_a_handful_of_readings_teaches_no_trend():
    (person,) = slow_people(900.0, 1)
    few = Person("s", "few", person.times[:60], person.values[:60], 900.0)

    np.testing.assert_array_equal(slow_trend([few]), [1.0, 0.0, 0.0, 0.0, 0.0])
