"""Mechanistic physiology and its per-person filter. Numbers only: no clock, no network, no Kafka."""
