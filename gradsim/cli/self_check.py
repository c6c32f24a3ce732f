"""Are the gradients of this installation right? The compiled machine against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from gradsim.engine import Simulator
    from gradsim.spec import Experiment
    from gradsim.trace import IterationTrace

Precision = Literal["float32", "float64"]

_TOLERANCE: dict[Precision, float] = {"float32": 2e-2, "float64": 1e-6}
_STEP: dict[Precision, float] = {"float32": 2e-2, "float64": 1e-5}


class GradientCheck(NamedTuple):
    """One derivative of the loss, found in two ways."""

    backpropagated: float
    """Along a random direction of all parameters, from the recorded gradients."""
    differenced: float
    """The same by central differences of the loss."""
    error: float
    """Their distance, relative to the larger."""
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
        Along one direction that moves every parameter.
    """
    precision: Precision = simulator.experiment.precision
    parameters = simulator.parameters()
    gradients = _gradients(simulator.record())
    random = np.random.default_rng(0)
    direction = {name: random.standard_normal(array.shape) for name, array in parameters.items()}
    length = np.sqrt(sum(float(np.sum(d**2)) for d in direction.values()))
    direction = {name: d / length for name, d in direction.items()}
    step = _STEP[precision]
    losses = []
    for sign in (1.0, -1.0):
        moved = {
            name: (array + sign * step * direction[name]).astype(array.dtype)
            for name, array in parameters.items()
        }
        simulator.load_parameters(moved)
        losses.append(simulator.evaluate("training").loss)
    simulator.load_parameters(parameters)
    differenced = (losses[0] - losses[1]) / (2 * step)
    backpropagated = sum(float(np.sum(gradients[name] * direction[name])) for name in parameters)
    error = abs(backpropagated - differenced) / max(abs(backpropagated), abs(differenced), 1e-300)
    # A NaN must fail, so the comparison is not turned round.
    return GradientCheck(backpropagated, differenced, error, bool(error <= _TOLERANCE[precision]))


def _gradients(trace: IterationTrace) -> dict[str, Any]:
    from gradsim.trace import PARAMETER_TENSORS

    return {
        f"{layer.name}.{short}": layer.tensors[f"{tensor}_gradient"].astype(np.float64)
        for layer in trace.layers
        for tensor, short in PARAMETER_TENSORS.items()
        if tensor in layer.tensors
    }
