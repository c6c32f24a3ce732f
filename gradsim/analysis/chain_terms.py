"""What each row of a batch adds to the gradient of one parameter, and the graph its paths go through.

A parameter acts on the pre-activation (weights, biases, those of a cell at every step of time) or on an output (gamma,
beta, a projection, the slope of a PReLU, the scale of a branch); one number may act on all units at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_cells import CellRecord, recurrent_by_weight
from gradsim.analysis.chain_graph import FUSED, Rows, chain_graph
from gradsim.analysis.chain_paths import ChainFactor
from gradsim.analysis.chain_time import States, add_cells, handed_on
from gradsim.analysis.chain_wires import Edge, Graph
from gradsim.analysis.layer_specs import spec_of
from gradsim.trace import IterationTrace, LayerTrace

Numbers = NDArray[np.float64]

TENSORS = {
    "dense": ("weight", "bias", "prelu_slope"),
    "activation": ("prelu_slope",),
    "normalization": ("gamma", "beta"),
    "residual": ("projection", "scale"),
    "recurrent": ("recurrent_weight", "input_weight", "bias", "recurrent_bias"),
}
"""Kind of layer → parameters whose chain rule is told, the weights first."""

ON_OUTPUT = ("gamma", "beta", "projection", "prelu_slope", "scale")
"""Parameters that act on an output, not on a pre-activation."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The rows of a chain rule.

    Attributes
    ----------
    samples, steps : ndarray of int64, shape (R,)
        Sample and step of time of each row; a number shared by all units has a row for each of them.
    loss_by_output, output_by_preactivation : ndarray of float64, shape (R,), or None
        ∂L/∂a and ∂a/∂z; None where there is no such pair.
    loss_by_preactivation : ndarray of float64, shape (R,)
        ∂L/∂z, or ∂L/∂y where the parameter acts on an output y.
    by_weight : ndarray of float64, shape (R,)
        ∂z/∂w or ∂y/∂w.
    graph : Graph
        To the loss.
    rows : int
        For how many rows it was made: of a cell and of a shared number one for each sample.
    unit : int
        Of its first wire, where the paths begin.
    first : ChainFactor or None
        ∂z/∂w of every path; None where the first edges are it.
    """

    samples: NDArray[np.int64]
    steps: NDArray[np.int64]
    loss_by_output: Numbers | None
    output_by_preactivation: Numbers | None
    loss_by_preactivation: Numbers
    by_weight: Numbers
    graph: Graph
    rows: int
    unit: int
    first: ChainFactor | None


def terms_of(
    trace: IterationTrace,
    layer: LayerTrace,
    tensor: str,
    row: int,
    column: int,
    sample: int | None,
    time: int | None,
) -> Terms:
    """Return what each row adds to the gradient of a parameter.

    Parameters
    ----------
    trace : IterationTrace
        The record.
    layer : LayerTrace
        Of the parameter.
    tensor : str
        One of ``TENSORS`` of its kind.
    row, column : int
        Its place, which exists.
    sample, time : int or None
        A row of the batch and a step of time; None for all.

    Returns
    -------
    Terms
        Without the loss scale of a narrow precision, as the recorded gradient is.
    """
    if layer.kind == "recurrent":
        return _recurrent_terms(trace, layer, tensor, row, column, sample, time)
    rows = Rows(layer.output.shape, sample, time)
    if tensor in ("prelu_slope", "scale"):
        return _elementwise_terms(trace, layer, tensor, column, rows)
    recorded = layer.output_gradient if tensor in ON_OUTPUT else layer.delta
    by_weight = np.ones(len(rows))
    if tensor == "gamma":
        by_weight = rows.of(layer.normalized)[:, column]
    elif tensor not in ("bias", "beta"):
        by_weight = rows.of(layer.input)[:, row]
    output = slope = None
    if layer.kind == "dense" and not _is_one(trace, layer):
        output = rows.of(layer.activation_gradient)[:, column] / trace.loss_scale
        slope = rows.of(layer.slope)[:, column]
    first = ChainFactor("input", layer.index, row, column, by_weight)
    return Terms(
        rows.samples,
        rows.steps,
        output,
        slope,
        rows.of(recorded)[:, column] / trace.loss_scale,
        by_weight,
        chain_graph(trace, layer.index, rows),
        len(rows),
        column,
        first,
    )


def _is_one(trace: IterationTrace, layer: LayerTrace) -> bool:
    """Return whether ∂L/∂z of a dense layer is no product of one ∂L/∂a and one slope."""
    is_fused = (
        layer.index == len(trace.layers) - 1
        and (layer.activation_kind, trace.experiment.training.loss) in FUSED
    )
    return is_fused or layer.activation_kind == "softmax" or "scaled" in layer.tensors


def _elementwise_terms(
    trace: IterationTrace, layer: LayerTrace, tensor: str, column: int, rows: Rows
) -> Terms:
    """Return the terms of a number that acts on one unit of an output or on all of them."""
    if tensor == "scale":
        by_weight = rows.of(layer.branch)
    else:
        with np.errstate(invalid="ignore"):
            by_weight = np.minimum(rows.of(layer.tensors.get("scaled", layer.pre_activation)), 0.0)
    gradient = rows.of(layer.output_gradient) / trace.loss_scale
    is_shared = layer[tensor].shape == (1,)
    columns = np.arange(layer.fan_out) if is_shared else np.array([column])

    def entry(graph: Graph, here: LayerTrace) -> int:
        start, output = graph.add(here.index, 1), graph.add(here.index, here.fan_out)
        values = np.zeros((len(rows), 1, here.fan_out))
        values[:, 0, columns] = by_weight[:, columns]
        graph.edges[start].append(Edge(start, output, "input", here.index, values))
        return output

    return Terms(
        np.repeat(rows.samples, len(columns)),
        np.repeat(rows.steps, len(columns)),
        None,
        None,
        gradient[:, columns].ravel(),
        by_weight[:, columns].ravel(),
        chain_graph(trace, layer.index, rows, entry),
        len(rows),
        0,
        None,
    )


def _recurrent_terms(
    trace: IterationTrace,
    layer: LayerTrace,
    tensor: str,
    row: int,
    column: int,
    sample: int | None,
    time: int | None,
) -> Terms:
    spec: Any = spec_of(trace, layer)
    rows = Rows(layer.hidden.shape, sample, time)
    above = Rows(layer.hidden.shape[::2], sample, None)
    record = CellRecord(layer, spec, above.samples)
    gate, unit = divmod(column, layer.fan_out)
    used = np.zeros(record.steps, np.bool_)
    used[rows.steps] = True
    by_weight = recurrent_by_weight(record, tensor, row, column)
    graph = chain_graph(
        trace,
        layer.index,
        above,
        partial(_cell_entry, record, column, by_weight, used, trace.loss_scale),
    )
    return Terms(
        rows.samples,
        rows.steps,
        record.loss_by_gate(gate)[:, used, unit].ravel() / trace.loss_scale,
        record.slope(gate)[:, used, unit].ravel(),
        rows.of(layer.delta)[:, column] / trace.loss_scale,
        by_weight[:, used].ravel(),
        graph,
        len(above),
        unit,
        None,
    )


def _cell_entry(
    record: CellRecord,
    column: int,
    by_weight: Numbers,
    used: NDArray[np.bool_],
    scale: float,
    graph: Graph,
    _layer: LayerTrace,
) -> int | States:
    return handed_on(record, add_cells(graph, record, column, by_weight, used), scale)
