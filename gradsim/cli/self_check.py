"""Are the gradients of this installation right? The compiled machine against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gradsim.engine import Simulator
    from gradsim.spec import Experiment
    from gradsim.trace import IterationTrace

Precision = Literal["float32", "float64"]

_TOLERANCE: dict[Precision, float] = {"float32": 2e-2, "float64": 1e-6}
_STEP: dict[Precision, float] = {"float32": 2e-2, "float64": 1e-5}


class GradientCheck(NamedTuple):
    """The derivatives of the loss, found in two ways, where they differ most."""

    parameter: str
    """Whose gradient that is, such as ``dense_1.weight``."""
    backpropagated: float
    """Derivative along a direction of this parameter, from the recorded gradient."""
    differenced: float
    """The same by central differences of the loss."""
    error: float
    """Their distance, relative to the larger of them."""
    passed: bool


def tiny_experiment(precision: Precision) -> Experiment:
    """Return a small experiment with three kinds of curvature, whose batch is the whole training part.

    Parameters
    ----------
    precision : {"float32", "float64"}
        Of the machine to be checked.

    Returns
    -------
    Experiment
        Whose loss is smooth everywhere.
    """
    from gradsim.spec import read_experiment

    return read_experiment(
        {
            "gradsim": 1,
            "name": "Self-check",
            "seed": 1,
            "precision": precision,
            "data": {"kind": "gaussians", "samples": 24, "validation": 0.0},
            "network": {
                "layers": [
                    {"kind": "dense", "units": 6, "activation": kind} for kind in ("tanh", "gelu", "softplus")
                ]
            },
            "training": {"batch_size": 24, "shuffle": False},
        }
    )


def gradient_check(simulator: Simulator) -> GradientCheck:
    """Compare the recorded gradients of a simulator with differences of its loss.

    Parameters
    ----------
    simulator : Simulator
        Of ``tiny_experiment``; its parameters are the same afterwards.

    Returns
    -------
    GradientCheck
        Of the parameter with the largest error.
    """
    precision: Precision = simulator.experiment.precision
    parameters, gradients = simulator.parameters(), _gradients(simulator.record())
    random = np.random.default_rng(0)
    checks = []
    for name, array in parameters.items():
        # Half along the gradient, so that its size counts; half anywhere, so that its direction does.
        direction = _unit(_unit(gradients[name]) + _unit(random.standard_normal(array.shape)))
        step = _STEP[precision] * direction
        losses = []
        for moved in (array + step, array - step):
            simulator.load_parameters({name: moved.astype(array.dtype)})
            losses.append(simulator.evaluate("training").loss)
        simulator.load_parameters({name: array})
        differenced = (losses[0] - losses[1]) / (2 * _STEP[precision])
        backpropagated = float(np.sum(gradients[name] * direction))
        error = abs(backpropagated - differenced) / max(abs(backpropagated), abs(differenced), 1e-300)
        # A NaN must fail, so the comparison is not turned round.
        passed = bool(error <= _TOLERANCE[precision])
        checks.append(GradientCheck(name, backpropagated, differenced, error, passed))
    return max(checks, key=lambda check: (not check.passed, check.error))


def _unit(array: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(array)
    return array / length if length else array


def _gradients(trace: IterationTrace) -> dict[str, Any]:
    from gradsim.trace import PARAMETER_TENSORS

    return {
        f"{layer.name}.{short}": layer.tensors[f"{tensor}_gradient"].astype(np.float64)
        for layer in trace.layers
        for tensor, short in PARAMETER_TENSORS.items()
        if tensor in layer.tensors
    }
