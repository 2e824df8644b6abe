"""The check-points of the slow block, section 12.9, by open-loop runs of block S, and the movement anchors of section 2.

A diet of other energy keeps its share of carbohydrate and its sodium per kcal (4000 mg/d at maintenance): only so do the
specification's weights come out (physiology/DECISIONS.md, 3).
"""

import numpy as np

from twin.blocks import slow as block
from twin.checkpoints.circadian import Row, row
from twin.physiology.movement import air_pressure, demand_of_cadence
from twin.shapes import Constants, Vector


class Run:
    """Block S of one person in open loop, eating `change` kcal/d more than maintenance; no water is lost or drunk."""

    def __init__(self, change: float) -> None:
        body = block.default_body()
        self.k: Constants = np.array(body)
        kept = block.maintenance(body)
        self.u: Vector = np.array(
            block.default_inputs()._replace(
                energy_intake=kept + change, sodium=body.sodium * (1.0 + change / kept), drinking_known=1.0
            )
        )
        mean, covariance = np.zeros(block.N), np.zeros((block.N, block.N))
        block.start(mean, covariance, self.k, self.u)
        self.x = np.repeat(mean, block.STRIDE)
        self.work = np.zeros((3, self.x.size))
        self.seen = np.zeros(block.SEEN * block.STRIDE)
        self.day = 0

    def until(self, day: int) -> block.Seen:
        """What is seen on that day, euhydrated."""
        block.advance(self.x, 1440.0 * (day - self.day), self.u, self.k, *self.work)
        self.day = day
        self.x[block.WATER_DEFICIT * block.STRIDE : (block.WATER_DEFICIT + 1) * block.STRIDE] = 0.0
        block.observe(self.x, self.seen, self.u, self.k)
        return block.Seen(*self.seen[:: block.STRIDE])


def run() -> list[Row]:
    """All rows: what, expected, got, tolerance, ok."""
    rows: list[Row] = []
    less, more = Run(-500.0), Run(500.0)
    rows.append(row("-500 kcal/d, day 0: expenditure (kcal/d)", 2616.0, less.until(0).daily_expenditure, 2.0))
    for day, weight in ((7, 73.90), (30, 72.61), (90, 69.74), (180, 66.26), (365, 61.62), (1095, 57.47)):
        seen = less.until(day)
        rows.append(row(f"-500 kcal/d, day {day}: weight (kg)", weight, seen.weight, 0.1))
        if day == 30:
            rows.append(row("-500 kcal/d, day 30: expenditure (kcal/d)", 2508.0, seen.daily_expenditure, 2.0))
        if day == 365:
            rows.append(row("-500 kcal/d, day 365: fat (kg)", 9.52, seen.fat_mass, 0.1))
    for day, weight in ((30, 77.35), (365, 87.81)):
        rows.append(row(f"+500 kcal/d, day {day}: weight (kg)", weight, more.until(day).weight, 0.1))
    kept = Run(0.0).until(365)
    rows.append(row("maintenance, day 365: weight (kg)", 75.0, kept.weight, 0.01))
    rows.append(row("maintenance, day 365: expenditure (kcal/d)", 2672.0, kept.daily_expenditure, 1.0))
    for cadence, demand in ((100, 3.3), (110, 4.1), (120, 5.0), (130, 6.0)):
        rows.append(row(f"{cadence} steps/min (MET)", demand, demand_of_cadence(float(cadence)), 0.051))
    for altitude, pressure in ((0, 760), (1500, 634), (2500, 560), (3500, 493), (4164, 453), (5000, 405)):
        rows.append(row(f"{altitude} m: air pressure (mmHg)", pressure, air_pressure(float(altitude)), 1.0))
    return rows
