"""The activations: one compiled function for all of them, and the table of what is known about each.

A new one is a function in ``scalar_activations``, a pass in ``activation_passes``, a branch of ``activate``
and a row of ``ACTIVATIONS``. Those that need more than one number at a time are in
``parametric_activations``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradsim.engine.activation_passes import (
    celu_pass,
    elu_pass,
    gelu_pass,
    gelu_tanh_pass,
    hard_sigmoid_pass,
    hard_tanh_pass,
    leaky_relu_pass,
    linear_pass,
    mish_pass,
    relu6_pass,
    relu_pass,
    selu_pass,
    sigmoid_pass,
    silu_pass,
    softplus_pass,
    softsign_pass,
    step_pass,
    tanh_pass,
)
from gradsim.engine.compilation import kernel
from gradsim.engine.parametric_activations import (
    prelu_pass,
    prelu_slope_gradient,
    rrelu_pass,
    softmax_backward,
    softmax_pass,
)
from gradsim.engine.scalar_activations import SELU_ALPHA, SELU_LAMBDA
from gradsim.spec import Activation, kind_of

__all__ = [
    "ACTIVATIONS",
    "ActivationRow",
    "activate",
    "activation_code",
    "activation_constants",
    "maximal_slope",
    "prelu_pass",
    "prelu_slope_gradient",
    "rrelu_pass",
    "softmax_backward",
    "softmax_pass",
]

LINEAR = 0
STEP = 1
SIGMOID = 2
HARD_SIGMOID = 3
TANH = 4
HARD_TANH = 5
SOFTSIGN = 6
SOFTPLUS = 7
RELU = 8
LEAKY_RELU = 9
PRELU = 10
RRELU = 11
ELU = 12
SELU = 13
CELU = 14
GELU = 15
GELU_TANH = 16
SILU = 17
MISH = 18
RELU6 = 19
SOFTMAX = 20


@kernel
def activate(opcode: int, z: Any, a: Any, slope: Any, p0: float, p1: float) -> None:
    """Write value and slope of the activation with this opcode.

    Parameters
    ----------
    opcode : int
        One of the constants of this module; ``PRELU`` and ``SOFTMAX`` have passes of their own and do nothing
        here.
    z : ndarray, shape (n,)
        Pre-activation.
    a, slope : ndarray, shape (n,)
        Overwritten.
    p0, p1 : float
        Constants of the activation as ``activation_constants`` gives them; ``RRELU`` is evaluated with its
        mean slope.
    """
    if opcode == LINEAR:
        linear_pass(z, a, slope)
    elif opcode == RELU:
        relu_pass(z, a, slope, p0)
    elif opcode == TANH:
        tanh_pass(z, a, slope)
    elif opcode == SIGMOID:
        sigmoid_pass(z, a, slope)
    elif opcode == LEAKY_RELU:
        leaky_relu_pass(z, a, slope, p0)
    elif opcode == RRELU:
        leaky_relu_pass(z, a, slope, 0.5 * (p0 + p1))
    elif opcode == GELU:
        gelu_pass(z, a, slope)
    elif opcode == GELU_TANH:
        gelu_tanh_pass(z, a, slope)
    elif opcode == SILU:
        silu_pass(z, a, slope)
    elif opcode == MISH:
        mish_pass(z, a, slope)
    elif opcode == ELU:
        elu_pass(z, a, slope, p0)
    elif opcode == SELU:
        selu_pass(z, a, slope)
    elif opcode == CELU:
        celu_pass(z, a, slope, p0)
    elif opcode == SOFTPLUS:
        softplus_pass(z, a, slope)
    elif opcode == SOFTSIGN:
        softsign_pass(z, a, slope)
    elif opcode == HARD_SIGMOID:
        hard_sigmoid_pass(z, a, slope)
    elif opcode == HARD_TANH:
        hard_tanh_pass(z, a, slope)
    elif opcode == RELU6:
        relu6_pass(z, a, slope)
    elif opcode == STEP:
        step_pass(z, a, slope)


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """What is known about one activation.

    Attributes
    ----------
    name : str
        Its ``kind`` in an experiment.
    opcode : int
        Its number on the tape.
    constants : tuple of str
        The fields of its spec that become p0 and p1.
    maximal_slope : callable
        Largest φ'(z) over all z, from p0 and p1; 0 for ``step``, whose saturation is not defined.
    elementwise : bool
        Whether ``activate`` computes it.
    """

    name: str
    opcode: int
    constants: tuple[str, ...]
    maximal_slope: Callable[[float, float], float]
    elementwise: bool = True


def _always(value: float) -> Callable[[float, float], float]:
    return lambda _p0, _p1: value


def _one_or_first(p0: float, _p1: float) -> float:
    return max(1.0, p0)


def _one_or_second(_p0: float, p1: float) -> float:
    return max(1.0, p1)


ACTIVATIONS: tuple[ActivationRow, ...] = (
    ActivationRow("linear", LINEAR, (), _always(1.0)),
    ActivationRow("step", STEP, (), _always(0.0)),
    ActivationRow("sigmoid", SIGMOID, (), _always(0.25)),
    ActivationRow("hard_sigmoid", HARD_SIGMOID, (), _always(1.0 / 6.0)),
    ActivationRow("tanh", TANH, (), _always(1.0)),
    ActivationRow("hard_tanh", HARD_TANH, (), _always(1.0)),
    ActivationRow("softsign", SOFTSIGN, (), _always(1.0)),
    ActivationRow("softplus", SOFTPLUS, (), _always(1.0)),
    ActivationRow("relu", RELU, ("slope_at_zero",), _always(1.0)),
    ActivationRow("leaky_relu", LEAKY_RELU, ("slope",), _one_or_first),
    # trained slopes beyond 1 are the machine's to see; here the initial one
    ActivationRow("prelu", PRELU, ("initial",), _one_or_first, elementwise=False),
    ActivationRow("rrelu", RRELU, ("lower", "upper"), _one_or_second),
    ActivationRow("elu", ELU, ("alpha",), _one_or_first),
    ActivationRow("selu", SELU, (), _always(SELU_LAMBDA * SELU_ALPHA)),  # at 0 from below
    ActivationRow("celu", CELU, ("alpha",), _always(1.0)),
    ActivationRow("gelu", GELU, (), _always(1.1289041451851547)),  # at √2
    ActivationRow("gelu_tanh", GELU_TANH, (), _always(1.1289930686587717)),  # at 1.41850400878
    ActivationRow("silu", SILU, (), _always(1.099839320128867)),  # at 2.39935728052
    ActivationRow("mish", MISH, (), _always(1.088498161251728)),  # at 1.49057117949
    ActivationRow("relu6", RELU6, (), _always(1.0)),
    ActivationRow("softmax", SOFTMAX, (), _always(0.25), elementwise=False),  # diagonal of the Jacobian
)

_ROW_OF = {row.name: row for row in ACTIVATIONS}


def activation_code(name: str) -> int:
    """Return the opcode of an activation.

    Parameters
    ----------
    name : str
        Its ``kind``.

    Returns
    -------
    int
        One of the constants of this module.
    """
    return _ROW_OF[name].opcode


def activation_constants(activation: Activation) -> tuple[float, float]:
    """Return the constants with which ``activate`` computes an activation.

    Parameters
    ----------
    activation : Activation
        As the experiment asks for it.

    Returns
    -------
    p0, p1 : float
        0 where there is none.
    """
    values = [float(getattr(activation, field)) for field in _ROW_OF[kind_of(activation)].constants]
    p0, p1, *_ = [*values, 0.0, 0.0]
    return p0, p1


def maximal_slope(activation: Activation) -> float:
    """Return the largest slope of an activation: saturation is 1 − mean slope / this.

    Parameters
    ----------
    activation : Activation
        As the experiment asks for it.

    Returns
    -------
    float
        0 for ``step``.
    """
    return _ROW_OF[kind_of(activation)].maximal_slope(*activation_constants(activation))
