"""The chain rule of one weight: ∂L/∂w = ∂L/∂a · ∂a/∂z · ∂z/∂w, and ∂L/∂z as a sum over all paths to the loss.

Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, 1986: the derivative of the loss
by a weight is the sum, over every path from the weight to the loss, of the product of the derivatives along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_graph import FUSED, Graph, Rows, chain_graph
from gradsim.analysis.chain_paths import ChainFactor, ChainPath, path_sums
from gradsim.analysis.chain_remarks import chain_remarks
from gradsim.analysis.chain_search import largest_paths
from gradsim.spec import unrolled_layers
from gradsim.trace import IterationTrace, LayerTrace

Search = Literal["all", "largest", "found", "none"]

_MOST_WORK = 30_000_000
"""So many products are looked at in a search; beyond it only sums are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightChain:
    """The gradient of one weight, factor by factor.

    R is the number of rows looked at: one sample, or all of the batch; of sequences each with its steps of time.

    Attributes
    ----------
    layer : int
        Index of the layer.
    tensor : str
        Which of its parameters.
    row, column : int
        Which weight of it: from unit ``row`` of the layer before to unit ``column``; a bias has row 0.
    sample : int or None
        Row of the batch that is looked at; None for the whole batch.
    samples, steps : ndarray of int64, shape (R,)
        Sample and step of time of each row.
    loss_by_output : ndarray of float64, shape (R,), or None
        ∂L/∂a as it was recorded; None where ∂L/∂z is no product of one ∂L/∂a and one slope.
    output_by_preactivation : ndarray of float64, shape (R,), or None
        φ'(z) as it was recorded; None likewise.
    loss_by_preactivation : ndarray of float64, shape (R,)
        δ = ∂L/∂z as it was recorded: the product of the two.
    preactivation_by_weight : ndarray of float64, shape (R,)
        ∂z/∂w: what the weight is multiplied by.
    terms : ndarray of float64, shape (R,)
        δ · ∂z/∂w: what each row adds to the gradient. The loss is the mean over the batch already where it is
        a mean, so the sum over all rows is the gradient, not their mean.
    total : float
        Sum of the terms.
    weight, gradient, clipped, update, after : float
        The weight before, its recorded gradient over the whole batch, the same after clipping, what the optimizer
        adds, and the weight after, all in the precision of the experiment.
    paths : tuple of ChainPath
        The largest paths by what they add to ``total``, largest magnitude first.
    path_count : int
        How many paths there are in all; 0 where they have no meaning.
    path_total : float
        Sum over all paths, by float64 products of the recorded factors; NaN without paths. It differs from ``total``
        by rounding.
    path_sizes : float
        Sum of the magnitudes of all paths: how much of it cancels shows in ``path_total / path_sizes``.
    search : {"all", "largest", "found", "none"}
        Whether ``paths`` are all there are, surely the largest, the largest found until the search was ended,
        or not searched for because the net is too large.
    remarks : tuple of str
        Sentences on factors that are no plain product, such as a Jacobian or a recorded gradient.
    """

    layer: int
    tensor: str
    row: int
    column: int
    sample: int | None
    samples: NDArray[np.int64]
    steps: NDArray[np.int64]
    loss_by_output: NDArray[np.float64] | None
    output_by_preactivation: NDArray[np.float64] | None
    loss_by_preactivation: NDArray[np.float64]
    preactivation_by_weight: NDArray[np.float64]
    terms: NDArray[np.float64]
    total: float
    weight: float
    gradient: float
    clipped: float
    update: float
    after: float
    paths: tuple[ChainPath, ...]
    path_count: int
    path_total: float
    path_sizes: float
    search: Search
    remarks: tuple[str, ...]

    @property
    def is_product(self) -> bool:
        """Whether one row and one path make the whole: the gradient is a single product."""
        return self.path_count == 1 and len(self.terms) == 1

    @property
    def units(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The units each of ``paths`` goes through, as (layer, unit)."""
        return tuple(path.units for path in self.paths)


def weight_tensors(trace: IterationTrace, layer: int) -> tuple[str, ...]:
    """Return the parameters of a layer whose chain rule can be told.

    Parameters
    ----------
    trace : IterationTrace
        Any record.
    layer : int
        Index of the layer.

    Returns
    -------
    tuple of str
        Names for ``weight_chain``, the weights first; empty for a layer without.
    """
    here = trace.layers[layer]
    return tuple(name for name in _TENSORS.get(here.kind, ()) if name in here.tensors)


def weight_chain(
    trace: IterationTrace,
    layer: int,
    row: int,
    column: int,
    sample: int | None = None,
    *,
    tensor: str = "",
    time: int | None = None,
    most: int = 8,
) -> WeightChain:
    """Return the chain rule of one weight with all its numbers.

    Parameters
    ----------
    trace : IterationTrace
        Any record; nothing is run.
    layer : int
        Index of a layer with parameters.
    row, column : int
        Which weight: from unit ``row`` of the layer before to unit ``column`` of this one. For a parameter
        with one number per unit the row does not matter.
    sample : int, optional
        Row of the batch; None for the sum over the whole batch, which is the gradient.
    tensor : str, optional
        One of ``weight_tensors``; the first by default.
    time : int, optional
        Step of a sequence; None for the sum over all.
    most : int, default 8
        How many paths are listed at most.

    Returns
    -------
    WeightChain
        0, NaN and ∞ are kept as they are.

    Raises
    ------
    ValueError
        If the layer has no such parameter.
    IndexError
        If there is no such layer, weight, sample or step.
    """
    here = trace.layers[layer]
    known = weight_tensors(trace, layer)
    tensor = tensor or (known[0] if known else "weight")
    if tensor not in known:
        raise ValueError(
            f"expected one of {', '.join(known) or 'no parameter'} of {here.name}, got {tensor!r}"
        )
    shape = here[tensor].shape
    row, place = (row, (row, column)) if len(shape) == 2 else (0, (column,))
    if not (0 <= row < shape[0] if len(shape) == 2 else True) or not 0 <= column < shape[-1]:
        raise IndexError(f"expected a weight of {shape}, got {place}")
    rows = Rows(here.delta.shape if here.kind != "residual" else here.output.shape, sample, time)
    delta = rows.of(_delta(here))[:, column]
    by_weight = _by_weight(trace, here, tensor, row, column, rows)
    with np.errstate(all="ignore"):
        terms = delta * by_weight
        after = here[tensor][place] + here[f"{tensor}_update"][place]
    output, slope = _output_and_slope(trace, here, rows, column)
    graph = Graph() if here.kind == "recurrent" else chain_graph(trace, layer, rows)
    paths, count, total, sizes, search = _paths(graph, here, row, column, by_weight, most)
    return WeightChain(
        layer=layer,
        tensor=tensor,
        row=row,
        column=column,
        sample=sample,
        samples=rows.samples,
        steps=rows.steps,
        loss_by_output=output,
        output_by_preactivation=slope,
        loss_by_preactivation=delta,
        preactivation_by_weight=by_weight,
        terms=terms,
        total=_sum(terms),
        weight=float(here[tensor][place]),
        gradient=float(here[f"{tensor}_gradient"][place]),
        clipped=float(here[f"{tensor}_clipped_gradient"][place]),
        update=float(here[f"{tensor}_update"][place]),
        after=float(after),
        paths=paths,
        path_count=count,
        path_total=total,
        path_sizes=sizes,
        search=search,
        remarks=chain_remarks(trace, here, graph),
    )


_TENSORS = {
    "dense": ("weight", "bias"),
    "normalization": ("gamma", "beta"),
    "residual": ("projection",),
    "recurrent": ("recurrent_weight", "input_weight", "bias"),
}


def _sum(values: NDArray[np.float64]) -> float:
    with np.errstate(all="ignore"):
        return float(np.sum(values))


def _delta(layer: LayerTrace) -> NDArray[Any]:
    """Return the gradient of what the parameter is added to: z, or the output where there is no z."""
    return layer.output_gradient if layer.kind in ("normalization", "residual") else layer.delta


def _by_weight(
    trace: IterationTrace, layer: LayerTrace, tensor: str, row: int, column: int, rows: Rows
) -> NDArray[np.float64]:
    if tensor in ("bias", "beta"):
        return np.ones(len(rows))
    if tensor == "gamma":
        return rows.of(layer.normalized)[:, column]
    if tensor != "recurrent_weight":
        return rows.of(layer.input)[:, row]
    spec: Any = unrolled_layers(trace.experiment.network)[layer.index].layer
    hidden = np.asarray(layer.hidden, np.float64)[rows.samples, rows.steps - 1, row]
    hidden = np.where(rows.steps == 0, 0.0, hidden)
    units = layer.fan_out
    if spec.cell == "gru" and column >= 2 * units:
        # The reset gate of the unit a weight leads to, or comes from, stands between it and the candidate.
        gate = column - 2 * units if spec.reset_after else row
        with np.errstate(all="ignore"):
            return np.asarray(hidden * rows.of(layer.gates)[:, gate])
    return hidden


def _output_and_slope(
    trace: IterationTrace, layer: LayerTrace, rows: Rows, column: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    is_fused = (
        layer.index == len(trace.layers) - 1
        and (layer.activation_kind, trace.experiment.training.loss) in FUSED
    )
    if layer.kind != "dense" or layer.activation_kind == "softmax" or "scaled" in layer.tensors or is_fused:
        return None, None
    return rows.of(layer.activation_gradient)[:, column], rows.of(layer.slope)[:, column]


def _paths(
    graph: Graph, layer: LayerTrace, row: int, column: int, by_weight: NDArray[np.float64], most: int
) -> tuple[tuple[ChainPath, ...], int, float, float, Search]:
    if not graph.layers:
        return (), 0, float("nan"), float("nan"), "none"
    count = len(by_weight)
    sums = path_sums(graph, column, count)
    with np.errstate(all="ignore"):
        total, sizes = _sum(sums.total * by_weight), _sum(sums.sizes * np.abs(by_weight))
    work = sum(edge.values[0].size for leaving in graph.edges for edge in leaving) * count
    if work > _MOST_WORK:
        return (), sums.count, total, sizes, "none"
    first = ChainFactor("input", layer.index, row, column, by_weight)
    paths, finished = largest_paths(graph, column, first, most)
    search: Search = "found" if not finished else "all" if len(paths) == sums.count else "largest"
    return paths, sums.count, total, sizes, search
