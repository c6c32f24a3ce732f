"""The chain rule of one weight: ∂L/∂w = ∂L/∂a · ∂a/∂z · ∂z/∂w, and ∂L/∂z as a sum over all paths to the loss.

Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, 1986: the derivative of the loss
by a weight is the sum, over every path from the weight to the loss, of the product of the derivatives along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.chain_paths import ChainPath, path_sums
from gradsim.analysis.chain_remarks import chain_remarks
from gradsim.analysis.chain_search import largest_paths
from gradsim.analysis.chain_terms import TENSORS, Terms, terms_of
from gradsim.trace import IterationTrace

Search = Literal["all", "largest", "found", "none"]

_MOST_WEIGHTS = 30_000_000
"""So many weights are looked at in a search; beyond it only sums are taken."""


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
    time : int or None
        Step of time that is looked at; None for all.
    samples, steps : ndarray of int64, shape (R,)
        Sample and step of time of each row. A number that all units share has a row for each of them.
    loss_by_output : ndarray of float64, shape (R,), or None
        ∂L/∂a as it was recorded, of a recurrent cell ∂L/∂h_t or that of a gate from it; None where ∂L/∂z is no
        product of one ∂L/∂a and one slope.
    output_by_preactivation : ndarray of float64, shape (R,), or None
        φ'(z), of a recurrent cell that of the gate; None likewise.
    loss_by_preactivation : ndarray of float64, shape (R,)
        δ = ∂L/∂z as it was recorded: the product of the two. ∂L/∂y for a parameter that acts on an output y.
    preactivation_by_weight : ndarray of float64, shape (R,)
        ∂z/∂w, or ∂y/∂w: what the weight is multiplied by.
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
        How many paths there are in all.
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
    time: int | None
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
    def units(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The units each of ``paths`` goes through, as (layer, unit), in a recurrent layer (layer, unit, step)."""
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
    return tuple(name for name in TENSORS.get(here.kind, ()) if name in here.tensors)


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
    found = terms_of(trace, here, tensor, row, column, sample, time)
    with np.errstate(all="ignore"):
        terms = found.loss_by_preactivation * found.by_weight
        after = here[tensor][place] + here[f"{tensor}_update"][place]
    paths, count, total, sizes, search = _paths(found, most)
    return WeightChain(
        layer=layer,
        tensor=tensor,
        row=row,
        column=column,
        sample=sample,
        time=time,
        samples=found.samples,
        steps=found.steps,
        loss_by_output=found.loss_by_output,
        output_by_preactivation=found.output_by_preactivation,
        loss_by_preactivation=found.loss_by_preactivation,
        preactivation_by_weight=found.by_weight,
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
        remarks=chain_remarks(trace, here, found.graph),
    )


def _sum(values: NDArray[np.float64]) -> float:
    with np.errstate(all="ignore"):
        return float(np.sum(values))


def _paths(found: Terms, most: int) -> tuple[tuple[ChainPath, ...], int, float, float, Search]:
    graph = found.graph
    if not graph.layers:
        return (), 0, float("nan"), float("nan"), "none"
    sums = path_sums(graph, found.unit, found.rows)
    by_weight = np.ones(found.rows) if found.first is None else found.first.values
    with np.errstate(all="ignore"):
        total, sizes = _sum(sums.total * by_weight), _sum(sums.sizes * np.abs(by_weight))
    if sum(edge.values[0].size for leaving in graph.edges for edge in leaving) > _MOST_WEIGHTS:
        return (), sums.count, total, sizes, "none"
    paths, finished = largest_paths(graph, found.unit, found.first, most, found.rows)
    search: Search = "found" if not finished else "all" if len(paths) == sums.count else "largest"
    return paths, sums.count, total, sizes, search
