import csv
import gzip
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from stream.evaluate import alarms, baselines, figures, inside
from stream.evaluate.evidence import EvaluateError, Evidence, Forecasts, Series, load
from stream.evaluate.instants import instants, lag_count, nearest, targets
from stream.evaluate.report import Evaluation, evaluate
from stream.replay import Replay, run
from stream.simulating import Simulation
from stream.simulating import run as simulate
from twin.forecast_others import OTHERS

SAMPLES = Path(__file__).parents[2] / "stream" / "samples"
STEP = 300.0


def made(series, horizon_s, shift=0.0, sd=10.0):
    """A forecast at every reading: the value of now plus a shift, with a normal's quantiles."""
    from twin.scoring.errors import Z

    mean = series.values + shift
    quantiles = mean[:, None] + sd * np.array(Z)
    return Forecasts(series.times, mean, np.full(len(mean), sd), quantiles, np.zeros(len(mean)))


def evidence(people, days=3.0, seed=0, horizon_s=1800):
    """Noisy sine waves of glucose, a forecast of persistence for each."""
    rng = np.random.default_rng(seed)
    series = {}
    for name in people:
        times = 1.7e9 + np.arange(int(days * 288)) * STEP
        waves = (
            120 + 40 * np.sin(2 * np.pi * times / 14400 + rng.uniform(0, 6)) + rng.normal(0, 2, len(times))
        )
        series[name, "glucose"] = Series(times, waves, STEP)
    forecasts = {(name, "glucose", horizon_s): made(series[name, "glucose"], horizon_s) for name in people}
    return Evidence(list(people), series, forecasts, {})


def test_nearest_takes_the_nearer_neighbour_or_none():
    times = np.array([0.0, 300.0, 610.0])

    np.testing.assert_array_equal(
        nearest(times, np.array([-10.0, 140.0, 160.0, 456.0, 900.0]), 150.0), [0, 0, 1, -1, -1]
    )
    np.testing.assert_array_equal(nearest(np.zeros(0), np.array([1.0]), 10.0), [-1])


def test_lags_are_an_hour_a_half_or_a_week():
    assert [lag_count(step) for step in (60.0, 300.0, 900.0, 86400.0)] == [30, 12, 4, 7]


def test_gaps_are_left_as_gaps_and_no_target_is_in_the_past():
    found = evidence(["ada"])
    whole = found.series["ada", "glucose"]
    keep = np.ones(len(whole.times), dtype=bool)
    keep[500:503] = False
    found.series["ada", "glucose"] = Series(whole.times[keep], whole.values[keep], STEP)
    at = instants(found, "glucose")[0]
    target = targets(found, at, 1800)
    index = np.round((at.time - whole.times[0]) / STEP).astype(int)

    assert index.min() == 288, "the first day is not scored"
    assert not set(range(500, 514)) & set(index.tolist()), "an hour of lags must be there"
    np.testing.assert_array_equal(
        np.isnan(target), [i + 6 in (500, 501, 502) or i + 6 >= len(whole.times) for i in index]
    )
    filled = ~np.isnan(target)
    np.testing.assert_array_equal(target[filled], whole.values[index[filled] + 6])
    np.testing.assert_array_equal(at.lags[:, 3], whole.values[index - 3])


def test_a_forecast_of_persistence_scores_as_the_baseline_does():
    found = evidence(["ada", "bob", "cyd"])
    compared, _ = figures.compare(
        found, instants(found, "glucose"), 1800, ("persistence", "linear", "damped", "ar")
    )
    document = figures.horizon_figures(compared)
    scores = document["scores"]

    assert scores["twin"]["rmse"] == pytest.approx(scores["persistence"]["rmse"], rel=1e-9)
    assert document["intervals"]["against"]["persistence"]["rmse_change_percent"] == pytest.approx(
        0.0, abs=1e-9
    )
    assert scores["ar"]["rmse"] < 0.3 * scores["persistence"]["rmse"], "a sine is a matter of two lags"
    assert document["n"] == sum(s["twin"]["n"] for s in document["by_person"].values())
    assert (
        document["by_stratum"]["night (0-6 h)"]["n"] + document["by_stratum"]["day (6-24 h)"]["n"]
        == document["n"]
    )


def test_another_replay_is_compared_at_the_same_instants():
    found = evidence(["ada", "bob"])
    shifted = {key: made(found.series[key[:2]], 1800, shift=30.0) for key in found.forecasts}
    found.beside = {"mechanism": shifted}
    compared, everything = figures.compare(found, instants(found, "glucose"), 1800, ("persistence", "ar"))
    document = figures.horizon_figures(compared)
    twin, other = document["scores"]["twin"], document["scores"]["mechanism"]

    assert other["n"] == twin["n"]
    assert other["bias"] == pytest.approx(twin["bias"] + 30.0, abs=0.5), "cut at 40 and 400 alone differs"
    expected = 100 * (twin["rmse"] / other["rmse"] - 1)
    assert document["intervals"]["against"]["mechanism"]["rmse_change_percent"] == pytest.approx(expected)
    rules = alarms.low_glucose(found, instants(found, "glucose"), everything)["rules"]
    assert {r["rule"].split()[0] for r in rules} >= {"twin", "mechanism", "ar"}


def test_baselines_never_see_the_person_that_they_forecast():
    found = evidence(["ada", "bob", "cyd"])
    at = instants(found, "glucose")[0]
    target = targets(found, at, 1800)
    one = baselines.forecasts(found, at, target, 1800, ("ar", "damped"))
    changed = np.where(at.person == 1, target + 50.0, target)
    other = baselines.forecasts(found, at, changed, 1800, ("ar", "damped"))

    for name in ("ar", "damped"):
        np.testing.assert_array_equal(one[name].mean[at.person == 1], other[name].mean[at.person == 1])
        assert not np.array_equal(one[name].mean[at.person == 0], other[name].mean[at.person == 0])


def days(people, count=60, seed=3):
    """Resting heart rates of days, a slow walk, and a forecast of the week's mean that learned half of what it says."""
    from twin.scoring.errors import Z

    rng, series, forecasts = np.random.default_rng(seed), {}, {}
    for name in people:
        times = 1.7e9 + np.arange(count) * 86400.0
        values = 60.0 + np.cumsum(rng.normal(0, 0.3, count)) + rng.normal(0, 2, count)
        series[name, "resting_heart_rate"] = Series(times, values, 86400.0)
        mean = np.array([values[max(i - 6, 0) : i + 1].mean() for i in range(count)])
        bands = mean[:, None] + 2.0 * np.array(Z)
        told = np.where(np.arange(count) % 2 == 0, 0.25, 0.75)
        forecasts[name, "resting_heart_rate", 86400] = Forecasts(
            times, mean, np.full(count, 2.0), bands, told
        )
    return Evidence(list(people), series, forecasts, {})


def test_values_of_days_have_baselines_of_days():
    found = days(["ada", "bob", "cyd"])
    groups = instants(found, "resting_heart_rate")
    names = baselines.names_for(groups)
    compared, _ = figures.compare(found, groups, 86400, names)
    scores = figures.horizon_figures(compared)["scores"]

    assert set(names) >= {"persistence", "week", "ar"}
    assert not set(names) & {"linear", "damped", "hours"}
    assert "week" not in baselines.names_for(instants(evidence(["ada"]), "glucose"))
    assert scores["week"]["rmse"] == pytest.approx(scores["twin"]["rmse"], rel=1e-9), (
        "the twin says the week's mean here"
    )
    assert scores["week"]["rmse"] < scores["persistence"]["rmse"]


def test_the_learned_share_is_told_by_horizon_and_stratum():
    found = days(["ada", "bob", "cyd"])
    groups = instants(found, "resting_heart_rate")
    compared, _ = figures.compare(found, groups, 86400, ("persistence", "week"))
    document = figures.horizon_figures(compared)

    assert document["learned"]["mean"] == pytest.approx(0.5, abs=0.02)
    assert (document["learned"]["q25"], document["learned"]["q75"]) == (0.25, 0.75)
    assert document["by_stratum"]["after day 14"]["learned"]["mean"] == pytest.approx(0.5, abs=0.02)


def test_crps_is_compared_too_with_an_interval_over_people():
    found = evidence(["ada", "bob", "cyd"])
    compared, _ = figures.compare(found, instants(found, "glucose"), 1800, ("persistence", "ar"))
    document = figures.horizon_figures(compared)
    entry, scores = document["intervals"]["against"]["ar"], document["scores"]

    assert entry["crps_change_percent"] == pytest.approx(
        100 * (scores["twin"]["crps"] / scores["ar"]["crps"] - 1)
    )
    assert entry["crps_interval"][0] <= entry["crps_change_percent"] <= entry["crps_interval"][1]


def test_one_person_is_learned_on_the_first_half_and_compared_on_the_second():
    found = evidence(["ada"], days=5.0)
    groups = instants(found, "glucose")
    compared, _ = figures.compare(found, groups, 1800, ("persistence", "ar"))
    train, test = baselines.folds(groups[0], 1800)[0]

    assert groups[0].time[train].max() + 1800 < groups[0].time[test].min()
    assert 0 < len(compared.target) <= len(test)
    assert figures.horizon_figures(compared)["intervals"]["rmse"] is None, (
        "one person gives no interval over people"
    )


def test_the_slope_of_a_line_is_its_slope():
    found = evidence(["ada"])
    times = found.series["ada", "glucose"].times
    found.series["ada", "glucose"] = Series(times, 100.0 + 0.01 * (times - times[0]), STEP)

    np.testing.assert_allclose(baselines.slopes(instants(found, "glucose")[0]), 0.01)


def test_own_hours_know_the_past_only():
    times = 1.7e9 - 1.7e9 % 86400 + np.arange(6) * 1800.0
    series = Series(times, np.array([1.0, 3.0, 10.0, 20.0, 100.0, 200.0]), 1800.0)

    # At 1:00 for 0:xx tomorrow: both readings of hour 0. At 2:00 for hour 3, which is new: the mean of all five.
    assert baselines.own_hours(series, times[[2]], 23 * 3600)[0] == 2.0
    assert baselines.own_hours(series, times[[4]], 3600)[0] == pytest.approx(134.0 / 5)
    assert baselines.own_hours(series, times[[4]], 900)[0] == 100.0, (
        "a reading of now is known, the next one is not"
    )


def test_trees_learn_a_step_that_a_line_cannot():
    pytest.importorskip("sklearn")
    found = evidence(["ada", "bob"], seed=4)
    at = instants(found, "glucose")[0]
    target = np.where(at.now > 120.0, at.now + 30.0, at.now - 30.0)
    made_by = baselines.forecasts(found, at, target, 1800, ("ar", "trees"))

    error = {name: np.sqrt(np.mean((f.mean - target) ** 2)) for name, f in made_by.items()}
    assert error["trees"] < 0.5 * error["ar"]


def test_white_surprises_pass_and_a_repeated_one_fails():
    found = evidence(["ada", "bob"])
    rng = np.random.default_rng(2)
    white = rng.normal(size=1000)
    found.columns = {
        ("ada", "surprise_glucose"): white,
        ("bob", "surprise_glucose"): np.repeat(rng.normal(0, 2, 500), 2),
    }
    result = inside.innovations(found)["glucose"]

    assert (
        result["ada"]["p"] > 0.01
        and result["ada"]["expected_low"] < result["ada"]["nis"] < result["ada"]["expected_high"]
    )
    assert result["bob"]["p"] < 1e-6 and result["bob"]["nis"] > 3.0


def test_truth_is_compared_at_the_same_time_only(tmp_path):
    found = evidence(["ada"])
    times = np.array([1.7e9, 1.7e9 + 60, 1.7e9 + 600])
    found.estimate_times = {"ada": times}
    found.columns = {
        ("ada", "gut_mean"): np.array([1.0, 2.0, 9.0]),
        ("ada", "gut_sd"): np.array([1.0, 1.0, 1.0]),
    }
    path = tmp_path / "truth.csv"
    stamps = [str(np.datetime64(int(t), "s")) + "Z" for t in times[:2]]
    path.write_text(
        "person,time,glucose,state.gut\n"
        + "".join(f"ada,{s},100,{v}\n" for s, v in zip(stamps, (1.5, 4.5), strict=True))
    )
    result = inside.against_truth(found, path)

    assert result == {
        "gut": {
            "n": 2,
            "rmse": pytest.approx(np.sqrt((0.25 + 6.25) / 2)),
            "bias": pytest.approx(-1.5),
            "coverage_90": 0.5,
            "nees": pytest.approx(3.25),
        }
    }
    path.write_text("person,time,state.gut\nada,2023-11-14T22:13:20Z,high\n")
    with pytest.raises(EvaluateError, match=r"truth.csv: line 2: .*'high'"):
        inside.against_truth(found, path)


def test_baselines_meet_the_study_that_set_the_bar(shared):
    from connectors.table import read_table
    from stream.evaluate.evidence import _series

    table = read_table(shared / "cgm_physiocgm.csv.gz")
    series = _series(table, {"glucose"})
    forecasts = {(who, "glucose", 1800): made(s, 1800) for (who, _), s in series.items()}
    found = Evidence(list(table.persons), series, forecasts, {})
    compared, _ = figures.compare(found, instants(found, "glucose"), 1800, ("persistence", "ar"))
    scores = figures.horizon_figures(compared)["scores"]

    # shared/hybrid.md, section 2: an evaluation written by somebody else.
    assert scores["persistence"]["rmse"] == pytest.approx(21.90, rel=0.005)
    assert scores["ar"]["rmse"] == pytest.approx(19.68, rel=0.005)
    assert scores["ar"]["mae"] == pytest.approx(14.21, rel=0.005)


def test_alarms_are_asked_at_every_reading_even_where_baselines_are_silent():
    found = evidence(["ada"], days=4.0)
    times = found.series["ada", "glucose"].times
    values = np.full(len(times), 120.0)
    values[600:606] = 60.0
    values[598:600] = 74.0
    keep = np.arange(len(times)) != 595
    found.series["ada", "glucose"] = Series(times[keep], values[keep], STEP)
    found.forecasts = {("ada", "glucose", 1800): made(found.series["ada", "glucose"], 1800)}
    found.fired = {("ada", "low_glucose_soon"): times[[599, 700]]}
    groups = instants(found, "glucose")
    _, everything = figures.compare(found, groups, 1800, ("persistence", "ar"))
    rules = {(r["rule"], r["threshold"]): r for r in alarms.low_glucose(found, groups, everything)["rules"]}

    now, live, ar = (
        rules["glucose below", 75.0],
        rules["alert as issued: low_glucose_soon", None],
        rules["ar 30 min below", 80.0],
    )
    assert (now["episodes"], now["sensitivity"], now["lead_min"], now["alarms"]) == (1, 1.0, 10.0, 1)
    assert (live["alarms"], live["sensitivity"], live["ppv"]) == (2, 1.0, 0.5)
    assert ar["sensitivity"] == 0.0, "the reading that is missing at 595 leaves AR without its hour"


def test_meals_count_for_two_hours_and_the_future_does_not():
    from stream.evaluate.strata import since, strata

    assert since(np.array([100.0, 200.0]), np.array([50.0, 100.0, 199.0, 500.0])).tolist() == [
        np.inf,
        0.0,
        99.0,
        300.0,
    ]
    found = evidence(["ada", "bob"], days=5.0)
    at = instants(found, "glucose")[0]
    found.meals = {"bob": np.array([at.time[at.person == 1][100]])}
    masks = dict(strata(found, at))

    assert np.flatnonzero(masks["2 h after a logged meal"]).tolist() == [
        np.flatnonzero(at.person == 1)[100] + k for k in range(25)
    ]
    whole = sum(masks[n].astype(int) for n in ("first 4 days of data", "days 4 to 14", "after day 14"))
    assert (whole == 1).all() and masks["days 4 to 14"].any()


def test_too_short_a_table_gives_a_report_that_says_so(tmp_path):
    rows = [f"<b>zoe,2024-01-01T0{i // 12}:{i % 12 * 5:02d}:00Z,glucose,{100 + i}" for i in range(40)]
    path = tmp_path / "short.csv"
    path.write_text("person,time,channel,value\n" + "\n".join(rows))
    run(Replay(path, tmp_path / "replay", (1800,)))
    document = evaluate(Evaluation(tmp_path / "replay", tmp_path / "report"))
    page = (tmp_path / "report" / "report.html").read_text()

    assert document["channels"]["glucose"]["horizons"] == []
    assert document["channels"]["glucose"]["missing"][0]["horizon_s"] == 1800
    assert "not compared" in page and "<b>zoe" not in page and "&lt;b&gt;zoe" in page


class Outside(HTMLParser):
    """Collects ids of sections, and whatever would be fetched."""

    def __init__(self):
        super().__init__()
        self.ids, self.fetched, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section":
            self.ids.append(found["id"])
        if tag in ("script", "link", "img", "iframe") or "src" in found or "href" in found:
            self.fetched.append((tag, found))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two shipped people of one study, as one table."""
    path = tmp_path_factory.mktemp("samples") / "azt1d.csv.gz"
    path.write_bytes((SAMPLES / "cgm_azt1d.csv.gz").read_bytes())
    return path


@pytest.fixture(scope="module")
def replayed(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay") / "out"
    run(Replay(table, folder, (1800, 3600)))
    return folder


def test_the_report_of_real_people(replayed, table, tmp_path):
    document = evaluate(Evaluation(replayed, tmp_path / "report"))
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    page = (tmp_path / "report" / "report.html").read_text()

    assert written == json.loads(json.dumps(document))
    half, hour = document["channels"]["glucose"]["horizons"]
    assert (half["horizon_s"], hour["horizon_s"]) == (1800, 3600)
    assert half["people"] == 2 and half["n"] > 500
    for name in ("twin", "persistence", "linear", "damped", "ar"):
        assert 5.0 < half["scores"][name]["rmse"] < hour["scores"][name]["rmse"] < 120.0
    # The twin's RMSE, again, straight from the files: nearest reading to made_at + 30 min, for the instants of the report.
    with gzip.open(table, "rt") as file:
        rows = list(csv.DictReader(file))
    with (replayed / "forecasts.csv").open() as file:
        issued = [r for r in csv.DictReader(file) if r["horizon_s"] == "1800"]
    squares = 0.0
    for person, score in half["by_person"].items():
        when = np.array(
            [
                np.datetime64(r["time"][:-1]).astype("datetime64[s]").astype(float)
                for r in rows
                if r["person"] == person
            ]
        )
        values = np.array([float(r["value"]) for r in rows if r["person"] == person])
        errors = []
        for r in (r for r in issued if r["person"] == person):
            at = np.datetime64(r["made_at"][:-1]).astype("datetime64[s]").astype(float)
            lags = [np.abs(when - (at - 300.0 * k)).min() < 150.0 for k in range(12)]
            k = np.abs(when - at - 1800.0).argmin()
            if at >= when[0] + 86400 and all(lags) and abs(when[k] - at - 1800.0) <= 150.0:
                errors.append(np.clip(float(r["mean"]), 40, 400) - values[k])
        assert len(errors) == score["twin"]["n"]
        assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(score["twin"]["rmse"], rel=1e-6)
        squares += np.sum(np.square(errors))
    assert half["scores"]["twin"]["rmse"] == pytest.approx(np.sqrt(squares / half["n"]), rel=1e-6)
    seen = Outside()
    seen.feed(page)
    assert seen.fetched == [], "the page needs nothing from anywhere"
    assert seen.ids == [
        "summary",
        "samples",
        "agreement",
        "conditions",
        "rigor",
        "relevance",
        "form",
        "inputs",
        "truth",
        "factors",
    ]
    assert "not a medical device" in seen.text and f"{half['scores']['twin']['rmse']:.2f}" in seen.text


def test_virtual_people_are_judged_in_every_channel_and_against_the_truth_beside_their_table(tmp_path):
    simulated = Simulation(3, 3.0, tmp_path / "people.csv.gz", seed=4)
    simulate(simulated, lambda _done, _total: None)
    run(Replay(tmp_path / "people.csv.gz", tmp_path / "replay", (1800,), channels=OTHERS))
    document = evaluate(Evaluation(tmp_path / "replay", tmp_path / "report", onboarding_s=0.0))
    page = (tmp_path / "report" / "report.html").read_text()

    judged = {name for name, part in document["channels"].items() if part["horizons"]}
    assert judged >= {"glucose", "heart_rate", "respiration_rate", "spo2"}
    for name in ("respiration_rate", "spo2"):
        scores = document["channels"][name]["horizons"][0]["scores"]
        assert scores["twin"]["rmse"] < scores["persistence"]["rmse"], name
        assert 0.75 < scores["twin"]["coverage_90"] <= 1.0, name
    assert document["truth"]["core_temperature"]["coverage_90"] > 0.5
    assert "states and observables against truth" in page
    assert "virtual ones say nothing about them" in page
    assert page.count("Systolic pressure (read every") == 1
    assert "the mechanism alone" in page


def test_check_points_are_counted_where_they_were_run(replayed, tmp_path, monkeypatch):
    rows = [{"what": "core at rest", "ok": True}, {"what": "a <meal>", "ok": False}]
    monkeypatch.setattr("twin.checkpoints.run", lambda: rows)
    document = evaluate(Evaluation(replayed, tmp_path / "report", check=True))
    page = (tmp_path / "report" / "report.html").read_text()

    assert document["verification"] == {"checkpoints": 2, "met": 1, "missed": ["a <meal>"]}
    assert "1 of 2 check-points of the specification met" in page
    assert "missed: a &lt;meal&gt;" in page


def test_the_report_says_what_the_learned_part_had_seen(replayed, table, tmp_path):
    study = table.name.removesuffix(".gz").removesuffix(".csv")
    document = evaluate(Evaluation(replayed, tmp_path / "unseen", check=False))
    page = (tmp_path / "unseen" / "report.html").read_text()
    assert page.count("Learned part trained on cgm_azt1d, cgm_physiocgm") == 2, (
        "where people are told, and among the factors"
    )
    assert "Seen before." not in page

    again = tmp_path / "again"
    shutil.copytree(replayed, again)
    summary = json.loads((again / "summary.json").read_text())
    assert [part["weights"] for part in summary["learned_from"]] == ["glucose.json", "body.json"]
    summary["learned_from"] = [{"weights": "mine.json", "trained_on": ["other", study]}]
    (again / "summary.json").write_text(json.dumps(summary))
    document = evaluate(Evaluation(again, tmp_path / "seen", check=False))
    page = (tmp_path / "seen" / "report.html").read_text()
    assert f"Seen before.</b> The learned part was trained on a set called {study}" in page
    assert document["replay"]["learned_from"] == summary["learned_from"]

    del summary["learned_from"]  # as an earlier version wrote it
    (again / "summary.json").write_text(json.dumps(summary))
    evaluate(Evaluation(again, tmp_path / "old", check=False))
    assert "Seen before." not in (tmp_path / "old" / "report.html").read_text()


def test_a_report_repeats_itself(replayed, tmp_path):
    for name in ("one", "two"):
        evaluate(Evaluation(replayed, tmp_path / name))

    assert (tmp_path / "one" / "report.json").read_bytes() == (tmp_path / "two" / "report.json").read_bytes()
    assert (tmp_path / "one" / "report.html").read_bytes() == (tmp_path / "two" / "report.html").read_bytes()


def test_beside_itself_the_twin_gains_nothing(replayed, tmp_path):
    document = evaluate(Evaluation(replayed, tmp_path / "report", beside=(("again & <again>", replayed),)))
    page = (tmp_path / "report" / "report.html").read_text()

    against = document["channels"]["glucose"]["horizons"][0]["intervals"]["against"]["again & <again>"]
    assert against["rmse_change_percent"] == 0.0
    assert "again &amp; &lt;again&gt;" in page and "<again>" not in page
    with pytest.raises(EvaluateError, match="the name is taken"):
        evaluate(Evaluation(replayed, tmp_path / "other", beside=(("ar", replayed),)))


def test_without_trees_the_report_says_so(replayed, tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "trees_available", lambda: False)
    document = evaluate(Evaluation(replayed, tmp_path / "report"))

    assert "trees" not in document["channels"]["glucose"]["horizons"][0]["scores"]
    assert "scikit-learn is not installed" in (tmp_path / "report" / "report.html").read_text()


def test_a_broken_folder_is_named_and_leaves_nothing(replayed, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in replayed.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    lines = (folder / "forecasts.csv").read_text().splitlines()
    lines[3] = lines[3].replace(",glucose,", ",glucose,soon")
    (folder / "forecasts.csv").write_text("\n".join(lines))

    with pytest.raises(EvaluateError, match=r"forecasts.csv: line 4: .*soon"):
        evaluate(Evaluation(folder, tmp_path / "report"))
    assert not (tmp_path / "report").exists()
    with pytest.raises(EvaluateError, match="holds no readings"):
        empty = tmp_path / "other.csv"
        empty.write_text("person,time,channel,value\nzoe,2024-01-01T00:00:00Z,glucose,100\n")
        load(replayed, empty, frozenset())


def twin(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "stream.commands", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_takes_a_table_and_overwrites_nothing(table, tmp_path):
    out = tmp_path / "report"
    first = twin("evaluate", table, "--out", out, "--forecast", "30", "--json")
    again = twin("evaluate", table, "--out", out)

    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["channels"]["glucose"]["horizons"][0]["horizon_s"] == 1800
    assert {path.name for path in out.iterdir()} == {"report.html", "report.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert again.returncode == 3 and "choose another folder" in again.stderr
    assert twin("evaluate", tmp_path / "nothing", "--out", tmp_path / "x").returncode == 3
    assert twin("evaluate", table, "--out", tmp_path / "x", "--forecast", "soon").returncode == 2
