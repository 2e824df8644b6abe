"""Sigma points, moments and scalar corrections: general in the number of states, knows no physiology."""
