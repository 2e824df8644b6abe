import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.channels import CHANNEL_CODES
from stream.virtual import DEMO, simulate

TWIN = [sys.executable, "-m", "stream.commands"]


def twin(*arguments):
    return subprocess.run(
        [*TWIN, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    readings, _ = simulate(DEMO[0], 1_763_600_400_000, 0.1)
    path = tmp_path_factory.mktemp("table") / "readings.csv"
    rows = [
        f"ada,{int(t)},{CHANNEL_CODES[c]},{v}"
        for t, c, v in zip(readings.time_ms, readings.channel, readings.value, strict=True)
    ]
    import numpy as np

    rows = [
        f"ada,{np.datetime64(int(t), 'ms')}Z,{CHANNEL_CODES[c]},{v}"
        for t, c, v in zip(readings.time_ms, readings.channel, readings.value, strict=True)
    ]
    path.write_text("person,time,channel,value\n" + "\n".join(rows) + "\n")
    return path


def test_replay_writes_the_contract(table, tmp_path):
    out = tmp_path / "out"
    result = twin("replay", table, "--out", out, "--forecast", "30,60", "--json")
    summary = json.loads(result.stdout)

    assert result.returncode == 0, result.stderr
    assert {p.name for p in out.iterdir()} == {
        "forecasts.csv",
        "estimates.csv",
        "alerts.csv",
        "twins.jsonl",
        "summary.json",
    }
    assert summary["applied"] == summary["readings"] > 100
    assert (out / "forecasts.csv").read_text().splitlines()[0] == (
        "person,made_at,channel,horizon_s,mean,sd,q05,q25,q50,q75,q95,learned"
    )
    assert twin("replay", table, "--out", out).returncode == 3, "it overwrites nothing"


def test_as_arrived_gives_the_same_bytes(table, tmp_path):
    lines = table.read_text().splitlines()
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("\n".join([lines[0], *lines[200:], *lines[1:200], *lines[50:80]]) + "\n")
    twin("replay", table, "--out", tmp_path / "a")
    twin("replay", shuffled, "--out", tmp_path / "b", "--as-arrived")

    assert (tmp_path / "a" / "twins.jsonl").read_bytes() == (tmp_path / "b" / "twins.jsonl").read_bytes()


def test_a_person_who_is_not_in_the_table_is_named(table, tmp_path):
    result = twin("replay", table, "--out", tmp_path / "out", "--people", "ada,nobody")

    assert result.returncode == 3
    assert "nobody" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "place"), [("height_m: 178", "1 to 2.5"), ("conditions: [gout]", "hypertension_1")]
)
def test_an_impossible_profile_is_refused(table, tmp_path, text, place):
    profile = tmp_path / "profile.yaml"
    profile.write_text(text)
    result = twin("replay", table, "--out", tmp_path / "out", "--profile", profile)

    assert result.returncode == 3
    assert place in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_broken_table_says_line_and_column_and_writes_nothing(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("person,time,channel,value\nada,2026-01-01T00:00:00Z,glucose,much\n")
    result = twin("replay", bad, "--out", tmp_path / "out")

    assert result.returncode == 3
    assert "line 2, column value" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_impossible_profile_names_the_field(table, tmp_path):
    profile = tmp_path / "profile.yaml"
    profile.write_text("height_m: 178\n")
    result = twin("replay", table, "--out", tmp_path / "out", "--profile", profile)

    assert result.returncode == 3
    assert "height_m" in result.stderr


def test_json_is_one_document(tmp_path):
    for arguments in (("settings",), ("model", "list"), ("model", "check"), ("warm",)):
        json.loads(twin(*arguments, "--json").stdout)


def test_wrong_usage_is_two():
    assert twin("replay").returncode == 2


def test_the_demo_ends_by_itself_and_leaves_no_process(tmp_path):
    result = twin("demo", "--minutes", "0.4", "--port", "0", "--no-browser")

    assert result.returncode == 0, result.stderr
    assert "estimates   on the page" in result.stderr
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "twin-demo" not in listed
    assert not list(Path("/tmp").glob("twin-demo-*/worker.log"))


def test_ctrl_c_ends_the_demo_at_once_and_reports_in_json():
    import signal
    import time

    process = subprocess.Popen(
        [*TWIN, "demo", "--port", "0", "--no-browser", "--json", "--people", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell that starts the tests in the background has them ignore Ctrl-C, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        assert any("estimates   on the page" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(10)

    assert process.returncode == 0
    assert time.monotonic() - began < 9, (
        "the worker stops while its broker is there, it is not killed after 10 s"
    )
    assert set(json.loads(out)) == {"broker", "people", "page", "first_estimate_s"}


COMMANDS = [
    ["demo"], ["worker"], ["gateway"], ["page"], ["send"], ["replay"], ["settings"], ["doctor"], ["warm"], ["model"],
    ["model", "list"], ["model", "check"], ["alerts"], ["alerts", "list"], ["alerts", "ack"], ["person"],
    ["person", "show"],
]  # fmt: skip


def test_every_command_explains_itself_by_example():
    from typer.testing import CliRunner

    from stream.commands import app

    for command in COMMANDS:
        shown = CliRunner().invoke(app, [*command, "--help"])

        assert shown.exit_code == 0
        assert f"twin {' '.join(command)}" in " ".join(shown.output.split("Example:")[1].split()), command


def run_with(environment, *arguments):
    import os

    return subprocess.run(
        [*TWIN, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
    )


def test_a_wrong_setting_is_wrong_usage_named_and_never_shown():
    for keys in ('{"dexcom": 123454321}', '{"dexcom": "123454321"'):
        result = run_with({"TWIN_VENDOR_KEYS": keys}, "settings")

        assert result.returncode == 2
        assert "VENDOR_KEYS" in result.stderr.upper()
        assert "123454321" not in result.stderr + result.stdout
    assert run_with({"TWIN_PAGE_HOST": "0.0.0.0", "TWIN_PAGE_PORT": "0"}, "page").returncode == 2


def test_without_a_broker_commands_say_so_in_one_line(table, tmp_path):
    nowhere = {"TWIN_BROKER": "127.0.0.1:1", "TWIN_SQLITE_PATH": str(tmp_path / "t.sqlite")}
    sent = run_with(nowhere, "send", str(table))
    examined = run_with(nowhere, "doctor", "--json")
    findings = {f["what"]: f for f in json.loads(examined.stdout)}

    assert (sent.returncode, sent.stdout) == (1, "")
    assert (
        sent.stderr.strip()
        == "error: no Kafka at 127.0.0.1:1: start it or set TWIN_BROKER; `twin doctor` says more"
    )
    assert examined.returncode == 1
    assert "start Kafka or set TWIN_BROKER" in findings["broker"]["do"]
    assert {"Python", "clock", "store", "version of aiokafka", "compiled equations"} <= set(findings)


def test_the_doctor_knows_a_broker_its_topics_and_partitions(tmp_path):
    import asyncio

    from stream import topics
    from stream.doctor import examine
    from stream.embedded import PARTITIONS, embedded_broker
    from stream.settings import Settings

    base = Settings(sqlite_path=tmp_path / "t.sqlite", partitions=PARTITIONS)
    with embedded_broker(list(topics.needed(base))) as broker:
        good = asyncio.run(examine(base.model_copy(update={"broker": broker}), False))
        odd = asyncio.run(examine(base.model_copy(update={"broker": broker, "partitions": 8}), False))

    assert {f["what"]: f["ok"] for f in good}["topics"]
    assert [f["what"] for f in odd if not f["ok"]] == ["partitions"]


def test_the_doctor_judges_the_clock():
    from stream.doctor import RELEASED_MS, clock_finding

    now = RELEASED_MS + 10**9

    assert clock_finding(now, now - 5, True)["ok"]
    assert clock_finding(now, None, False)["ok"]
    assert not clock_finding(0, None, None)["ok"]
    assert "900 s ahead" in clock_finding(now, now + 900_000, None)["found"]


def test_alerts_and_person_answer_programs(tmp_path):
    store = {"TWIN_SQLITE_PATH": str(tmp_path / "t.sqlite")}

    assert json.loads(run_with(store, "alerts", "list", "--json").stdout) == []
    assert run_with(store, "person", "show", "nobody", "--json").returncode == 3
    assert run_with(store, "alerts", "ack", "nothing", "--by", "me").returncode == 3
