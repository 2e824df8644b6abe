"""The words on the topics, as models: the JSON Schemas beside this file are generated from them.

`python -m connectors.schema` writes them. The hot path does not use these models: decode.py checks the same rules on
columns, and a test holds the two together.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent / "schemas"
Person = Annotated[str, Field(min_length=1, max_length=200, description="Pseudonym; the record's key.")]
Time = Annotated[str | int, Field(description="RFC 3339 with a zone, or epoch milliseconds.")]
Milliseconds = Annotated[int, Field(description="Event time, epoch milliseconds.")]
Operation = Literal["upsert", "retract"]
Quality = Literal["ok", "suspect", "censored_low", "censored_high", "manual"]


class Word(BaseModel):
    """Base: nothing unknown passes."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Reading(Word):
    """One measured value of one channel at one time."""

    schema_: Literal["reading/1"] = Field("reading/1", alias="schema")
    person: Person
    channel: str = Field(description="A name of the channel table.")
    time: Time
    value: float | None = Field(
        None, allow_inf_nan=False, description="In `unit`; may be missing in a retraction."
    )
    unit: str | None = Field(None, description="UCUM; the channel's own where missing.")
    sigma: float | None = Field(None, gt=0, description="1 sd of the measurement.")
    source: str | None = Field(None, max_length=200)
    record_id: str | None = Field(None, max_length=200, description="Identity; the time where missing.")
    revision: int | None = Field(None, ge=0, description="The highest of one identity counts.")
    op: Operation | None = None
    quality: Quality | None = None
    utc_offset_s: int | None = None
    ingested_at: Time | None = None


class ReadingBatch(Word):
    """Readings of one person as columns of one length."""

    schema_: Literal["readings/1"] = Field("readings/1", alias="schema")
    person: Person
    channel: list[str]
    time: list[Time]
    value: list[float | None]
    unit: list[str | None] | None = None
    sigma: list[float | None] | None = None
    record_id: list[str | None] | None = None
    revision: list[int | None] | None = None
    op: list[Operation | None] | None = None
    quality: list[Quality | None] | None = None
    source: str | None = Field(None, max_length=200)
    utc_offset_s: int | None = None
    ingested_at: Time | None = None


class Spread(Word):
    """Mean and standard deviation."""

    mean: float
    sd: float = Field(ge=0)


class Outlook(Word):
    """A forecast of one channel's reading: predictive, the sensor's noise included."""

    channel: str
    made_at: Milliseconds
    horizon_s: int
    mean: float
    sd: float
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    learned: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the mean's change from now that is learned, not the mechanism's.",
    )


class Estimate(Word):
    """The twin after a tick. A later one with the same person and time replaces it."""

    schema_: Literal["estimate/1"] = Field("estimate/1", alias="schema")
    person: Person
    time: Milliseconds
    made_from: int = Field(description="Readings in this tick.")
    lag_s: float = Field(description="How far behind the person's newest reading.")
    late_readings: int = Field(0, description="Of this person so far, beyond their window and never applied.")
    state: dict[str, Spread]
    parameter: dict[str, Spread]
    surprise: dict[str, float] = Field(description="Normalised innovation by channel.")
    observed: dict[str, float]
    probability: dict[str, float]
    outlook: list[Outlook] = Field(description="Made once: a corrected estimate comes without it.")


class Alert(Word):
    """Something a care team should look at; one id through its life."""

    schema_: Literal["alert/1"] = Field("alert/1", alias="schema")
    alert_id: str
    person: Person
    rule: str
    kind: Literal["clinical", "technical"]
    severity: Literal["high", "medium", "low"]
    state: Literal["pending", "active", "acknowledged", "resolved"]
    onset: Milliseconds
    at: Milliseconds
    title: str
    why: list[str]
    value: float | None
    threshold: float
    probability: float | None
    horizon_s: int | None
    data_age_s: float
    acknowledged_by: str | None
    model: str
    disclaimer: str


class Command(Word):
    """What people ask of the worker."""

    schema_: Literal["command/1"] = Field("command/1", alias="schema")
    person: Person
    command: Literal["acknowledge", "profile"]
    alert_id: str | None = None
    by: str | None = Field(None, max_length=100)
    at: Milliseconds | None = None
    profile: dict[str, Any] | None = None


WORDS: dict[str, type[Word]] = {
    "reading.v1": Reading,
    "readings.v1": ReadingBatch,
    "estimate.v1": Estimate,
    "alert.v1": Alert,
    "twin.command.v1": Command,
}


def schema_text(name: str) -> str:
    """The JSON Schema of a word, as it stands in the repository."""
    return json.dumps(WORDS[name].model_json_schema(by_alias=True), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for word in WORDS:
        (FOLDER / f"{word}.json").write_text(schema_text(word), encoding="utf-8")
