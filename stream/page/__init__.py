"""The page: who needs attention, why, and what the twin expects."""
