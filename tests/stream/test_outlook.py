"""What-if: the grammar and its errors, the document, where the twin comes from."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from connectors.errors import TableError
from stream import outlook_source
from stream.cohort import Cohort
from stream.commands import app
from stream.outlook import Item, OutlookError, frame, plan_of, scenario
from stream.outlook_run import outlook
from stream.warm import readings_of
from twin import record as r_
from twin.outlook_channels import CHANNELS

NOON = 1_700_049_600.0 // 86400 * 86400 + 43200.0
DAY = frame(NOON, 0.0, 8.0)


def items(**wanted):
    return scenario(
        {kind: [texts] if isinstance(texts, str) else texts for kind, texts in wanted.items()}, DAY
    )


@pytest.fixture(scope="module")
def cohort():
    made = Cohort()
    made.set_profile("ada", {"conditions": ["t1d"], "utc_offset_h": 2})
    for channel, step, value in (("glucose", 300, 120.0), ("heart_rate", 60, 66.0)):
        made.apply(readings_of(channel, 24, step, value, "ada"))
    made.apply(readings_of("glucose", 6, 300, 100.0, "cgm-alone"))
    return made


@pytest.fixture
def ada(cohort):
    return cohort.twins["ada"].head.record


def test_what_is_written_is_what_is_planned():
    assert items(meal="60@12:30") == [Item("meal", 60.0, "g", 30)]
    assert items(insulin=["4@+15min", "2"]) == [Item("insulin", 2.0, "U", 0), Item("insulin", 4.0, "U", 15)]
    assert items(exercise="45min@6met@17:00") == [Item("exercise", 6.0, "met", 300, 45)]
    assert items(exercise="1h30min@150w") == [Item("exercise", 150.0, "w", 0, 90)]
    assert items(exercise="30min@10km/h@+2h") == [Item("exercise", 10.0, "km/h", 120, 30)]
    assert items(ambient="35") == [Item("ambient", 35.0, "°C", 0, 480)]
    assert items(altitude="3h@2500@13:00") == [Item("altitude", 2500.0, "m", 60, 180)]
    assert items(sleep_shift="-2h") == [Item("sleep_shift", -2.0, "h", 0)]
    assert items(drug="beta_blocker=1@13:00") == [Item("drug", 1.0, "customary doses", 60)]
    assert items(fever="39@2023-11-15T12:40:00Z") == [Item("fever", 39.0, "°C", 40)]


def test_times_are_those_of_the_persons_own_clock():
    there = frame(NOON, 2.0, 8.0)  # 14:00 there

    assert scenario({"meal": ["60@14:30"]}, there) == [Item("meal", 60.0, "g", 30)]


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("meal", "6000", "meal: 6000 g: allowed is 1 to 300 g"),
        ("meal", "sixty", "meal: 'sixty' is not a number"),
        ("meal", "nan", "meal: 'nan' is not a number"),
        ("meal", "60@25:00", "meal: '25:00' is no time of day"),
        ("meal", "60@noon", "meal: 'noon' is no time"),
        (
            "meal",
            "60@11:00",
            "meal: 11:00 is 23.0 h ahead, the outlook ends at 2023-11-15 20:00 UTC: give more hours",
        ),
        ("meal", "60@2023-11-15T11:00:00Z", "is before the twin's newest reading (2023-11-15 12:00 UTC)"),
        ("meal", "60@12:30@13:30", "one @ at most"),
        ("insulin", "-1", "insulin: -1 U: allowed is 0.1 to 50 U"),
        ("exercise", "6met", "DURATION@LEVEL[@WHEN] is needed"),
        ("exercise", "45min@6", "a level in met, w or km/h is needed"),
        ("exercise", "45min@60met", "exercise: 60 met: allowed is 1.5 to 20 met"),
        ("exercise", "9h@3met", "exercise: 540 min: allowed is 1 to 480 min"),
        ("drug", "aspirin=1", "drug: 'aspirin' is unknown; known are beta_blocker"),
        ("drug", "beta_blocker", "drug: '' is not a number"),
        ("fever", "45", "fever: 45 °C: allowed is 37.5 to 41 °C"),
        ("altitude", "8848", "altitude: 8848 m: allowed is -400 to 6000 m"),
        ("ambient", "0min@35", "it must last a minute at least"),
        ("sleep_shift", "14h", "sleep_shift: 14"),
        ("dance", "1", "dance: unknown; known are meal"),
    ],
)
def test_what_cannot_be_is_refused_by_place_value_and_range(kind, text, told):
    with pytest.raises(OutlookError) as caught:
        items(**{kind: text})

    assert told in str(caught.value)


def test_of_several_the_error_says_which():
    with pytest.raises(OutlookError, match=r"meal\[1\]: 999 g"):
        items(meal=["50", "999"])


def test_plans_hold_what_was_written():
    plan = plan_of(
        items(meal=["60@12:30", "20@12:30"], exercise="45min@6met@13:00", altitude="2500"), 480, 75.0
    )

    assert plan.carbohydrate[30] == 80.0 == plan.carbohydrate.sum()
    assert np.flatnonzero(~np.isnan(plan.met)).tolist() == list(range(60, 105))
    assert plan.air_pressure == pytest.approx(np.full(480, 560.0), abs=1.0)


def test_power_and_speed_are_demands():
    plan = plan_of(items(exercise=["10min@150w", "10min@10km/h@12:30"]), 480, 75.0)

    assert plan.met[0] == pytest.approx((10.8 * 150 / 75 + 7) / 3.5)
    assert plan.met[30] == pytest.approx((0.2 * 10000 / 60 + 3.5) / 3.5, rel=0.03)


def test_the_twin_is_the_same_before_and_after(ada):
    before = ada.tobytes()
    outlook("ada", ada, {"meal": ["60"], "exercise": ["20min@6met"], "fever": ["39"]}, 1.0)

    assert ada.tobytes() == before


def test_the_document_is_the_same_each_time(ada):
    first, second = (json.dumps(outlook("ada", ada, {"insulin": ["3"]}, 1.0)) for _ in range(2))

    assert first == second


def test_every_channel_has_both_courses_and_their_difference(ada):
    document = outlook("ada", ada, {"meal": ["60"]}, 1.0)

    assert set(document["channels"]) == set(CHANNELS)
    assert len(document["times"]) == 13
    for part in document["channels"].values():
        for course in ("nothing", "scenario", "difference"):
            found = part[course]
            assert all(len(found[name]) == 13 for name in ("mean", "sd", "q05", "q25", "q50", "q75", "q95"))
            assert all(low <= high for low, high in zip(found["q05"], found["q95"], strict=True))
    glucose = document["channels"]["glucose"]
    assert glucose["measured"]
    assert glucose["readings"] == 24
    assert not document["channels"]["spo2"]["measured"]
    assert glucose["difference"]["mean"][-1] > 10.0
    rate = document["channels"]["heart_rate"]
    assert rate["difference"]["sd"][-1] < 0.5 * rate["nothing"]["sd"][-1]
    assert glucose["scenario"]["above"]["180"][-1] >= glucose["nothing"]["above"]["180"][-1]


def test_without_a_scenario_it_is_a_forecast(ada):
    document = outlook("ada", ada, {}, 0.5)

    assert document["scenario"] == []
    assert set(document["channels"]["glucose"]) == {"unit", "measured", "readings", "nothing"}


def test_what_does_not_run_is_said_and_not_invented(cohort):
    document = outlook("cgm-alone", cohort.twins["cgm-alone"].head.record, {"exercise": ["20min@6met"]}, 1.0)

    assert set(document["channels"]) == {"glucose"}
    assert (
        "never spoke" in document["not_shown"]["heart_rate"]
        or "ever spoke" in document["not_shown"]["heart_rate"]
    )
    assert any("the population's" in sentence for sentence in document["unknown"])


def test_it_says_what_the_scenario_does_not_know(ada):
    told = " ".join(outlook("ada", ada, {"insulin": ["3"], "alcohol": ["20"]}, 0.5)["unknown"])

    assert "insulin sensitivity is hardly learned yet" in told
    assert "no bolus was ever told" in told
    assert "Do not dose by it" in told
    assert "alcohol stops the liver" in told
    assert "mechanism's equations alone" in told


def test_a_twin_without_a_reading_has_no_outlook():
    with pytest.raises(OutlookError, match="no reading was applied yet"):
        outlook("new", r_.genesis(), {}, 1.0)


@pytest.mark.parametrize("hours", [0.1, 49.0])
def test_hours_are_bounded(ada, hours):
    with pytest.raises(OutlookError, match=r"allowed is 0.5 to 48"):
        outlook("ada", ada, {}, hours)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outlook")
    rows = [f"ada,2026-01-01T{h:02d}:{m:02d}:00Z,{c},{v}"
            for h in range(8, 10) for m in range(0, 60, 5) for c, v in (("glucose", 110 + m), ("heart_rate", 70))]  # fmt: skip
    (folder / "t.csv").write_text("person,time,channel,value\n" + "\n".join(rows) + "\n")
    (folder / "p.json").write_text(json.dumps({"ada": {"conditions": ["t1d"], "utc_offset_h": 1}}))
    done = CliRunner().invoke(
        app,
        ["replay", str(folder / "t.csv"), "--out", str(folder / "r"), "--profile", str(folder / "p.json")],
    )
    assert done.exit_code == 0, done.output
    return folder


def test_a_folder_and_its_table_give_the_same_twin(replayed):
    from_folder = outlook_source.from_folder(replayed / "r", "ada")
    from_table = outlook_source.from_table(replayed / "t.csv", "ada", replayed / "p.json", None)

    documents = [outlook("ada", record, {"meal": ["40"]}, 1.0) for record in (from_folder, from_table)]
    assert documents[0] == documents[1]


def test_until_looks_no_further(replayed):
    record = outlook_source.from_table(replayed / "t.csv", "ada", None, "2026-01-01T09:00:00Z")

    assert record[r_.HEAD_S] == 1_767_258_000.0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda f: outlook_source.from_folder(f / "r", "bob"), "r/twins.jsonl: nobody in it is called bob"),
        (lambda f: outlook_source.from_folder(f, "ada"), "twins.jsonl: cannot be read"),
        (lambda f: outlook_source.from_table(f / "t.csv", "bob", None, None), "nobody in it is called bob"),
        (lambda f: outlook_source.from_table(f / "t.csv", "ada", None, "yesterday"), "until = 'yesterday'"),
        (lambda f: outlook_source.from_table(f / "t.csv", "ada", None, "2020-01-01T00:00:00Z"), "is later"),
    ],
)
def test_a_source_without_the_person_is_refused(replayed, call, told):
    with pytest.raises(OutlookError) as caught:
        call(replayed)

    assert told in str(caught.value)


def test_a_table_that_is_broken_is_refused_by_line(replayed):
    (replayed / "broken.csv").write_text("person,time,channel,value\nada,soon,glucose,1\n")
    with pytest.raises(TableError, match="line 2, column time"):
        outlook_source.from_table(replayed / "broken.csv", "ada", None, None)


def test_a_twin_of_another_version_is_refused(replayed, tmp_path):
    portrait = json.loads((replayed / "r" / "twins.jsonl").read_text())
    portrait["header"][0] = 1.0
    (tmp_path / "twins.jsonl").write_text(json.dumps(portrait) + "\n")
    with pytest.raises(OutlookError, match="another version"):
        outlook_source.from_folder(tmp_path, "ada")


def test_the_command_prints_one_document_or_a_table(replayed):
    asked = [
        "outlook",
        "ada",
        "--from",
        str(replayed / "r"),
        "--meal",
        "60@11:00",
        "--meal",
        "10",
        "--hours",
        "2",
    ]
    found, shown = CliRunner().invoke(app, [*asked, "--json"]), CliRunner().invoke(app, asked)

    assert [item["amount"] for item in json.loads(found.stdout)["scenario"]] == [10.0, 60.0]
    assert "glucose" in shown.stdout
    assert "Decision support, not a medical device" in shown.stdout
    assert "1:00" in shown.stdout


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["--meal", "6000"], 3, "meal: 6000 g: allowed is 1 to 300 g"),
        (["--hours", "99"], 3, "allowed is 0.5 to 48"),
        (["--every", "7"], 3, "every = 7"),
        (["--until", "2026-01-01T09:00:00Z"], 2, "--from TABLE"),
    ],
)
def test_the_command_refuses_in_words(replayed, asked, code, told):
    done = CliRunner().invoke(app, ["outlook", "ada", "--from", str(replayed / "r"), *asked])

    assert done.exit_code == code
    assert told in " ".join(done.stderr.split())
    assert done.stdout == ""
