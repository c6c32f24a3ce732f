"""The network in words and as a table: tooltips, summary, exported numbers. Without Qt."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import TENSORS
from gradsim.views.inspection.number_text import number_text, shape_text
from gradsim.views.inspection.wording import step_text
from gradsim.views.network.content import SYMBOLS, NetworkContent
from gradsim.views.network.pulse import Pulse

_TOLD = ("pre_activation", "activation", "delta", "weight_gradient", "update")


def column_tooltip(content: NetworkContent, column: int, unit: int | None = None) -> str:
    """Return what the mouse is told about a column, as rich text.

    Parameters
    ----------
    content : NetworkContent
        The numbers.
    column : int
        Index into ``content.columns``.
    unit : int or None, default None
        Unit below the mouse.

    Returns
    -------
    str
        A heading and a small table.
    """
    here = content.columns[column]
    if here.layer is None:
        heading = f"input · {here.units} feature{'s' * (here.units != 1)}"
        rows = [("rms x", number_text(content.column_rms(0, "input"), 3))]
        shape = shape_text(content.trace.inputs.shape)
        return _rich(heading, f"batch × features: {shape}", rows)
    layer = content.trace.layers[here.layer]
    heading = f"{here.name} · {here.units} {here.activation}"
    rows = []
    for tensor in _TOLD:
        told = layer.statistics[tensor]
        rows.append((f"rms {SYMBOLS[tensor]}", number_text(told.rms, 3) + _special_text(told)))
    weight = layer.statistics["weight"]
    rows.append(("W from … to", f"{number_text(weight.min, 3)} … {number_text(weight.max, 3)}"))
    rows.append(("saturation", number_text(layer.saturation, 3)))
    if unit is not None and here.has_circles:
        for tensor in ("activation", "delta"):
            told_unit = content.unit_numbers(column, tensor)
            rows.append(
                (f"unit {unit + 1}: mean {SYMBOLS[tensor]}", number_text(float(told_unit.mean[unit]), 3))
            )
    return _rich(heading, f"W: {shape_text(layer.weight.shape)}", rows)


def _special_text(told: Any) -> str:
    counted = (("0", told.zeros), ("NaN", told.nans), ("∞", told.infs))
    present = [f"{count / told.count:.0%} {name}" for name, count in counted if count]
    return f" ({', '.join(present)})" if present else ""


def _rich(heading: str, line: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td align='right'>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<b>{escape(heading)}</b><br>{escape(line)}<table cellspacing='0'>{cells}</table>"


def network_summary(content: NetworkContent, pulse: Pulse) -> str:
    """Return the picture in words.

    Parameters
    ----------
    content : NetworkContent
        The numbers.
    pulse : Pulse
        State of the step.

    Returns
    -------
    str
        Two or three sentences.
    """
    layers = content.trace.layers
    first, last = content.column_rms(1, pulse.tensor), content.column_rms(len(layers), pulse.tensor)
    words = [
        f"Network of {len(layers)} layer{'s' * (len(layers) != 1)} with {content.columns[0].units} inputs, "
        f"iteration {content.trace.iteration}.",
        f"Step: {step_text(pulse.step, layers)}; {sum(pulse.computed)} of {len(layers)} layers computed.",
    ]
    if pulse.computed[0] and pulse.computed[-1]:
        words.append(
            f"rms {SYMBOLS[pulse.tensor]} is {number_text(first, 3)} in {layers[0].name} and "
            f"{number_text(last, 3)} in {layers[-1].name}."
        )
    return " ".join(words)


def network_table(
    content: NetworkContent,
) -> tuple[Mapping[str, NDArray[Any]], Mapping[str, str]]:
    """Return the numbers behind the picture.

    Parameters
    ----------
    content : NetworkContent
        The numbers.

    Returns
    -------
    columns : mapping from str to ndarray, shape (layers,)
        Name, number, units and activation of each layer, and the rms of each tensor.
    units : mapping from str to str
        What each is measured in.
    """
    layers = content.trace.layers
    columns: dict[str, NDArray[Any]] = {
        "layer": np.array([layer.name for layer in layers]),
        "number": np.array([-1 if layer.number is None else layer.number for layer in layers]),
        "units": np.array([layer.fan_out for layer in layers]),
        "activation_kind": np.array([layer.activation_kind for layer in layers]),
    }
    units = {"layer": "name", "number": "1…L", "units": "count", "activation_kind": "name"}
    for tensor in TENSORS:
        columns[f"{tensor}_rms"] = np.array([layer.statistics[tensor].rms for layer in layers])
        units[f"{tensor}_rms"] = "root mean square"
    return columns, units
