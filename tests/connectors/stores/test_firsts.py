"""A forecast that stands is written again in the place of a later one: what a server shows it need not have kept."""

import asyncio

import orjson

from connectors.stores.firsts import Firsts, brought
from connectors.stores.lines import estimate_lines
from connectors.stores.outlooks import take_apart

AT = 1_763_600_400_000


def estimate(mean, *channels):
    outlook = [
        {"channel": channel, "made_at": AT, "horizon_s": 900, "mean": mean, "sd": 1.0} for channel in channels
    ]
    return {"person": "ada", "time": AT, "state": {}, "observed": {"heart_rate": 60.0}, "outlook": outlook}


def lines_of(documents, shown, known=0):
    """What is written of the documents by one who knows of a tick, when the server shows these forecasts."""
    firsts = Firsts()
    if known:
        firsts.newest["ada"] = known

    async def ask(_):
        columns, row = ["time", *(f"outlook_{channel}" for channel in shown)], [AT, *shown.values()]
        return [{"tags": {"person_id": "ada"}, "columns": columns, "values": [row]}] if shown else []

    standing = asyncio.run(firsts.standing(brought(documents), ask, repr))
    return [estimate_lines(document, standing.get(id(document)))[0] for document in documents]


def mean_in(text):
    """Means of the forecasts in a line of the protocol, by channel."""
    return {f["channel"]: f["mean"] for part in text.replace('\\"', '"').split("outlook_")[1:]
            for f in orjson.loads(part[part.index("["):part.index("]") + 1])}  # fmt: skip


def test_the_first_of_two_in_one_batch_is_written_twice():
    first, second = lines_of([estimate(70.0, "heart_rate"), estimate(71.0, "heart_rate", "glucose")], {})

    assert mean_in(first) == {"heart_rate": 70.0}
    assert mean_in(second) == {"heart_rate": 70.0, "glucose": 71.0}


def test_what_the_server_shows_is_written_again_and_not_left_out():
    """A write that a full disk refused stood in the server's memory; the next one left it out, and a restart lost it."""
    shown = orjson.dumps(estimate(69.0, "heart_rate")["outlook"]).decode()
    (text,) = lines_of([estimate(70.0, "heart_rate")], {"heart_rate": shown})

    assert mean_in(text) == {"heart_rate": 69.0}


def test_a_forecast_that_nobody_made_before_is_written_as_it_is():
    (text,) = lines_of([estimate(70.0, "heart_rate")], {}, known=AT - 60_000)

    assert mean_in(text) == {"heart_rate": 70.0}


def test_forecasts_of_another_shape_bring_nothing_and_stay_in_their_document():
    """A channel that is no text once raised, and would have ended the sink."""
    for outlook in ([{"channel": ["heart_rate"]}], [{"channel": "of another"}], ["no forecast"], "none"):
        odd = estimate(70.0) | {"outlook": outlook}
        assert brought([odd]) == []
        assert take_apart(odd) == (odd, {})
