"""A scenario as people write it, checked, and as the plan by minutes that the twin carries forward.

Grammar, the same for the command line and the page; AMOUNT is a number, WHEN is `HH:MM` of the person's own clock, `+90min`,
`+2h` or an RFC 3339 time with a zone, and "at once" where it is left out:

    meal, insulin, fluid, alcohol   AMOUNT[@WHEN]             60@12:30
    exercise                        DURATION@LEVEL[@WHEN]     45min@6met@17:00, 1h@150w, 30min@10km/h
    ambient, altitude, infection    [DURATION@]LEVEL[@WHEN]   35, 2h@35@14:00
    fever                           TEMPERATURE[@WHEN]        39
    drug                            NAME=DOSES[@WHEN]         beta_blocker=1@08:00
    sleep_shift                     HOURS                     -2h
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.decode import milliseconds
from twin.outlook import Plan, nothing
from twin.physiology import movement

DAY_MIN = 1440
SHORTEST_H, LONGEST_H = 0.5, 48.0


class OutlookError(ValueError):
    """A scenario that cannot be; the message names the place, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a scenario may hold: how it is called, its unit, and what is plausible."""

    title: str
    unit: str
    low: float
    high: float
    lasts: bool = False


KINDS = {
    "meal": Kind("carbohydrate", "g", 1.0, 300.0),
    "insulin": Kind("rapid-acting insulin", "U", 0.1, 50.0),
    "exercise": Kind("exercise", "MET", 1.5, 20.0, lasts=True),
    "fluid": Kind("fluid above habit", "L", 0.05, 3.0),
    "alcohol": Kind("alcohol", "g", 1.0, 120.0),
    "sleep_shift": Kind("bedtime and waking later by", "h", -12.0, 12.0),
    "ambient": Kind("air temperature", "°C", -20.0, 50.0, lasts=True),
    "altitude": Kind("altitude", "m", -400.0, 6000.0, lasts=True),
    "drug": Kind("beta-blocker", "customary doses", 0.1, 4.0),
    "fever": Kind("fever", "°C", 37.5, 41.0),
    "infection": Kind("infection, drive", "", 0.05, 1.5, lasts=True),
}
DRUGS = ("beta_blocker",)
EXERCISE_MIN = (1.0, 480.0)
LEVELS = {"met": (1.5, 20.0), "w": (10.0, 600.0), "km/h": (1.0, 25.0)}
EFFORT = {  # mechanical efficiency, posture; as twin/inputs.py has them
    "met": (movement.GENERIC, 0.8), "w": (movement.CYCLING, 0.3), "km/h": (movement.WALKING, 0.8),
}  # fmt: skip
NUMBER = r"[-+]?\d+(?:\.\d*)?|[-+]?\.\d+"
DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)min)?")
CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is done: how much, from which minute after the twin's head, for how long (0: at once)."""

    kind: str
    amount: float
    unit: str
    minute: int
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """When it happens: the head of the twin [s since 1970], the person's clock ahead of UTC [h], the minutes looked at."""

    head_s: float
    offset_h: float
    minutes: int


def frame(head_s: float, offset_h: float, hours: float) -> Frame:
    """A frame of so many hours; raises OutlookError."""
    if not SHORTEST_H <= hours <= LONGEST_H:
        raise OutlookError(f"hours = {hours:g}: allowed is {SHORTEST_H:g} to {LONGEST_H:g}")
    return Frame(head_s, offset_h, round(hours * 60))


def _amount(place: str, text: str, low: float, high: float, unit: str) -> float:
    """A number within bounds."""
    if not re.fullmatch(NUMBER, text):
        raise OutlookError(f"{place}: {text[:30]!r} is not a number")
    value = float(text)
    if not low <= value <= high:
        raise OutlookError(
            f"{place}: {value:g} {unit}".rstrip() + f": allowed is {low:g} to {high:g} {unit}".rstrip()
        )
    return value


def _duration(text: str) -> float | None:
    """Minutes of `45min`, `2h`, `1h30min`; None for anything else."""
    found = DURATION.fullmatch(text)
    if not text or found is None:
        return None
    return 60.0 * float(found[1] or 0.0) + float(found[2] or 0.0)


def _minute(place: str, text: str, when: Frame) -> int:
    """The minute after the head at which something happens."""
    clock = CLOCK.fullmatch(text)
    if clock is not None:
        hour, minute = int(clock[1]), int(clock[2])
        if hour > 23 or minute > 59:
            raise OutlookError(f"{place}: {text!r} is no time of day")
        now = (when.head_s / 60.0 + 60.0 * when.offset_h) % DAY_MIN
        found = math.ceil((60 * hour + minute - now) % DAY_MIN - 1e-6)
    elif text.startswith("+") and _duration(text[1:]) is not None:
        found = round(_duration(text[1:]) or 0.0)
    else:
        try:
            found = math.ceil((milliseconds(text) / 1000.0 - when.head_s) / 60.0 - 1e-6)
        except (ValueError, OverflowError) as error:
            shown = f"{place}: {text[:40]!r} is no time: HH:MM, +90min, +2h, or RFC 3339 with a zone"
            raise OutlookError(shown) from error
    if found < 0:
        raise OutlookError(
            f"{place}: {text} is before the twin's newest reading ({_stamp(when, 0)}): send it as a reading"
        )
    if found >= when.minutes:
        last = _stamp(when, when.minutes)
        raise OutlookError(
            f"{place}: {text} is {found / 60:.1f} h ahead, the outlook ends at {last}: give more hours"
        )
    return found


def _stamp(when: Frame, minute: int) -> str:
    moment = datetime.fromtimestamp(when.head_s + 60.0 * minute, UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _exercise(place: str, parts: list[str], when: Frame) -> Item:
    minutes = _duration(parts[0]) if len(parts) in (2, 3) else None
    if minutes is None:
        raise OutlookError(
            f"{place}: {'@'.join(parts)[:40]!r}: DURATION@LEVEL[@WHEN] is needed, such as 45min@6met@17:00"
        )
    if not EXERCISE_MIN[0] <= minutes <= EXERCISE_MIN[1]:
        raise OutlookError(
            f"{place}: {minutes:g} min: allowed is {EXERCISE_MIN[0]:g} to {EXERCISE_MIN[1]:g} min"
        )
    unit = next((unit for unit in LEVELS if parts[1].lower().endswith(unit)), None)
    if unit is None:
        raise OutlookError(f"{place}: {parts[1][:20]!r}: a level in met, w or km/h is needed")
    level = _amount(place, parts[1][: -len(unit)], *LEVELS[unit], unit)
    at = _minute(place, parts[2], when) if len(parts) == 3 else 0
    return Item("exercise", level, unit, at, min(round(minutes), when.minutes - at))


def _item(kind: str, place: str, text: str, when: Frame) -> Item:
    """One item of a scenario; raises OutlookError."""
    parts, what = text.strip().split("@"), KINDS[kind]
    if kind == "exercise":
        return _exercise(place, parts, when)
    if kind == "sleep_shift":
        return Item(
            kind, _amount(place, text.strip().removesuffix("h"), what.low, what.high, what.unit), what.unit, 0
        )
    lasts = when.minutes
    if what.lasts and len(parts) > 1 and (found := _duration(parts[0])) is not None:
        lasts, parts = round(found), parts[1:]
        if lasts < 1:
            raise OutlookError(f"{place}: {text[:40]!r}: it must last a minute at least")
    if len(parts) > 2:
        raise OutlookError(f"{place}: {text[:40]!r}: one @ at most after the amount")
    if kind == "drug":
        name, _, parts[0] = parts[0].partition("=")
        if name not in DRUGS:
            raise OutlookError(f"{place}: {name[:30]!r} is unknown; known are {', '.join(DRUGS)}")
    amount = _amount(place, parts[0], what.low, what.high, what.unit)
    at = _minute(place, parts[1], when) if len(parts) == 2 else 0
    return Item(kind, amount, what.unit, at, min(lasts, when.minutes - at) if what.lasts else 0)


def scenario(wanted: Mapping[str, Sequence[str]], when: Frame) -> list[Item]:
    """The items of a scenario, in order of time; raises OutlookError by place and value.

    Args:
        wanted: texts by kind, several of each.
        when: the frame.

    """
    unknown = sorted(wanted.keys() - KINDS.keys())
    if unknown:
        raise OutlookError(f"{unknown[0]}: unknown; known are {', '.join(KINDS)}")
    items = [
        _item(kind, f"{kind}[{i}]" if len(texts) > 1 else kind, text, when)
        for kind, texts in wanted.items()
        for i, text in enumerate(texts)
    ]
    if sum(item.kind == "sleep_shift" for item in items) > 1:
        raise OutlookError("sleep_shift: one is allowed")
    return sorted(items, key=lambda item: (item.minute, item.kind))


def demand(item: Item, weight_kg: float) -> float:
    """MET of an exercise."""
    if item.unit == "w":
        return float(movement.demand_of_uptake(movement.cycling_uptake(item.amount, weight_kg)))
    if item.unit == "km/h":
        return float(movement.demand_of_uptake(movement.moving_uptake(item.amount * 1000.0 / 60.0, 0.0)))
    return item.amount


def plan_of(items: Sequence[Item], minutes: int, weight_kg: float) -> Plan:
    """The plan by minutes; of two exercises at one time the later one holds."""
    plan = nothing(minutes)
    added = {
        "meal": plan.carbohydrate,
        "insulin": plan.bolus,
        "fluid": plan.fluid,
        "alcohol": plan.alcohol,
        "drug": plan.drug,
    }
    for item in items:
        span = slice(item.minute, item.minute + item.minutes)
        if item.kind in added:
            added[item.kind][item.minute] += item.amount
        elif item.kind == "exercise":
            plan.met[span] = demand(item, weight_kg)
            plan.efficiency[span], plan.posture[span] = EFFORT[item.unit]
        elif item.kind == "ambient":
            plan.ambient[span] = item.amount
        elif item.kind == "altitude":
            plan.air_pressure[span] = movement.air_pressure(item.amount)
        elif item.kind == "infection":
            plan.infection[span] = item.amount
        elif item.kind == "fever":
            plan.fever[item.minute] = item.amount
        elif item.kind == "sleep_shift":
            plan.sleep_shift[0] = item.amount
    return plan
