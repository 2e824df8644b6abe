"""Block F: every check-point of the specification, finite for whatever comes, accurate at its step."""

import pytest

from twin.checkpoints import fast as checkpoints

ROWS = checkpoints.rows()


@pytest.mark.parametrize("row", ROWS, ids=[row["what"] for row in ROWS])
def test_checkpoint(row):
    assert row["ok"], row
