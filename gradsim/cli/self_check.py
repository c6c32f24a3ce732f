"""Are the gradients of this installation right? The compiled machine on a small network, against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gradsim.spec import Experiment
    from gradsim.spec.experiment import Precision

LARGEST_OWN_ERROR = {"float32": 1e-4, "float64": 1e-12}
"""How far a gradient may be from that in float64, relative; measured 1e-6 and 0."""


class SelfCheck(NamedTuple):
    """What the check of one precision has found."""

    passed: bool
    words: str


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


def self_check(precision: Precision, make: Callable[[Experiment], Any]) -> SelfCheck:
    """Check the gradients of the machine of one precision.

    Parameters
    ----------
    precision : {"float32", "float64"}
        Which machine.
    make : callable
        Makes a simulator of an experiment.

    Returns
    -------
    SelfCheck
        Passed where backpropagation in float64 agrees with differences of the loss, and the machine's own
        gradients with those.
    """
    from gradsim.analysis import check_gradients

    check = check_gradients(make(tiny_experiment(precision)), make=make)
    worst = max(check.tensors, key=lambda tensor: tensor.error)
    own = max(check.tensors, key=lambda tensor: tensor.own_error)
    # A NaN must fail, so the comparison is not turned round.
    passed = check.conclusion == "passed" and bool(own.own_error <= LARGEST_OWN_ERROR[precision])
    words = f"off by {worst.error:.1e} at most, in {worst.name}"
    return SelfCheck(passed, f"{words}; {precision} itself by {own.own_error:.1e} in {own.name}")
