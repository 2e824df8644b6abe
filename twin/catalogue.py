"""What the model has: states and parameters of every block, with units."""

from twin import fast_block, metabolic_block


def catalogue() -> list[dict[str, str]]:
    """One row a state: block, name, kind (state or parameter), UCUM unit."""
    rows = []
    for block, module in (("F fast", fast_block), ("G metabolic", metabolic_block)):
        for i, (name, unit) in enumerate(zip(module.NAMES, module.UNITS, strict=True)):
            kind = "state" if i < module.DYNAMIC else "parameter"
            rows.append({"block": block, "name": name, "kind": kind, "unit": unit})
    return rows
