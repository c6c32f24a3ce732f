"""The statistics of every tensor of a layer, as rows and columns of numbers. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.magnitude import rms
from gradsim.spec import kind_of
from gradsim.trace import IterationTrace, LayerTrace, TensorStatistics
from gradsim.views.inspection.number_text import exact_text, number_text

ROWS = ("mean", "sd", "rms", "l2", "min", "max", "zeros", "subnormals", "nans", "infs", "count")
ROW_WORDS = {"nans": "NaN", "infs": "±∞", "count": "values"}
_TENSORS = (
    ("input", "x"),
    ("pre_activation", "z"),
    ("activation", "a"),
    ("slope", "φ′(z)"),
    ("activation_gradient", "∂L/∂a"),
    ("delta", "δ"),
    ("weight_gradient", "∂L/∂W"),
    ("weight_clipped_gradient", "∂L/∂W clipped"),
    ("bias_gradient", "∂L/∂b"),
    ("update", "ΔW"),
    ("weight", "W"),
    ("bias", "b"),
    ("normalized", "x̂"),
    ("gamma", "γ"),
    ("gamma_gradient", "∂L/∂γ"),
    ("beta", "β"),
    ("beta_gradient", "∂L/∂β"),
    ("batch_mean", "μ batch"),
    ("running_mean", "μ running"),
    ("batch_variance", "σ² batch"),
    ("running_variance", "σ² running"),
    ("skip", "skip"),
    ("branch", "branch"),
    ("skip_gradient", "∂L/∂x by the skip"),
    ("branch_input_gradient", "∂L/∂x through the branch"),
    ("scale", "α"),
    ("scale_gradient", "∂L/∂α"),
    ("hidden", "h"),
    ("hidden_gradient", "∂L/∂h"),
    ("cell", "c"),
    ("cell_gradient", "∂L/∂c"),
    ("gates", "gates"),
    ("input_weight", "input W"),
    ("input_weight_gradient", "∂L/∂ input W"),
)
_ALIASES = {
    "normalization": {"weight", "weight_gradient"},  # of gamma, which has a column of its own
    "recurrent": {"activation", "activation_gradient"},  # hidden and its gradient
}
_BETWEEN = {"pre_activation": "in", "activation": "y", "activation_gradient": "∂L/∂y", "delta": "∂L/∂x"}
_RESIDUAL = {**_BETWEEN, "pre_activation": "branch", "weight": "P", "weight_gradient": "∂L/∂P"}
_SYMBOLS = {
    "residual": _RESIDUAL,
    "normalization": {**_BETWEEN, "update": "Δγ"},
    "activation": _BETWEEN,
    "dropout": {**_BETWEEN, "slope": "mask m"},
    "recurrent": {"weight": "R", "weight_gradient": "∂L/∂R", "update": "ΔR"},
}
"""Kind of layer → headings that differ from those of a dense one."""


@dataclass(frozen=True, slots=True, eq=False)
class StatisticsTable:
    """Statistics of the tensors of one layer.

    Attributes
    ----------
    tensors : tuple of str
        Names of the columns.
    symbols : tuple of str
        Their headings.
    columns : tuple of TensorStatistics
        Their numbers.
    """

    tensors: tuple[str, ...]
    symbols: tuple[str, ...]
    columns: tuple[TensorStatistics, ...]

    def value(self, row: int, column: int) -> float:
        """Return a number."""
        return float(getattr(self.columns[column], ROWS[row]))

    def short_text(self, row: int, column: int) -> str:
        """Return a number as it is shown."""
        if row >= ROWS.index("zeros"):
            return f"{int(self.value(row, column)):,}"
        return number_text(self.value(row, column))

    def exact_text(self, row: int, column: int) -> str:
        """Return a number as it is copied, in all its digits."""
        value = self.value(row, column)
        return str(int(value)) if row >= ROWS.index("zeros") else exact_text(value)


def statistics_table(trace: IterationTrace, layer: int) -> StatisticsTable:
    """Return the statistics of all tensors of a layer.

    Parameters
    ----------
    trace : IterationTrace
        The iteration.
    layer : int
        Index of the layer.

    Returns
    -------
    StatisticsTable
        The recorded statistics, and those of the small tensors for which none are recorded.
    """
    here = trace.layers[layer]
    known = {**here.tensors, **batch_moments(here)}
    clips = kind_of(trace.experiment.training.clipping) != "none"
    shown = [
        (tensor, symbol)
        for tensor, symbol in _TENSORS
        if tensor in known
        and (clips or tensor != "weight_clipped_gradient")
        and tensor not in _ALIASES.get(here.kind, ())
        # Of a layer without a number it is the input or the branch, which have columns of their own.
        and not (tensor == "pre_activation" and here.number is None)
    ]
    return StatisticsTable(
        tensors=tuple(tensor for tensor, _ in shown),
        symbols=tuple(_SYMBOLS.get(here.kind, {}).get(tensor, symbol) for tensor, symbol in shown),
        columns=tuple(_statistics(here, tensor, known[tensor]) for tensor, _ in shown),
    )


def batch_moments(layer: LayerTrace) -> dict[str, NDArray[np.float64]]:
    """Return what a batch normalization divides out in this pass, to stand beside the running values it keeps.

    Parameters
    ----------
    layer : LayerTrace
        Any.

    Returns
    -------
    dict
        ``batch_mean`` and ``batch_variance`` (of the batch, not unbiased) of every unit in float64, shape (units,);
        empty for a layer that keeps no running values. Those recorded are from before the pass moves them.
    """
    if "running_mean" not in layer.tensors:
        return {}
    values = layer["input" if layer.kind == "normalization" else "pre_activation"].astype(np.float64)
    values = values.reshape(-1, values.shape[-1])
    with np.errstate(invalid="ignore", over="ignore"):
        return {"batch_mean": values.mean(axis=0), "batch_variance": values.var(axis=0)}


def _statistics(layer: LayerTrace, tensor: str, values: NDArray[Any]) -> TensorStatistics:
    told = layer.statistics.get(tensor)
    return measured_statistics(values) if told is None else told


def measured_statistics(values: NDArray[Any]) -> TensorStatistics:
    """Return the statistics of an array, with the meanings of ``TensorStatistics``.

    Parameters
    ----------
    values : ndarray
        Any float array that is not empty.

    Returns
    -------
    TensorStatistics
        Taken in float64.
    """
    size = np.abs(values)
    wide = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(wide.mean())
        sd = rms(wide - mean)
    return TensorStatistics(
        mean=mean,
        sd=sd,
        rms=rms(values),
        min=float(values.min()),
        max=float(values.max()),
        zeros=int(np.count_nonzero(values == 0)),
        subnormals=int(np.count_nonzero((size > 0) & (size < np.finfo(values.dtype).smallest_normal))),
        nans=int(np.count_nonzero(np.isnan(values))),
        infs=int(np.count_nonzero(np.isinf(values))),
        count=values.size,
    )


def update_ratio(layer: LayerTrace) -> float:
    """Return rms(ΔW) / rms(W): how far an update moves the weights; NaN where there is nothing to move."""
    weight, update = layer.statistics["weight"].rms, layer.statistics["update"].rms
    return float("nan") if weight == 0 else update / weight
