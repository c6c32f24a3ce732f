"""The cost as numbers: of all layers as a table, and of one under the pointer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis import Cost, amount_words
from gradsim.analysis.cost_wording import span_words
from gradsim.views.plot.numbers import brief
from gradsim.views.plot.plot_view import Table


def cost_table(found: Cost) -> Table:
    """Return one row per layer.

    Parameters
    ----------
    found : Cost
        Of a run.

    Returns
    -------
    tuple of dict
        Columns and their units.
    """
    motions = {motion.name: motion for motion in found.motions}
    rows = found.operations.layers
    known = [motions.get(row.name) for row in rows]
    columns: dict[str, NDArray[Any]] = {"layer": np.array([row.name for row in rows])}
    for name in ("forward", "backward", "update"):
        columns[name] = np.array([getattr(row, name) for row in rows], dtype=np.float64)
    for name, field in (("update_ratio", "ratio"), ("straight", "straight"), ("walk", "walk")):
        values = [math.nan if one is None else getattr(one, field) for one in known]
        columns[name] = np.array(values, dtype=np.float64)
    units = dict.fromkeys(("forward", "backward", "update"), "FLOP per iteration")
    units |= {"update_ratio": "rms of what an update changes / rms W"}
    units |= dict.fromkeys(("straight", "walk"), "iterations until the layer has moved by 1 %")
    for name in ("straight", "walk"):
        columns[f"{name}_seconds"] = columns[name] / found.rate
        units[f"{name}_seconds"] = "s on this machine"
    return columns, units


def hover_operations(found: Cost, place: int) -> str:
    """Return what a layer takes.

    Parameters
    ----------
    found : Cost
        Of a run.
    place : int
        Of the layer, from 0; nothing is said beyond the last.

    Returns
    -------
    str
        Lines.
    """
    rows = found.operations.layers
    if not 0 <= place < len(rows):
        return ""
    row = rows[place]
    return (
        f"{row.name}\nforward {amount_words(row.forward, 'FLOP')}\nbackward "
        f"{amount_words(row.backward, 'FLOP')}\nupdate {amount_words(row.update, 'FLOP')}"
    )


def hover_motion(found: Cost, place: int) -> str:
    """Return how long a layer takes to move.

    Parameters
    ----------
    found : Cost
        Of a run.
    place : int
        Of the layer among those with weights, from 0; nothing is said beyond the last.

    Returns
    -------
    str
        Lines.
    """
    if not 0 <= place < len(found.motions):
        return ""
    motion = found.motions[place]
    lines = [f"Layer {motion.number}: {motion.name}", f"one update: {brief(motion.ratio)} of the weights"]
    lines.append(f"1 % in {brief(motion.straight)} iterations (straight), {brief(motion.walk)} (random walk)")
    if math.isfinite(found.rate):
        with np.errstate(all="ignore"):
            lines.append(f"here {span_words(motion.straight / found.rate, motion.walk / found.rate)}")
    if motion.standing_still:
        lines.append(f"{100 * motion.standing_still:.3g} % of its weights stay the same to the last bit")
    return "\n".join(lines)
