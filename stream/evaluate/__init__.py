"""The report: how good the twin's forecasts were, beside baselines on the same instants, with what was not shown."""
