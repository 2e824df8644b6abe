"""The row of all people on InfluxDB 1.8.10 and 2.9.1, against numpy."""

import asyncio

import numpy as np
import pytest

from connectors.stores.overview import STEP_MS, row
from tests.connectors.stores.test_buckets import store_of
from tests.connectors.stores.test_contract import ALERT
from tests.connectors.stores.test_hourly import estimate

AT_MS = 1_763_600_400_000 // STEP_MS * STEP_MS + 120_000


@pytest.mark.parametrize("name", ["influx1", "influx2"])
def test_a_row_of_everybody_with_the_latest_of_each(name, request):
    server = request.getfixturevalue(name)
    latest = np.linspace(70.0, 200.0, 40).tolist()
    made = [estimate(f"p{i}", AT_MS, v) for i, v in enumerate(latest)]
    made += [estimate(f"p{i}", AT_MS - 600_000, 400.0) for i in range(40)]  # older: does not count
    made += [estimate("gone", AT_MS - 7_200_000, 400.0)]
    alerts = [ALERT | {"alert_id": f"a{i}", "person": f"p{i}", "onset": AT_MS, "at": AT_MS, "state": state}
              for i, state in enumerate(["active", "acknowledged", "resolved", "pending"])]  # fmt: skip

    async def run():
        store = store_of(server, "overview")
        try:
            await store.look({"overview": 3650}, True)
            await store.open()
            assert await store.write(made, alerts) == []
            assert await store.write_overview(AT_MS) == []
            return await store._query("SELECT * FROM twin_cohort")
        finally:
            await store.close()

    (found,) = asyncio.run(run())
    got = dict(zip(found["columns"], found["values"][0], strict=True))

    assert (got["time"], got["n"], got["alerts_open"], got["cohort"]) == (AT_MS - 120_000, 40, 2, "all")
    expected = np.quantile(latest, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(
        [got[f"glucose_{q}"] for q in ("q05", "q25", "q50", "q75", "q95")], expected, rtol=1e-5
    )


def test_nobody_makes_no_row():
    assert row([], 0, AT_MS, "all") is None
