"""Floating-point operations of one iteration, counted layer by layer from the shapes of its record.

The convention, which every number of :mod:`gradsim.analysis.cost` rests on:

- a product of matrices (m × k) @ (k × n) takes 2 m n k operations, a multiplication and an addition per term
  (as ``torch.utils.flop_counter`` counts, and the 2 N per sample of Kaplan et al. 2020);
- every other addition, multiplication, division, comparison, root, exp, log, tanh or erf is 1, in the form in
  which the formula stands in ``numerics``; the tables below give them per value;
- statistics, random numbers and copies are not counted: they are what GradSim does besides;
- the gradient of the network's own inputs is not counted either: training does not need it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Normalization,
    Recurrent,
    Residual,
    kind_of,
    placed_layers,
    unrolled_layers,
)
from gradsim.trace import PARAMETER_TENSORS, IterationTrace, LayerTrace

CONVENTION = (
    "A product of m × k and k × n matrices counts 2mnk (a multiply-add is 2); every other arithmetic operation "
    "and every exp, tanh, root or comparison counts 1; statistics, random numbers and copies are not counted."
)

ACTIVATION_OPERATIONS: dict[str, tuple[int, int]] = {
    "linear": (0, 0),
    "step": (1, 0),
    "sigmoid": (4, 2),
    "hard_sigmoid": (4, 2),
    "tanh": (1, 2),
    "hard_tanh": (2, 2),
    "softsign": (3, 2),
    "softplus": (3, 2),
    "relu": (1, 1),
    "leaky_relu": (2, 1),
    "prelu": (2, 1),
    "rrelu": (2, 1),
    "elu": (4, 2),
    "selu": (5, 2),
    "celu": (5, 2),
    "gelu": (5, 7),
    "gelu_tanh": (9, 10),
    "silu": (5, 4),
    "mish": (5, 6),
    "relu6": (2, 2),
    "softmax": (5, 3),
}
"""Kind → operations per value of φ(z), and of φ'(z) given φ(z); for softmax those of its whole Jacobian times the
gradient, less the product that every other activation needs besides."""

OPTIMIZER_OPERATIONS: dict[str, int] = {
    "sgd": 2,
    "momentum": 4,
    "nesterov": 6,
    "rmsprop": 9,
    "adagrad": 7,
    "adam": 13,
    "adamw": 13,
}
"""Kind → operations per parameter, with the addition of Δw; weight decay takes 2 more."""

CLIPPING_OPERATIONS: dict[str, int] = {"none": 0, "value": 2, "norm": 4, "global_norm": 4, "adaptive": 6}
"""Kind → operations per parameter where it acts: squares and their sum, then g / ‖g‖ · c."""

LOSS_OPERATIONS: dict[str, tuple[int, int]] = {
    "mse": (3, 2),
    "half_mse": (3, 2),
    "sse": (3, 2),
    "cross_entropy": (3, 2),
    "binary_cross_entropy": (5, 2),
}
"""Loss → operations per output of its value, and of its gradient."""

NORMALIZATION_OPERATIONS: dict[str, tuple[int, int]] = {"batch": (6, 7), "layer": (6, 7), "rms": (3, 5)}
"""Method → operations per value without gamma and beta: mean (1), squared deviations (3), x̂ (2); backwards the
means of g and of x̂ g (3), the rest (4). Root mean squares leave out the mean."""

GATES: dict[str, int] = {"simple": 1, "lstm": 4, "gru": 3}
_CELL_OPERATIONS: dict[str, tuple[int, int]] = {"lstm": (22, 23), "gru": (16, 17)}
"""Per unit and time step, without products and biases: gates and states; backwards slopes, δ and what is carried."""


@dataclass(frozen=True, slots=True)
class LayerOperations:
    """Floating-point operations of one layer in one iteration.

    Attributes
    ----------
    name : str
        Of the layer.
    number : int or None
        1…L for layers that carry weights.
    forward, backward, update : int
        Operations of its forward pass, its backward pass, and of clipping and updating its parameters.
    products : int
        How many of those are in products of matrices.
    """

    name: str
    number: int | None
    forward: int
    backward: int
    update: int
    products: int

    @property
    def total(self) -> int:
        """Forward, backward and update."""
        return self.forward + self.backward + self.update


@dataclass(frozen=True, slots=True)
class Operations:
    """Floating-point operations of one iteration of backpropagation.

    Attributes
    ----------
    layers : tuple of LayerOperations
        In forward order, the head last.
    loss_forward, loss_backward : int
        Of the loss and of its gradient.
    """

    layers: tuple[LayerOperations, ...]
    loss_forward: int
    loss_backward: int

    @property
    def forward(self) -> int:
        """Of the forward pass and the loss."""
        return sum(layer.forward for layer in self.layers) + self.loss_forward

    @property
    def backward(self) -> int:
        """Of the backward pass, from the gradient of the loss on."""
        return sum(layer.backward for layer in self.layers) + self.loss_backward

    @property
    def update(self) -> int:
        """Of clipping and updating all parameters."""
        return sum(layer.update for layer in self.layers)

    @property
    def products(self) -> int:
        """How many of all are in products of matrices."""
        return sum(layer.products for layer in self.layers)

    @property
    def total(self) -> int:
        """Of one iteration."""
        return self.forward + self.backward + self.update

    @property
    def forward_passes(self) -> float:
        """How many forward passes cost as much as one iteration; about 3."""
        return self.total / self.forward if self.forward else math.nan


def operations(trace: IterationTrace) -> Operations:
    """Return the floating-point operations of one iteration of backpropagation.

    Parameters
    ----------
    trace : IterationTrace
        A record, for the shapes; the numbers in it do not matter.

    Returns
    -------
    Operations
        By the convention of this module, exact for the products of matrices.

    Notes
    -----
    One sample and one weight of a dense layer cost 2 operations forward and 4 backward, so an iteration is
    about three forward passes (Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1).
    """
    placed = unrolled_layers(trace.experiment.network)
    begins_with_block = isinstance(placed_layers(trace.experiment.network)[0].layer, Residual)
    per_parameter = _per_parameter(trace)
    counted = []
    for layer, place in zip(trace.layers, placed, strict=True):
        hands_down = layer.index > 0 or begins_with_block
        forward, backward, products = _passes(layer, place.layer, hands_down)
        update = per_parameter * _trained(layer, place.layer)
        counted.append(LayerOperations(layer.name, layer.number, forward, backward, update, products))
    outputs = trace.targets.size
    per_output = LOSS_OPERATIONS[trace.experiment.training.loss]
    return Operations(tuple(counted), per_output[0] * outputs, per_output[1] * outputs)


def _per_parameter(trace: IterationTrace) -> int:
    training = trace.experiment.training
    decay = 2 if training.optimizer.weight_decay else 0
    clipping = CLIPPING_OPERATIONS[kind_of(training.clipping)]
    return OPTIMIZER_OPERATIONS[kind_of(training.optimizer)] + decay + clipping


def parameter_names(layer: LayerTrace) -> tuple[str, ...]:
    """Return the tensors of a layer that are its parameters, each once.

    Parameters
    ----------
    layer : LayerTrace
        Any.

    Returns
    -------
    tuple of str
        Such as ``weight`` and ``bias``; names of tensors in the record, see ``trace.PARAMETER_TENSORS``.
    """
    names = [name.removesuffix("_update") for name in layer.tensors if name.endswith("_update")]
    # In layers without a weight of that name it stands for the parameter that is measured, gamma for example.
    stand_in = any(layer.tensors.get("weight") is layer[name] for name in names if name != "weight")
    return tuple(name for name in names if not (name == "weight" and stand_in))


def stored_name(layer: str, tensor: str) -> str:
    """Return the name under which a simulator keeps a parameter.

    Parameters
    ----------
    layer : str
        Name of the layer.
    tensor : str
        Name of the tensor in its record.

    Returns
    -------
    str
        Such as ``dense_1.weight``.
    """
    return f"{layer}.{PARAMETER_TENSORS.get(tensor, tensor)}"


def _trained(layer: LayerTrace, spec: Any) -> int:
    """How many parameters of a layer are updated."""
    if not getattr(spec, "trainable", True):
        return 0
    return sum(int(layer[name].size) for name in parameter_names(layer))


def _rows(layer: LayerTrace) -> int:
    return int(math.prod(layer["pre_activation"].shape[:-1]))


def _passes(layer: LayerTrace, spec: Any, hands_down: bool) -> tuple[int, int, int]:
    """Return operations forward, backward, and how many of both are in products."""
    match spec:
        case Dense() | Head():
            return _dense(layer, spec, hands_down)
        case Recurrent():
            return _recurrent(layer, spec, hands_down)
        case Normalization():
            forward, backward = _normalization(layer, spec, layer.fan_out)
            return forward, backward, 0
        case ActivationLayer():
            forward, backward = _activation(layer, spec.activation)
            return forward, backward, 0
        case Dropout():
            size = _rows(layer) * layer.fan_out
            return size, size, 0
        case Residual():
            return _residual(layer, spec)
    raise TypeError(f"no rule to count a layer of kind {layer.kind!r}")


def _dense(layer: LayerTrace, spec: Any, hands_down: bool) -> tuple[int, int, int]:
    rows, size = _rows(layer), _rows(layer) * layer.fan_out
    product = 2 * rows * layer.fan_in * layer.fan_out
    bias = size if spec.bias else 0
    forward, backward = _activation(layer, spec.activation)
    if spec.normalization is not None:
        more = _normalization(layer, spec.normalization, layer.fan_out)
        forward, backward = forward + more[0], backward + more[1]
    back = product * (2 if hands_down else 1)
    return forward + product + bias, backward + back + bias, product + back


def _activation(layer: LayerTrace, spec: Any) -> tuple[int, int]:
    """Φ forward; φ' and its product with the gradient backward."""
    kind, size = kind_of(spec), _rows(layer) * layer.fan_out
    value, slope = ACTIVATION_OPERATIONS[kind]
    trained = 3 * size if kind == "prelu" else 0  # min(z, 0) · gradient, summed
    product = 0 if kind == "linear" else size
    return value * size, slope * size + product + trained


def _normalization(layer: LayerTrace, spec: Normalization, units: int) -> tuple[int, int]:
    size = _rows(layer) * units
    forward, backward = NORMALIZATION_OPERATIONS[spec.method]
    if spec.affine:
        # y = γ x̂ + β; g γ, Σ x̂ g, Σ g; without centring there is no beta.
        forward, backward = forward + (1 if spec.method == "rms" else 2), backward + 3
        backward += 0 if spec.method == "rms" else 1
    return forward * size, backward * size


def _residual(layer: LayerTrace, spec: Residual) -> tuple[int, int, int]:
    rows = int(math.prod(layer["activation"].shape[:-1]))
    inside, outside = rows * layer.fan_in, rows * layer.fan_out
    forward, backward, products = 2 * outside, outside + inside, 0
    if spec.train_scale:
        backward += 2 * outside
    if "projection" in layer.tensors:
        product = 2 * rows * layer.fan_in * layer.fan_out
        products = 3 * product
        forward, backward = forward + product, backward + 2 * product
    return forward, backward, products


def _recurrent(layer: LayerTrace, spec: Recurrent, hands_down: bool) -> tuple[int, int, int]:
    batch, steps, _ = layer["hidden"].shape
    rows, units, width = batch * steps, layer.fan_out, GATES[spec.cell] * layer.fan_out
    from_input, from_state = 2 * rows * layer.fan_in * width, 2 * rows * units * width
    connected = sum(spec.truncation == 0 or t % spec.truncation > 0 for t in range(1, steps))
    carried = 2 * batch * units * width * connected
    back = from_input * (2 if hands_down else 1) + from_state + carried
    if spec.cell == "simple":
        value, slope = ACTIVATION_OPERATIONS[spec.activation]
        per_unit = 1 + value, slope + 2
    else:
        per_unit = _CELL_OPERATIONS[spec.cell]
    biases = (2 if spec.cell == "gru" and spec.reset_after else 1) * rows * width if spec.bias else 0
    forward = from_input + from_state + per_unit[0] * rows * units + biases
    backward = back + per_unit[1] * rows * units + biases
    return forward, backward, from_input + from_state + back
