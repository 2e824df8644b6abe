import pytest

from connectors.channels import CHANNELS
from connectors.decode import BATCH_FIELDS, READING_FIELDS
from connectors.schema import FOLDER, WORDS, Alert, Estimate, Reading, ReadingBatch, schema_text
from stream.cohort import Cohort
from stream.estimates import estimates
from stream.virtual import DEMO, simulate
from stream.warm import readings_of


@pytest.mark.parametrize("name", WORDS)
def test_the_schema_in_the_repository_is_current(name):
    assert (FOLDER / f"{name}.json").read_text() == schema_text(name)


def test_the_decoder_knows_exactly_the_models_fields():
    assert {f.alias or n for n, f in Reading.model_fields.items()} == READING_FIELDS
    assert {f.alias or n for n, f in ReadingBatch.model_fields.items()} == BATCH_FIELDS


def test_what_the_engine_says_fits_the_models():
    cohort = Cohort()
    readings, _ = simulate(DEMO[0], 1_763_600_400_000, 0.02)
    for document in estimates(cohort, cohort.apply(readings)):
        Estimate.model_validate(document)
    falling = readings_of("glucose", 20, 300, 0.0)
    falling.value[:] = [160 - 6 * i for i in range(20)]
    sent = cohort.apply(falling).alerts

    assert sent
    for alert in sent:
        Alert.model_validate(alert)


def test_every_channel_has_ordered_bounds_and_noise():
    for spec in CHANNELS.values():
        assert spec.hard[0] <= spec.soft[0] < spec.soft[1] <= spec.hard[1], spec.name
        assert spec.sigma > 0
