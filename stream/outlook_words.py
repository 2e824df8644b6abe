"""What an outlook does not know, in sentences for people: of every scenario, of this person, of channels that do not run."""

import math
from collections.abc import Callable, Sequence

from stream.outlook import Item, demand
from twin import channels as c_
from twin import record as r_
from twin.blocks import fast, metabolic
from twin.catalogue import learned_share
from twin.outlook_channels import CHANNELS
from twin.outlook_start import Start
from twin.shapes import Record

WELL, ROUGHLY = 0.6, 0.25  # share of the prior's uncertainty that is gone, as on the page
ALWAYS = (
    "Apart from what is listed the day goes on by habit: rest, the usual sleep, no meal, no dose.",
    "These are the mechanism's equations alone: what the twin has learned beside them is not in here.",
)
SILENT = {
    "metabolic": "no glucose, meal or insulin was ever told: the glucose block does not run",
    "fast": "no sensor of heart, breath, temperature or pressure ever spoke: the fast block does not run",
    "slow": "neither a scale nor a heart sensor ever spoke: the slow block does not run",
}


def not_shown(running: dict[str, bool]) -> dict[str, str]:
    """Channels of blocks that no reading has started, with the reason: they are not invented."""
    return {name: SILENT[channel.block] for name, channel in CHANNELS.items() if not running[channel.block]}


def _known(record: Record, block: str, position: int) -> tuple[str, float, float]:
    """How well a parameter held as a logarithm is known, in words; its mean and sd in natural units."""
    module, mean_at, cov_at, time_at = r_.BLOCKS[block]
    mean, variance = record[mean_at + position], record[cov_at + position * (module.N + 1)]
    value = math.exp(mean + 0.5 * variance)
    sd = value * math.sqrt(max(math.expm1(variance), 0.0))
    share = learned_share(module.STATES[position].name, value, sd) if record[time_at] > r_.NEVER else 0.0
    words = "well known" if share >= WELL else "roughly known" if share >= ROUGHLY else "hardly learned yet"
    return words, value, sd


def _insulin(_: Item, record: Record, begin: Start) -> str:
    words, value, sd = _known(begin.record, "metabolic", metabolic.SENSITIVITY)
    told = f"This person's insulin sensitivity is {words} ({value:.2f} ± {sd:.2f}, 1 is average)"
    if record[r_.BOLUS_S] == r_.NEVER:
        told += ", and no bolus was ever told, so that nothing shows how one acts here"
    return told + "; the kind of insulin and the place of injection are not known. Do not dose by it."


def _meal(_: Item, __: Record, begin: Start) -> str:
    words, value, _sd = _known(begin.record, "metabolic", metabolic.EMPTYING)
    return (
        "The amount is taken as people judge it (± 20 %); fat, protein and fibre are not in the equations, and how fast this"
        f" stomach empties is {words} ({math.log(2.0) / value:.0f} min to one half)."
    )


def _exercise(item: Item, record: Record, begin: Start) -> str:
    words, value, sd = _known(begin.record, "fast", fast.MAXIMAL_UPTAKE)
    asked = demand(item, float(record[r_.WEIGHT]))
    told = f"How hard {asked:.1f} MET is hangs on the maximal oxygen uptake, which is {words} ({value:.0f} ± {sd:.0f} mL/kg/min)"
    if asked * 3.5 > value:
        told += ": it is more than that, and the equations let nobody do more than the maximum"
    return (
        told + "; sprints, strength and heat outdoors are not in it, nor the low glucose of the night after."
    )


def _fever(_: Item, __: Record, ___: Start) -> str:
    return (
        "The fever is there at once with the inflammation that holds it, and stays: its cause, its course and drugs against it"
        " are not known."
    )


def _infection(_: Item, __: Record, ___: Start) -> str:
    return "An infection of constant drive; inflammation follows in about 6 h, fever in 100 min more. Real ones rise and fall."


def _alcohol(_: Item, __: Record, ___: Start) -> str:
    return (
        "Food in the stomach is not known; that alcohol stops the liver from making glucose, which makes lows hours later, is"
        " not in the equations."
    )


def _fluid(_: Item, __: Record, ___: Start) -> str:
    return "Water above what thirst asks for; salt, and how fast the gut takes it up, are not in it."


def _sleep(_: Item, __: Record, ___: Start) -> str:
    return "Bedtime and waking move, light follows the eyes; how well one sleeps then is not known."


def _ambient(_: Item, __: Record, ___: Start) -> str:
    return (
        "Clothes, wind and humidity stay as they are, sun and shade are not known, nor how used to the heat or cold this"
        " person is."
    )


def _altitude(_: Item, record: Record, ___: Start) -> str:
    measured = record[r_.READ + c_.SENSORS.index("spo2")] > 0.0
    lung = "" if measured else " The lung is the population's: no saturation was ever measured."
    return (
        "Up there at once; getting used to it over days, and mountain sickness, are not in the equations."
        + lung
    )


def _drug(_: Item, __: Record, ___: Start) -> str:
    return (
        "A customary dose of a beta-blocker of average strength, at its effect at once and fading over 9 h; that it hides the"
        " signs of a low glucose is not in the equations."
    )


OF_KIND: dict[str, Callable[[Item, Record, Start], str]] = {
    "meal": _meal, "insulin": _insulin, "exercise": _exercise, "fluid": _fluid, "alcohol": _alcohol, "sleep_shift": _sleep,
    "ambient": _ambient, "altitude": _altitude, "drug": _drug, "fever": _fever, "infection": _infection,
}  # fmt: skip


def unknowns(items: Sequence[Item], record: Record, begin: Start) -> list[str]:
    """A sentence on each kind of thing that is done, then what no outlook knows."""
    first = {item.kind: item for item in reversed(items)}
    told = [OF_KIND[kind](item, record, begin) for kind, item in sorted(first.items())]
    silent = [name for name, runs in begin.running.items() if not runs]
    if items and silent:
        told.append(
            "Organs that nobody measured take part as the population's, with its spread: "
            + "; ".join(SILENT[name] for name in silent) + "."
        )  # fmt: skip
    return [*told, *ALWAYS]
