"""The edits behind the remedies: pure functions of an experiment and of what was measured.

An edit returns None where it does not apply; what it would not change it returns as it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from gradsim.analysis.network_edits import (
    halved,
    with_blocks,
    with_dense,
    with_layers,
    with_recurrent,
    with_training,
)
from gradsim.spec import (
    Activation,
    Dense,
    Experiment,
    Initializer,
    Layer,
    Normalization,
    Recurrent,
    Residual,
    kind_of,
)
from gradsim.spec.activation import LeakyRelu, Prelu, Relu, Rrelu, Tanh
from gradsim.spec.experiment import Precision
from gradsim.spec.initializer import GlorotUniform, HeNormal, LecunNormal, Orthogonal, VarianceScaling, Zeros
from gradsim.spec.method import DynamicLossScale, FixedLossScale, NoLossScale
from gradsim.spec.training import Adam, ConstantSchedule, GlobalNormClipping, NoClipping, ValueClipping

Numbers = Mapping[str, float]
Edit = Callable[[Experiment, Numbers], Experiment | None]

_LINEAR_LIKE = (
    "relu",
    "leaky_relu",
    "prelu",
    "rrelu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
)
_GATED = ("sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softsign", "step", "softplus", "relu6")


def fitting_initializer(activation: Activation) -> Initializer:
    """Return the rule for weights that keeps the size of the gradient through an activation.

    Parameters
    ----------
    activation : Activation
        Of the layer.

    Returns
    -------
    Initializer
        He for ReLU and its like, with the slope of a leaky one; LeCun for SELU; four times Glorot's gain for the
        sigmoid (Glorot and Bengio 2010); Glorot else.
    """
    kind = kind_of(activation)
    if kind == "selu":
        return LecunNormal()
    if kind in _LINEAR_LIKE or kind == "relu6":
        return HeNormal(slope=_negative_slope(activation))
    if kind in ("sigmoid", "hard_sigmoid"):
        return VarianceScaling(scale=16.0, mode="fan_avg", distribution="normal")
    return GlorotUniform()


def _negative_slope(activation: Activation) -> float:
    if isinstance(activation, LeakyRelu):
        return activation.slope
    if isinstance(activation, Prelu):
        return max(0.0, activation.initial)
    return 0.5 * (activation.lower + activation.upper) if isinstance(activation, Rrelu) else 0.0


def relu(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with ReLU and He weights where an activation has an upper bound, or a slope below 1."""

    def _change(layer: Layer) -> Layer:
        if isinstance(layer, Dense) and kind_of(layer.activation) in _GATED:
            return replace(layer, activation=Relu(), initializer=HeNormal())
        return layer

    return with_layers(experiment, _change)


def tanh(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with tanh in place of every sigmoid."""

    def _change(layer: Dense) -> Dense:
        if kind_of(layer.activation) in ("sigmoid", "hard_sigmoid", "step", "softplus"):
            return replace(layer, activation=Tanh(), initializer=GlorotUniform())
        return layer

    return with_dense(experiment, _change)


def leaky_relu(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with a leaky ReLU in place of every ReLU."""
    leaky = LeakyRelu(slope=0.1)

    def _change(layer: Dense) -> Dense:
        if kind_of(layer.activation) in ("relu", "relu6", "step"):
            return replace(layer, activation=leaky, initializer=fitting_initializer(leaky))
        return layer

    return with_dense(experiment, _change)


def fitting_weights(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with weights that fit their activations."""
    return with_dense(
        experiment, lambda layer: replace(layer, initializer=fitting_initializer(layer.activation))
    )


def zero_biases(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with biases that start at 0."""
    return with_dense(experiment, lambda layer: replace(layer, bias_initializer=Zeros()))


def normalization(method: Any) -> Edit:
    """Return an edit that puts a normalization between linear map and activation."""

    def _edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        return with_dense(
            experiment, lambda layer: replace(layer, normalization=Normalization(method=method))
        )

    return _edit


def layer_for_batch(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with layer normalization in place of batch normalization."""

    def _change(layer: Layer) -> Layer:
        if isinstance(layer, Normalization) and layer.method == "batch":
            return replace(layer, method="layer")
        if isinstance(layer, Dense) and layer.normalization and layer.normalization.method == "batch":
            return replace(layer, normalization=replace(layer.normalization, method="layer"))
        return layer

    return with_layers(experiment, _change)


def skips(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with a skip round every dense layer that keeps the width."""
    edited, count = with_blocks(
        experiment, lambda layer, among: Residual(layers=(layer,), scale=_round(among**-0.5))
    )
    return edited if count else None


def fewer_layers(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with half the hidden layers."""
    return halved(experiment)


def rate(factor: float) -> Edit:
    """Return an edit that multiplies the learning rate."""

    def _edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        optimizer = experiment.training.optimizer
        rate = min(1e6, _round(optimizer.learning_rate * factor))
        return with_training(experiment, optimizer=replace(optimizer, learning_rate=rate))

    return _edit


def adam(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with Adam at its usual learning rate."""
    if kind_of(experiment.training.optimizer) in ("adam", "adamw"):
        return None
    return with_training(experiment, optimizer=Adam())


def clip(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with the gradient's norm clipped to 1."""
    if not isinstance(experiment.training.clipping, NoClipping):
        return None
    return with_training(experiment, clipping=GlobalNormClipping(threshold=1.0))


def no_clipping(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it without clipping."""
    return with_training(experiment, clipping=NoClipping())


def raised_threshold(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with twice the threshold at which clipping would no longer act in half of the iterations."""
    return _threshold(experiment, 2.0 / max(numbers.get("median of the norm after / before", 0.1), 1e-6))


def lowered_threshold(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with a threshold of 1, or the median gradient norm where that is less."""
    clipping = experiment.training.clipping
    median = numbers.get("median gradient norm", math.nan)
    if isinstance(clipping, NoClipping | ValueClipping) or not median > 0:
        return None
    return _threshold(experiment, min(1.0, median) / clipping.threshold)


def _threshold(experiment: Experiment, factor: float) -> Experiment | None:
    clipping = experiment.training.clipping
    if isinstance(clipping, NoClipping):
        return None
    value = _round(clipping.threshold * factor)
    return with_training(experiment, clipping=replace(clipping, threshold=value))


def dynamic_loss_scale(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return a narrow one with a loss scale that follows the gradient."""
    if not _is_narrow(experiment) or isinstance(experiment.training.loss_scale, DynamicLossScale):
        return None
    return with_training(experiment, loss_scale=DynamicLossScale())


def loss_scale(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return a narrow one with a loss scale of 1024."""
    if not _is_narrow(experiment) or not isinstance(experiment.training.loss_scale, NoLossScale):
        return None
    return with_training(experiment, loss_scale=FixedLossScale(scale=1024.0))


def precision(name: Precision) -> Edit:
    """Return an edit of a narrow experiment that gives its numbers more range."""

    def _edit(experiment: Experiment, numbers: Numbers) -> Experiment | None:
        return replace(experiment, precision=name) if _is_narrow(experiment) else None

    return _edit


def _is_narrow(experiment: Experiment) -> bool:
    return experiment.precision in ("float16", "bfloat16")


def no_schedule(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with a constant learning rate."""
    return with_training(experiment, schedule=ConstantSchedule())


def no_weight_decay(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it without weight decay."""
    optimizer = experiment.training.optimizer
    return with_training(experiment, optimizer=replace(optimizer, weight_decay=0.0))


def standard_scaling(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with inputs of mean 0 and standard deviation 1."""
    return replace(experiment, data=replace(experiment.data, scaling="standard"))


def larger_batch(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """Return it with batches of 32."""
    if experiment.training.batch_size >= 32:
        return None
    return with_training(experiment, batch_size=32)


def cell(cell: Any) -> Edit:
    """Return an edit that puts a gated cell in place of every simple one."""

    def _edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        def _change(layer: Recurrent) -> Recurrent:
            return replace(layer, cell=cell, forget_bias=3.0) if layer.cell == "simple" else layer

        return with_recurrent(experiment, _change)

    return _edit


def orthogonal(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with orthogonal recurrent weights."""
    return with_recurrent(experiment, lambda layer: replace(layer, recurrent_initializer=Orthogonal()))


def remembering(experiment: Experiment, numbers: Numbers) -> Experiment:
    """Return it with LSTM cells that begin by keeping their state."""
    return with_recurrent(
        experiment, lambda layer: replace(layer, forget_bias=3.0) if layer.cell == "lstm" else layer
    )


def _round(value: float) -> float:
    """Three digits: what a person would type."""
    return float(f"{value:.3g}")
