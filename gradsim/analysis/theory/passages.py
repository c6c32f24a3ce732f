"""A random network walked forwards: how the size of the signal changes, and what each layer does to a gradient.

Each layer becomes a passage: by what it multiplies the mean square of a gradient that comes back through it. A mean is
over units, samples and draws of the weights. Sizes of the layers are those of the experiment's initializers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.theory.gaussian import Moments, Numbers, moment_table
from gradsim.analysis.theory.signals import NotRandom, Passage, Signal, added_noise, drawn
from gradsim.analysis.theory.variances import bias_moments, weight_variance
from gradsim.spec import (
    Activation,
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Normalization,
    PlacedLayer,
    Residual,
    kind_of,
)
from gradsim.spec.activation import Linear, Softmax
from gradsim.spec.initializer import Orthogonal
from gradsim.trace import IterationTrace, LayerTrace

_TINY = 1e-300
_THROUGH_TIME = "{} goes through time, where the same weights meet again and again"
_MEAN = 0.1
_GROUPS = 16
"""Samples differ in length, and those in which the gradient grows most count most: so many groups of like ones."""


@dataclass(slots=True)
class Walk:
    """Walks a network forwards.

    Attributes
    ----------
    trace : IterationTrace
        Gives the input, the first z, the size of the batch, and what the theory has to be told.
    told : list of str
        Names of layers at which the walk took a measured size.
    """

    trace: IterationTrace
    told: list[str] = field(default_factory=list)
    _begun: bool = False
    _records: dict[str, LayerTrace] = field(init=False)
    _last: tuple[Dense | Head, int, Signal, Signal, Moments, float, Passage] | None = None

    def __post_init__(self) -> None:
        """Find the records by name: a search for each of them would take the square of their number."""
        self._records = {layer.name: layer for layer in self.trace.layers}

    def over(self, layers: tuple[PlacedLayer, ...], signal: Signal) -> tuple[Signal, tuple[Passage, ...]]:
        """Return the signal behind some layers, and their passages in forward order."""
        passages = []
        for placed in layers:
            row = _ROWS.get(type(placed.layer))
            if row is None:
                raise NotRandom(_THROUGH_TIME.format(placed.name))
            signal, passage = row(self, placed, signal)
            passages.append(passage)
        return signal, tuple(passages)

    def dense(self, placed: PlacedLayer, signal: Signal) -> tuple[Signal, Passage]:
        """Return what a dense layer or the head makes of a signal, and its passage."""
        layer = placed.layer
        assert isinstance(layer, Dense | Head)
        record = self._records[placed.name]
        if self._last is not None and self._begun:
            same, fan_out, entered, out, found, share, passage = self._last
            if layer is same and record.fan_out == fan_out and entered.is_like(signal):
                out = drawn(replace(out, z_noise=share**2 * signal.noise), found)
                return out, replace(passage, name=placed.name, noise=out.noise)
        made = self._dense(placed.name, layer, record, signal)
        self._last = (layer, record.fan_out, signal, *made)
        return made[0], made[-1]

    def _dense(
        self, name: str, layer: Dense | Head, record: LayerTrace, signal: Signal
    ) -> tuple[Signal, Moments, float, Passage]:
        """Return also the moments of φ and the share of E[z²] that comes of the input, not of the biases."""
        width = record.fan_out
        variance = weight_variance(layer.initializer, signal.width, width)
        is_head = isinstance(layer, Head)
        if variance is None:
            if not is_head:
                raise NotRandom(f"the weights of {name} start {kind_of(layer.initializer)}: nothing is drawn")
            variance = 0.0
        mean, scatter = (
            bias_moments(layer.bias_initializer, signal.width, width) if layer.bias else (0.0, 0.0)
        )
        gain = variance * signal.width
        level = np.full(len(signal.square), mean)
        q = gain * signal.square + scatter
        spread = gain * signal.spread
        is_orthogonal = isinstance(layer.initializer, Orthogonal)
        whole = float(q.mean()) + mean**2
        share = gain * float(signal.square.mean()) / whole if 0 < whole < math.inf else 0.0
        # Orthogonal weights keep the length of what enters, where they are not fewer than it has numbers.
        is_sized = is_orthogonal and width >= signal.width and share == 1.0
        if not self._begun:
            self._begun = is_sized = True
            share = 0.0
            q, spread = self._measured_start(record["pre_activation"], mean)
        z = Signal(q + mean * mean, level, spread, width)
        factor: float | Numbers = 1.0
        if layer.normalization is not None:
            z, factor = self.normalized(name, layer.normalization, z)
            share, is_sized = 0.0, True
            # What a normalization leaves of a constant bias: nothing, or after rms the same in all samples, nearly.
            mean = float(z.mean.mean())
            q = z.square - mean * mean
        activation = Linear() if is_head else layer.activation
        if isinstance(activation, Softmax):
            raise NotRandom(f"{name} has softmax, whose units depend on each other")
        batch = len(self.trace.inputs)
        over_batch = layer.normalization is not None and layer.normalization.method == "batch"
        found = moment_table((activation,), mean, excess=-6.0 / (batch + 1) if over_batch else 0.0).at(q)
        slope_square = found.slope_square
        if layer.normalization is not None:
            slope_square = self._kept(layer.normalization, found, width)
        square = float(found.slope_square.mean())
        kurtosis = float(found.slope_fourth.mean()) / square**2 if square > 0 else 1.0
        out = Signal(
            found.square, found.value, self._spread(activation, found, z, q), width, (activation,), q, mean
        )
        out = drawn(replace(out, z_noise=share**2 * signal.noise, is_sized=is_sized), found)
        noise = 3.0 * max(kurtosis, 1.0) - (3.0 if is_orthogonal else 1.0)
        passage = Passage(
            name,
            slope_square * factor,
            width * variance,
            float(q.mean()),
            noise / width,
            float(out.square.mean()),
            out.noise,
        )
        return out, found, share, passage

    def _measured_start(self, z: NDArray[Any], mean: float) -> tuple[Numbers, float]:
        """Variance of z in groups of like samples, and over the batch."""
        wide = z.astype(np.float64)
        sizes = np.maximum((wide**2).mean(axis=1) - mean**2, 0.0)
        if not np.isfinite(sizes).all():
            raise NotRandom("the pre-activations of the first layer are not finite")
        return _grouped(sizes), float(wide.var(axis=0).mean())

    def activation(self, placed: PlacedLayer, signal: Signal) -> tuple[Signal, Passage]:
        """Return what an activation of its own makes of a signal, and its passage."""
        layer = placed.layer
        assert isinstance(layer, ActivationLayer)
        if isinstance(layer.activation, Softmax):
            raise NotRandom(f"{placed.name} is softmax, whose units depend on each other")
        if not self._begun:
            raise NotRandom(f"{placed.name} is an activation with no dense layer before it")
        if not signal.chain:  # a sum of many layers, as normal as they are
            mean = float(signal.mean.mean())
            q = np.maximum(signal.square - mean**2, 0.0)
            signal = replace(signal, chain=(Linear(),), q=q, z_mean=mean, z_noise=signal.noise, is_sized=True)
        before = moment_table(signal.chain, signal.z_mean).at(signal.q)
        chain = (*signal.chain, layer.activation)
        if isinstance(chain[0], Linear):
            chain = chain[1:]
        after = moment_table(chain, signal.z_mean).at(signal.q)
        # Where z had mean 0 over the batch, the spread was known, and so it is now.
        spread = math.nan if math.isnan(signal.spread) else self._variance(after, signal.q)
        out = replace(signal, square=after.square, mean=after.value, spread=spread, chain=chain)
        out = drawn(out, after)
        ratio = after.slope_square / np.maximum(before.slope_square, _TINY)
        return out, Passage(placed.name, ratio)

    def dropout(self, placed: PlacedLayer, signal: Signal) -> tuple[Signal, Passage]:
        """Return what a dropout makes of a signal, and its passage."""
        layer = placed.layer
        assert isinstance(layer, Dropout)
        grown = 1.0 / (1.0 - layer.rate)
        # The mask is drawn for every value, so it varies over the batch too.
        spread = signal.spread + (grown - 1.0) * float(signal.square.mean())
        noise = signal.noise + 3.0 * (grown - 1.0) / (signal.width * len(self.trace.inputs))
        out = replace(signal, square=signal.square * grown, spread=spread, chain=(), noise=noise)
        return out, Passage(placed.name, grown)

    def normalization(self, placed: PlacedLayer, signal: Signal) -> tuple[Signal, Passage]:
        """Return what a normalization of its own makes of a signal, and its passage."""
        layer = placed.layer
        assert isinstance(layer, Normalization)
        if layer.method == "batch" and math.isnan(signal.spread):
            measured = self._records[placed.name]["input"].astype(np.float64)
            signal = replace(signal, spread=float(measured.var(axis=0).mean()))
            self.told.append(placed.name)
        out, factor = self.normalized(placed.name, layer, signal)
        return replace(out, chain=()), Passage(placed.name, factor * self._projected(layer, signal.width))

    def residual(self, placed: PlacedLayer, signal: Signal) -> tuple[Signal, Passage]:
        """Return what a residual block makes of a signal, and its passage."""
        layer, record = placed.layer, self._records[placed.name]
        assert isinstance(layer, Residual)
        branch, passages = self.over(placed.branch, signal)
        skip, skip_gain = signal, 1.0
        if branch.width != signal.width:
            variance = (
                weight_variance(layer.projection, signal.width, branch.width) if layer.projection else None
            )
            if variance is None:
                raise NotRandom(f"the projection of {placed.name} is not drawn at random")
            gain = variance * signal.width
            none = np.zeros(len(signal.square))
            drawn_noise = signal.noise + 2.0 / branch.width
            skip = Signal(gain * signal.square, none, gain * signal.spread, branch.width, noise=drawn_noise)
            skip_gain = variance * branch.width
        alpha = layer.scale
        both = skip.square + alpha**2 * branch.square + 2.0 * alpha * skip.mean * branch.mean
        out = Signal(
            both,
            skip.mean + alpha * branch.mean,
            skip.spread + alpha**2 * branch.spread,
            record.fan_out,
            noise=added_noise(skip, branch, alpha, record.fan_out),
        )
        size = math.sqrt(float(branch.square.mean()))
        return out, Passage(
            placed.name,
            1.0,
            branch=passages,
            scale_square=alpha**2,
            skip=skip_gain,
            width=record.fan_out,
            has_mean=float(np.abs(branch.mean).mean()) > _MEAN * size,
        )

    def normalized(self, name: str, layer: Normalization, signal: Signal) -> tuple[Signal, float | Numbers]:
        """Return a normalized signal, and by what the mean square of a gradient is multiplied, projection apart."""
        if layer.method == "batch":
            if math.isnan(signal.spread):
                measured = self._records[name]["pre_activation"].astype(np.float64)
                signal = replace(signal, spread=float(measured.var(axis=0).mean()))
                self.told.append(name)
            batch = len(self.trace.inputs)
            if batch <= 3:
                raise NotRandom(f"a batch of {batch} is too small: the mean of 1/variance is infinite")
            level = np.full(len(signal.square), signal.spread / (signal.spread + layer.eps))
            uneven = (batch - 1.0) / (batch - 3.0)  # E[1/s²] E[s²] of a variance s² over the batch
            return Signal(level, 0.0 * level, float(level[0]), signal.width), uneven / (
                signal.spread + layer.eps
            )
        variance = signal.square - (signal.mean**2 if layer.method == "layer" else 0.0)
        inverse = 1.0 / np.maximum(variance + layer.eps, _TINY)
        mean = np.zeros(len(variance)) if layer.method == "layer" else signal.mean * np.sqrt(inverse)
        spread = signal.spread * float(inverse.mean())
        free = signal.width - (1.0 if layer.method == "layer" else 0.0)
        uneven = free / (free - 2.0) if free > 2.0 else 1.0
        return Signal(variance * inverse, mean, spread, signal.width), uneven * inverse

    def _projected(self, layer: Normalization, width: int) -> float:
        """Share of a gradient that a normalization lets pass: mean and direction of the signal are taken out."""
        if layer.method == "batch":
            return 1.0 - 2.0 / len(self.trace.inputs)
        return max(1.0 - (2.0 if layer.method == "layer" else 1.0) / width, 0.0)

    def _kept(self, layer: Normalization, found: Moments, width: int) -> Numbers:
        """E[φ'²], less what a normalization takes out of the gradient behind φ.

        A gradient that itself comes out of a batch normalization has mean 0 over the batch: with that, to first order
        in 1/batch, the share is ((B − 1) E[φ'²] + E[φ']² − Var(z φ')) / B.
        """
        if layer.method != "batch":
            return found.slope_square * self._projected(layer, width)
        batch = len(self.trace.inputs)
        kept: Numbers = ((batch - 1) * found.slope_square + found.slope**2 - found.swing) / batch
        return np.maximum(kept, 0.0)

    def _spread(self, activation: Activation, found: Moments, z: Signal, q: Numbers) -> float:
        """Variance of φ(z) over the batch: known where z itself has mean 0 over the batch."""
        if isinstance(activation, Linear):
            return z.spread
        return self._variance(found, q) if z.is_centred else math.nan

    def _variance(self, found: Moments, q: Numbers) -> float:
        """Of φ(z) within B samples of mean 0: two have correlation −1/(B − 1), which lessens their covariance."""
        batch = len(self.trace.inputs)
        whole = found.square - found.value**2 + found.slope**2 * q / max(batch - 1, 1)
        return (1.0 - 1.0 / batch) * float(whole.mean())


_ROWS: dict[type[Any], Callable[[Walk, PlacedLayer, Signal], tuple[Signal, Passage]]] = {
    Dense: Walk.dense,
    Head: Walk.dense,
    ActivationLayer: Walk.activation,
    Dropout: Walk.dropout,
    Normalization: Walk.normalization,
    Residual: Walk.residual,
}


def _grouped(values: Numbers) -> Numbers:
    """Means of groups of like samples, rising."""
    groups = np.array_split(np.sort(values), min(_GROUPS, len(values)))
    return np.array([group.mean() for group in groups])


def walked(
    trace: IterationTrace, layers: tuple[PlacedLayer, ...]
) -> tuple[tuple[Passage, ...], tuple[str, ...]]:
    """Return the passages of a network, and where a measured size had to be taken.

    Parameters
    ----------
    trace : IterationTrace
        A record of the network.
    layers : tuple of PlacedLayer
        Its layers, nested.

    Returns
    -------
    passages : tuple of Passage
        In forward order, branches nested.
    told : tuple of str
        Names of layers.

    Raises
    ------
    NotRandom
        If the theory does not apply.
    """
    inputs = trace.layers[0]["input"].astype(np.float64)
    inputs = inputs.reshape(len(inputs), -1)
    walk = Walk(trace)
    signal = Signal(
        _grouped((inputs**2).mean(axis=1)),
        _grouped(inputs.mean(axis=1)),
        float(inputs.var(axis=0).mean()),
        inputs.shape[-1],
    )
    return walk.over(layers, signal)[1], tuple(walk.told)
