"""What a twin learns from the readings themselves, beside the mechanism: inside the same fold, in the same record."""
