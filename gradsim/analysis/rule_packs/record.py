"""What the published rules read of a network: sizes of its parameters and gradients, taken once for all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.trace import TENSORS, LayerTrace, Run


@dataclass(frozen=True, slots=True)
class ParameterSizes:
    """How large one parameter, its gradient before clipping and its update are.

    Attributes
    ----------
    layer, name : str
        Whose, and the last part of its name.
    is_matrix : bool
        False for biases and other rows of numbers.
    count, zero_gradients : int
        How many values, and how many of their gradients are exactly 0.
    value_mean, gradient_mean, update_mean : float
        Mean of |·|.
    value_norm, gradient_norm, update_norm : float
        Euclidean norm.
    variance : float
        Of the values.
    """

    layer: str
    name: str
    is_matrix: bool
    count: int
    zero_gradients: int
    value_mean: float
    gradient_mean: float
    update_mean: float
    value_norm: float
    gradient_norm: float
    update_norm: float
    variance: float


class Record:
    """One recorded iteration with what was before.

    Parameters
    ----------
    run : Run
        Its trace is the iteration; what its history holds of later ones is not read.
    """

    def __init__(self, run: Run) -> None:
        self.trace = run.trace
        self.history = run.history
        self.training_samples = len(run.samples.training_inputs)

    @cached_property
    def parameters(self) -> tuple[ParameterSizes, ...]:
        """All parameters, in the order of the layers."""
        with np.errstate(all="ignore"):
            return tuple(_sizes(layer, name) for layer in self.trace.layers for name in _parameters(layer))

    @property
    def matrices(self) -> tuple[ParameterSizes, ...]:
        """The weights: parameters with two dimensions."""
        return tuple(one for one in self.parameters if one.is_matrix)

    def not_finite(self) -> tuple[int, str]:
        """Return how many measured values are NaN or infinite, and in which layer first."""
        count, first = 0, ""
        for layer in self.trace.layers:
            found = sum(statistics.nans + statistics.infs for statistics in layer.statistics.values())
            first = first or (layer.name if found else "")
            count += found
        return count, first

    def activated(self, kinds: Iterable[str]) -> Iterator[tuple[LayerTrace, NDArray[Any], NDArray[Any]]]:
        """Yield layers of some activations with what goes into φ and comes out, shape (samples, units).

        The cells of an LSTM or GRU have no one activation and are left out.
        """
        for layer in self.trace.layers:
            if layer.kind not in ("dense", "activation", "recurrent") or layer.activation_kind not in kinds:
                continue
            z = layer["pre_activation"]
            if layer.kind == "dense":  # normalization may stand between the linear map and φ
                z = layer.tensors.get("scaled", layer.tensors.get("normalized", z))
            a = layer["activation"]
            if z.shape == a.shape:
                yield layer, z.reshape(-1, z.shape[-1]), a.reshape(-1, a.shape[-1])

    def recent(self, tensor: str, layer: str, count: int) -> NDArray[np.float64] | None:
        """Return the rms of a tensor at the last iterations, this one last; None where not all are kept."""
        places = self._places(count - 1)
        if places is None or layer not in self.history.layer_names:
            return None
        index = self.history.layer_names.index(layer)
        before = self.history.values[places, index, TENSORS.index(tensor), 2]
        return np.append(before, self.trace[layer].statistics[tensor].rms)

    def loss_before(self, iterations: int) -> float | None:
        """Return the loss of the batch some iterations ago; None where it is not kept."""
        place = self._place(self.trace.iteration - iterations)
        return None if place is None else float(self.history.loss[place])

    def initial_variances(self, first: int) -> dict[str, float] | None:
        """Return the variance of the weights of each layer at one of the first iterations; None if not kept."""
        layers = [layer for layer in self.trace.layers if layer.number is not None]
        if self.trace.iteration < first:
            return {one.name: one.statistics["weight"].sd ** 2 for one in layers}
        history = self.history
        if len(history) == 0 or history.iterations[0] >= first:
            return None
        sd = history.values[0, :, TENSORS.index("weight"), 1]
        return {one.name: float(sd[history.layer_names.index(one.name)]) ** 2 for one in layers}

    def epoch_accuracies(self) -> NDArray[np.float64]:
        """Return the mean accuracy of the batches of each whole epoch before this iteration."""
        before = self.history.iterations < self.trace.iteration
        batch = len(self.trace.inputs)
        epochs = self.history.iterations[before] * batch // self.training_samples
        accuracy = self.history.accuracy[before]
        whole = self.trace.iteration * batch // self.training_samples
        kept = [number for number in range(whole) if (epochs == number).any()]
        return np.array([accuracy[epochs == number].mean() for number in kept])

    def _places(self, count: int) -> NDArray[np.int64] | None:
        wanted = np.arange(self.trace.iteration - count, self.trace.iteration)
        kept = self.history.iterations
        places = np.searchsorted(kept, wanted)
        found = (wanted >= 0) & (places < len(kept))
        if not found.all() or not np.array_equal(kept[places], wanted):
            return None
        return places

    def _place(self, iteration: int) -> int | None:
        (places,) = np.nonzero(self.history.iterations == iteration)
        return int(places[0]) if len(places) else None


def farthest(
    values: Iterable[tuple[str, float]], low: float, high: float, scale: Callable[[float], float] = float
) -> tuple[str, float]:
    """Return the layer and number that lie farthest outside an interval, or nearest to its edge; never NaN first.

    Parameters
    ----------
    values : iterable of (str, float)
        Layers and their numbers.
    low, high : float
        The interval.
    scale : callable
        Applied before distances are compared, for example a logarithm.

    Returns
    -------
    (str, float)
        One of the values; an empty name and NaN where there are none.
    """

    def excess(pair: tuple[str, float]) -> float:
        """How far a number lies outside, negative inside."""
        value = pair[1]
        if np.isnan(value):
            return -np.inf
        return max(scale(low) - scale(value), scale(value) - scale(high))

    return max(values, key=excess, default=("", np.nan))


def log10(value: float) -> float:
    """Return log10 of a number that is not negative, −∞ of 0."""
    with np.errstate(divide="ignore"):
        return float(np.log10(value))


def ratio(numerator: float, denominator: float) -> float:
    """Return a quotient as IEEE says: 0/0 is NaN, x/0 infinite."""
    with np.errstate(all="ignore"):
        return float(np.float64(numerator) / np.float64(denominator))


def _parameters(layer: LayerTrace) -> list[str]:
    """Names of the parameters; ``weight`` is in some layers another name of one of them, without own update."""
    return [name for name in layer.tensors if f"{name}_update" in layer.tensors]


def _sizes(layer: LayerTrace, name: str) -> ParameterSizes:
    value, gradient, update = layer[name], layer[f"{name}_gradient"], layer[f"{name}_update"]
    return ParameterSizes(
        layer.name,
        name,
        value.ndim > 1,
        value.size,
        int(np.count_nonzero(gradient == 0)),
        _mean(value),
        _mean(gradient),
        _mean(update),
        _norm(value),
        _norm(gradient),
        _norm(update),
        float(np.var(value, dtype=np.float64)),
    )


def _mean(array: NDArray[Any]) -> float:
    return float(np.mean(np.abs(array), dtype=np.float64))


def _norm(array: NDArray[Any]) -> float:
    """Euclidean norm, scaled so that squares neither overflow nor vanish."""
    size = np.abs(array, dtype=np.float64)
    largest = size.max(initial=0.0)
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    size /= largest
    return float(largest * np.sqrt(np.vdot(size, size)))
