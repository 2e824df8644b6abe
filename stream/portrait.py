"""A twin as people and programs read it: one line of twins.jsonl."""

from typing import Any

from stream.person import PersonTwin
from twin import record as r_
from twin.channels import SENSORS


def portrait(twin: PersonTwin) -> dict[str, Any]:
    """A twin in the open: head, and mean and covariance of each block as the filter holds them."""
    record = twin.head.record
    blocks = {
        name: {
            "states": [state.name for state in block.STATES],
            "mean": record[mean_at : mean_at + block.N].tolist(),
            "covariance": record[at : at + block.N**2].reshape(block.N, -1).tolist(),
        }
        for name, (block, mean_at, at, time_at) in r_.BLOCKS.items()
        if record[time_at] > r_.NEVER
    }
    return {
        "person": twin.person,
        "head_time": record[r_.HEAD_S],
        "blocks": blocks,
        "observations": record[r_.READINGS],
        "downweighted": record[r_.DOWNWEIGHTED],
        "repaired": record[r_.REPAIRED],
        "outliers": {
            channel: int(record[r_.OUTLIERS + i])
            for i, channel in enumerate(SENSORS)
            if record[r_.READ + i] > 0
        },
        "header": record[
            : r_.FAST_BODY
        ].tolist(),  # what is held, what was taken: `twin outlook` looks ahead from it
        "constants": record[r_.FAST_BODY : r_.FAST_MEAN].tolist(),
    }
