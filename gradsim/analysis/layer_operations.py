"""The rules by which the operations of one layer's passes are counted: a table or a function for every kind.

The convention is that of :mod:`gradsim.analysis.operations`.
"""

from __future__ import annotations

import math
from typing import Any

from gradsim.spec import ActivationLayer, Dense, Dropout, Head, Normalization, Recurrent, Residual, kind_of
from gradsim.trace import LayerTrace

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

NORMALIZATION_OPERATIONS: dict[str, tuple[int, int]] = {"batch": (6, 7), "layer": (6, 7), "rms": (3, 5)}
"""Method → operations per value without gamma and beta: mean (1), squared deviations (3), x̂ (2); backwards the
means of g and of x̂ g (3), the rest (4). Root mean squares leave out the mean."""

GATES: dict[str, int] = {"simple": 1, "lstm": 4, "gru": 3}

_CELL_OPERATIONS: dict[str, tuple[int, int]] = {"lstm": (22, 23), "gru": (16, 17)}
"""Per unit and time step, without products and biases: gates and states; backwards slopes, δ and what is carried."""


def products_forward(layer: LayerTrace, spec: Any) -> int:
    """Return the operations of a layer's products of matrices on the way forward.

    Parameters
    ----------
    layer : LayerTrace
        Its record, for the shapes.
    spec : Layer
        As the experiment has it.

    Returns
    -------
    int
        0 for a layer without weights.
    """
    if isinstance(spec, Recurrent):
        return _recurrent_products(layer, spec)[0]
    if "projection" in layer.tensors or isinstance(spec, Dense | Head):
        rows = math.prod(layer["activation"].shape[:-1])
        return 2 * int(rows) * layer.fan_in * layer.fan_out
    return 0


def rows_of(layer: LayerTrace) -> int:
    """Return the number of rows that a layer is given: samples, times time steps where it has them.

    Parameters
    ----------
    layer : LayerTrace
        Its record.

    Returns
    -------
    int
        Of its pre-activations.
    """
    return int(math.prod(layer["pre_activation"].shape[:-1]))


def passes(layer: LayerTrace, spec: Any, hands_down: bool) -> tuple[int, int, int]:
    """Return the operations of both passes through a layer.

    Parameters
    ----------
    layer : LayerTrace
        Its record, for the shapes.
    spec : Layer
        As the experiment has it.
    hands_down : bool
        Whether ∂L/∂input is needed.

    Returns
    -------
    forward, backward, products : int
        The last one: how many of both are in products of matrices.

    Raises
    ------
    TypeError
        For a kind that no rule is known for.
    """
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
            size = rows_of(layer) * layer.fan_out
            return size, size, 0
        case Residual():
            return _residual(layer, spec)
    raise TypeError(f"no rule to count a layer of kind {layer.kind!r}")


def _dense(layer: LayerTrace, spec: Any, hands_down: bool) -> tuple[int, int, int]:
    rows, size = rows_of(layer), rows_of(layer) * layer.fan_out
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
    kind, size = kind_of(spec), rows_of(layer) * layer.fan_out
    value, slope = ACTIVATION_OPERATIONS[kind]
    trained = 3 * size if kind == "prelu" else 0  # min(z, 0) · gradient, summed
    product = 0 if kind == "linear" else size
    return value * size, slope * size + product + trained


def _normalization(layer: LayerTrace, spec: Normalization, units: int) -> tuple[int, int]:
    size = rows_of(layer) * units
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
    batch, steps, units = layer["hidden"].shape
    rows, width = batch * steps, GATES[spec.cell] * units
    forward_products, from_input, from_state = _recurrent_products(layer, spec)
    connected = sum(spec.truncation == 0 or t % spec.truncation > 0 for t in range(1, steps))
    carried = 2 * batch * units * width * connected
    back = from_input * (2 if hands_down else 1) + from_state + carried
    if spec.cell == "simple":
        value, slope = ACTIVATION_OPERATIONS[spec.activation]
        per_unit = 1 + value, slope + 2
    else:
        per_unit = _CELL_OPERATIONS[spec.cell]
    biases = (2 if spec.cell == "gru" and spec.reset_after else 1) * rows * width if spec.bias else 0
    forward = forward_products + per_unit[0] * rows * units + biases
    backward = back + per_unit[1] * rows * units + biases
    return forward, backward, forward_products + back


def _recurrent_products(layer: LayerTrace, spec: Recurrent) -> tuple[int, int, int]:
    """Both products of all steps forward, that of the inputs, that of the states."""
    batch, steps, units = layer["hidden"].shape
    width = GATES[spec.cell] * units
    from_input = 2 * batch * steps * layer.fan_in * width
    from_state = 2 * batch * steps * units * width
    return from_input + from_state, from_input, from_state
