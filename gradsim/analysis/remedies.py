"""The remedies: pure edits of an experiment, one function and one row of ``REMEDIES`` each.

An edit returns None where it does not apply or would change nothing. It may be told numbers that a finding has
measured, such as the size of the gradient, and does without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from gradsim.analysis.remedy import Remedy
from gradsim.spec import (
    Activation,
    Dense,
    Experiment,
    Initializer,
    Layer,
    Normalization,
    Recurrent,
    Residual,
    SpecError,
    checked,
    kind_of,
)
from gradsim.spec.activation import LeakyRelu, Prelu, Relu, Rrelu, Tanh
from gradsim.spec.initializer import GlorotUniform, HeNormal, LecunNormal, Orthogonal, VarianceScaling, Zeros
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


@dataclass(frozen=True, slots=True)
class RemedyRule:
    """A row of ``REMEDIES``: an edit with what it is called and why it should help."""

    title: str
    description: str
    edit: Edit


def remedy_for(name: str, experiment: Experiment, numbers: Numbers | None = None) -> Remedy | None:
    """Return a remedy for an experiment.

    Parameters
    ----------
    name : str
        Key of ``REMEDIES``.
    experiment : Experiment
        What is to be cured; it is not changed.
    numbers : mapping from str to float, optional
        What was measured, for edits whose size depends on it.

    Returns
    -------
    Remedy or None
        None where the edit does not apply, would change nothing, or would make an experiment that cannot be run.
    """
    row = REMEDIES[name]
    try:
        edited = row.edit(experiment, numbers or {})
        edited = None if edited is None else checked(edited)
    except SpecError:
        return None
    if edited is None or edited == experiment:
        return None
    return Remedy(name, row.title, row.description, edited)


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


def _relu(experiment: Experiment, numbers: Numbers) -> Experiment:
    def change(layer: Layer) -> Layer:
        if isinstance(layer, Dense) and kind_of(layer.activation) in _GATED:
            return replace(layer, activation=Relu(), initializer=HeNormal())
        return layer

    return with_layers(experiment, change)


def _tanh(experiment: Experiment, numbers: Numbers) -> Experiment:
    def change(layer: Dense) -> Dense:
        if kind_of(layer.activation) in ("sigmoid", "hard_sigmoid", "step", "softplus"):
            return replace(layer, activation=Tanh(), initializer=GlorotUniform())
        return layer

    return with_dense(experiment, change)


def _leaky_relu(experiment: Experiment, numbers: Numbers) -> Experiment:
    leaky = LeakyRelu(slope=0.1)

    def change(layer: Dense) -> Dense:
        if kind_of(layer.activation) in ("relu", "relu6", "step"):
            return replace(layer, activation=leaky, initializer=fitting_initializer(leaky))
        return layer

    return with_dense(experiment, change)


def _fitting_weights(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_dense(
        experiment, lambda layer: replace(layer, initializer=fitting_initializer(layer.activation))
    )


def _zero_biases(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_dense(experiment, lambda layer: replace(layer, bias_initializer=Zeros()))


def _normalization(method: Any) -> Edit:
    def edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        return with_dense(
            experiment, lambda layer: replace(layer, normalization=Normalization(method=method))
        )

    return edit


def _layer_for_batch(experiment: Experiment, numbers: Numbers) -> Experiment:
    def change(layer: Layer) -> Layer:
        if isinstance(layer, Normalization) and layer.method == "batch":
            return replace(layer, method="layer")
        if isinstance(layer, Dense) and layer.normalization and layer.normalization.method == "batch":
            return replace(layer, normalization=replace(layer.normalization, method="layer"))
        return layer

    return with_layers(experiment, change)


def _skips(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    edited, count = with_blocks(
        experiment, lambda layer, among: Residual(layers=(layer,), scale=_round(among**-0.5))
    )
    return edited if count else None


def _fewer_layers(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    return halved(experiment)


def _rate(factor: float) -> Edit:
    def edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        optimizer = experiment.training.optimizer
        rate = min(1e6, _round(optimizer.learning_rate * factor))
        return with_training(experiment, optimizer=replace(optimizer, learning_rate=rate))

    return edit


def _adam(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    if kind_of(experiment.training.optimizer) in ("adam", "adamw"):
        return None
    return with_training(experiment, optimizer=Adam())


def _clip(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    if not isinstance(experiment.training.clipping, NoClipping):
        return None
    return with_training(experiment, clipping=GlobalNormClipping(threshold=1.0))


def _no_clipping(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_training(experiment, clipping=NoClipping())


def _raised_threshold(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """To twice what clipping would have to let through so that it acts no more in most iterations."""
    return _threshold(experiment, 2.0 / max(numbers.get("median of the norm after / before", 0.1), 1e-6))


def _lowered_threshold(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    """To a norm of 1, or the median gradient norm where that is less."""
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


def _no_schedule(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_training(experiment, schedule=ConstantSchedule())


def _no_weight_decay(experiment: Experiment, numbers: Numbers) -> Experiment:
    optimizer = experiment.training.optimizer
    return with_training(experiment, optimizer=replace(optimizer, weight_decay=0.0))


def _standard_scaling(experiment: Experiment, numbers: Numbers) -> Experiment:
    return replace(experiment, data=replace(experiment.data, scaling="standard"))


def _larger_batch(experiment: Experiment, numbers: Numbers) -> Experiment | None:
    if experiment.training.batch_size >= 32:
        return None
    return with_training(experiment, batch_size=32)


def _cell(cell: Any) -> Edit:
    def edit(experiment: Experiment, numbers: Numbers) -> Experiment:
        def change(layer: Recurrent) -> Recurrent:
            return replace(layer, cell=cell, forget_bias=3.0) if layer.cell == "simple" else layer

        return with_recurrent(experiment, change)

    return edit


def _orthogonal(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_recurrent(experiment, lambda layer: replace(layer, recurrent_initializer=Orthogonal()))


def _remembering(experiment: Experiment, numbers: Numbers) -> Experiment:
    return with_recurrent(
        experiment, lambda layer: replace(layer, forget_bias=3.0) if layer.cell == "lstm" else layer
    )


def _round(value: float) -> float:
    """Three digits: what a person would type."""
    return float(f"{value:.3g}")


REMEDIES: Mapping[str, RemedyRule] = {
    "relu_he": RemedyRule(
        "ReLU with He weights",
        "Its slope is 1 wherever a unit is on, and weights of variance 2/fan_in make up for those that are off.",
        _relu,
    ),
    "tanh": RemedyRule(
        "tanh with Glorot weights", "Its slope reaches 1, not ¼, and it is centred on 0.", _tanh
    ),
    "leaky_relu": RemedyRule(
        "Leaky ReLU, slope 0.1",
        "A unit that is off still passes a tenth of its gradient and can come back.",
        _leaky_relu,
    ),
    "fitting_weights": RemedyRule(
        "Weights that fit the activation",
        "Random weights whose gain undoes what the activation takes from the gradient: He, LeCun or Glorot.",
        _fitting_weights,
    ),
    "zero_biases": RemedyRule(
        "Biases start at 0", "Units begin where their activation has a slope.", _zero_biases
    ),
    "batch_normalization": RemedyRule(
        "Batch normalization",
        "Sets the pre-activations of every unit to mean 0 and variance 1 over the batch, whatever the weights do.",
        _normalization("batch"),
    ),
    "layer_normalization": RemedyRule(
        "Layer normalization",
        "Sets the pre-activations of every sample to mean 0 and variance 1, whatever the weights do.",
        _normalization("layer"),
    ),
    "layer_for_batch": RemedyRule(
        "Layer normalization instead",
        "Takes mean and variance over the units of one sample, so that the batch may be small.",
        _layer_for_batch,
    ),
    "skips": RemedyRule(
        "Skip connections",
        "The gradient comes back past every layer unchanged; each branch adds 1/√blocks of its own.",
        _skips,
    ),
    "fewer_layers": RemedyRule(
        "Half the layers", "The gradient has half as many factors on its way.", _fewer_layers
    ),
    "lower_rate": RemedyRule("Learning rate ÷ 10", "Steps that do not overshoot.", _rate(0.1)),
    "higher_rate": RemedyRule("Learning rate × 10", "Steps that get somewhere.", _rate(10.0)),
    "much_higher_rate": RemedyRule("Learning rate × 1000", "Steps that get somewhere.", _rate(1000.0)),
    "adam": RemedyRule(
        "Adam",
        "Divides every gradient by its own running size, so that layers with small gradients move too.",
        _adam,
    ),
    "clip": RemedyRule(
        "Clip the gradient's norm to 1",
        "No step is longer than the learning rate; the direction stays.",
        _clip,
    ),
    "no_clipping": RemedyRule("No clipping", "Steps follow the size of the gradient again.", _no_clipping),
    "raised_threshold": RemedyRule(
        "Higher clipping threshold", "Clips only the gradients that stand out.", _raised_threshold
    ),
    "lowered_threshold": RemedyRule(
        "Lower clipping threshold", "Clips the gradients that stand out.", _lowered_threshold
    ),
    "no_schedule": RemedyRule(
        "Constant learning rate", "The schedule no longer takes the steps away.", _no_schedule
    ),
    "no_weight_decay": RemedyRule("No weight decay", "Nothing pulls the weights to 0.", _no_weight_decay),
    "standard_scaling": RemedyRule(
        "Scale the inputs", "Every column gets mean 0 and standard deviation 1.", _standard_scaling
    ),
    "larger_batch": RemedyRule(
        "Batches of 32", "The mean and variance of more samples are closer to those of all.", _larger_batch
    ),
    "lstm": RemedyRule(
        "LSTM cells", "The cell state is carried on by a sum, and a gate decides what is kept.", _cell("lstm")
    ),
    "gru": RemedyRule("GRU cells", "The state is carried on where its gate is open.", _cell("gru")),
    "orthogonal": RemedyRule(
        "Orthogonal recurrent weights",
        "Every step back keeps the length of the gradient, but for the slopes.",
        _orthogonal,
    ),
    "remembering": RemedyRule(
        "Forget bias 3", "The gate keeps 95 % of the cell state per step instead of 73 %.", _remembering
    ),
}
"""Id → what it does, in the order of this file; findings list those that help them in ``diagnosis.RULES``."""
