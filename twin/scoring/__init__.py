"""Statistics of forecasts and alarms: arrays in, numbers out."""
