"""The network in words and as a table: tooltips, summary, exported numbers. Without Qt."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.magnitude import rms
from gradsim.trace import TENSORS, LayerTrace
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
    heading = f"{here.name} · {here.units} {here.activation}"
    if here.time is not None:
        return _time_words(content, column, unit)
    more = []
    if unit is not None and here.has_circles:
        for tensor in ("activation", "delta"):
            told_unit = content.unit_numbers(column, tensor)
            more.append(
                (f"unit {unit + 1}: mean {SYMBOLS[tensor]}", number_text(float(told_unit.mean[unit]), 3))
            )
    return _layer_words(content.trace.layers[here.layer], heading, more)


def _time_words(content: NetworkContent, column: int, unit: int | None) -> str:
    """Tell one time step of an unrolled layer."""
    here, layer = content.columns[column], content.layer_of(column)
    assert here.time is not None
    tensors = [("hₜ", "hidden"), ("cₜ", "cell"), ("∂L/∂hₜ", "hidden_gradient"), ("∂L/∂cₜ", "cell_gradient")]
    tensors = [(symbol, tensor) for symbol, tensor in tensors if tensor in layer.tensors]
    rows = [(f"rms {symbol}", number_text(rms(layer[tensor][:, here.time]), 3)) for symbol, tensor in tensors]
    if unit is not None and here.has_circles:
        for symbol, tensor in tensors:
            mean = float(layer[tensor][:, here.time, unit].mean(dtype=np.float64))
            rows.append((f"unit {unit + 1}: mean {symbol}", number_text(mean, 3)))
    heading = f"{here.name} · t = {here.time + 1} of {here.steps}"
    return _rich(heading, f"{here.units} {here.activation}, from xₜ and hₜ₋₁", rows)


def layer_tooltip(content: NetworkContent, layer: int) -> str:
    """Return what the mouse is told about a layer between the columns, as rich text.

    Parameters
    ----------
    content : NetworkContent
        The numbers.
    layer : int
        Index into ``IterationTrace.layers``.

    Returns
    -------
    str
        A heading and a small table.
    """
    here = content.trace.layers[layer]
    text = next((tag.text for tag in content.tags if tag.layer == layer), here.kind)
    more = []
    for block in content.blocks:
        if block.index == layer:
            more = [
                ("rms ∂L/∂x by the skip", number_text(block.skip_rms, 3)),
                ("rms ∂L/∂x through the branch", number_text(block.branch_rms, 3)),
                ("share of the skip (upper line)", _percent(block.skip_share)),
                ("share of the branch (lower line)", _percent(1.0 - block.skip_share)),
            ]
    return _layer_words(here, f"{here.name} · {text}", more)


def _percent(share: float) -> str:
    return "none" if isnan(share) else f"{share:.1%}"


def _layer_words(layer: LayerTrace, heading: str, more: list[tuple[str, str]]) -> str:
    rows = []
    for tensor in _TOLD:
        told = layer.statistics.get(tensor)
        if told is not None:
            symbol = SYMBOLS[tensor] if layer.number is not None else _BETWEEN.get(tensor, SYMBOLS[tensor])
            rows.append((f"rms {symbol}", number_text(told.rms, 3) + _special_text(told)))
    line = f"{layer.fan_in} → {layer.fan_out}"
    weight = layer.statistics.get("weight")
    if weight is not None:
        rows.append(("W from … to", f"{number_text(weight.min, 3)} … {number_text(weight.max, 3)}"))
        line = f"W: {shape_text(layer.weight.shape)}"
    if not isnan(layer.saturation):
        rows.append(("saturation", number_text(layer.saturation, 3)))
    return _rich(heading, line, rows + more)


_BETWEEN = {"pre_activation": "in", "activation": "out", "delta": "∂L/∂in"}


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
    count, end = content.layer_count, len(content.columns) - 1
    first, last = content.layer_of(1), content.layer_of(end)
    computed = sum(pulse.computed[layer.index] for layer in layers if layer.number is not None)
    words = [
        f"Network of {count} layer{'s' * (count != 1)} with {content.columns[0].units} inputs, "
        f"iteration {content.trace.iteration}.",
        f"Step: {step_text(pulse.step, layers)}; {computed} of {count} layers computed.",
    ]
    words += [
        f"{column.name} is unrolled over {column.steps} time steps."
        for column in content.columns
        if column.time == 0
    ]
    if content.tags:
        words.append(
            f"Between the columns: {', '.join(f'{layers[t.layer].name} ({t.text})' for t in content.tags)}."
        )
    if pulse.computed[first.index] and pulse.computed[last.index]:
        sizes = [number_text(content.column_rms(column, pulse.tensor), 3) for column in (1, end)]
        words.append(
            f"rms {SYMBOLS[pulse.tensor]} is {sizes[0]} in {first.name} and {sizes[1]} in {last.name}."
        )
    shares = [f"{b.name} {b.skip_share:.0%}" for b in content.blocks if not isnan(b.skip_share)]
    if shares:
        words.append(f"Share of the gradient by the skip, the rest by the branch: {', '.join(shares)}.")
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
        columns[f"{tensor}_rms"] = np.array(
            [layer.statistics[tensor].rms if tensor in layer.statistics else np.nan for layer in layers]
        )
        units[f"{tensor}_rms"] = "root mean square"
    return columns, units
