"""Proof: backpropagation against differences of the loss, for every parameter of a network.

The comparison runs in float64, on a twin with the same parameters, because differences of float32 losses are too
coarse to prove anything; what the network's own precision makes of the same gradients is told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.differences import Difference, difference
from gradsim.analysis.gradient_verdict import TOLERANCE, DirectionCheck, GradientCheck, TensorCheck, Verdict
from gradsim.analysis.parameters import parameter_names, stored_name
from gradsim.analysis.zero_gradient import zero_gradient_reason
from gradsim.spec import Experiment, Recurrent, unrolled_layers
from gradsim.spec.method import Backpropagation, NoLossScale
from gradsim.trace import IterationTrace

_WANTED = 1e-8
_ROUNDING = 4.0 * 2.0**-52
_DECISIVE = 0.01
_LOSS_CHANGE = 1e-3
_STEPS = 1e-6, 0.03
_SMALLEST_SCALE = 1e-3


class Checkable(Protocol):
    """What ``check_gradients`` needs of a simulator."""

    @property
    def experiment(self) -> Experiment:
        """What is run."""

    def parameters(self) -> dict[str, NDArray[Any]]:
        """Return copies of all parameters and running statistics."""

    def load_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Set some parameters."""

    def stand_at(self, iteration: int, parameters: Mapping[str, Any]) -> None:
        """Stand at an iteration with given parameters."""

    def record(self) -> IterationTrace:
        """Return the whole of the present iteration."""

    def loss(self) -> float:
        """Return the loss of the present iteration."""


KINKED = ("step", "hard_sigmoid", "hard_tanh", "relu", "leaky_relu", "prelu", "rrelu", "elu", "selu", "relu6")
"""Activations with a kink; without one, uneven one-sided differences only mean that the loss is curved."""


def check_gradients(
    simulator: Checkable,
    *,
    make: Callable[[Experiment], Checkable] | None = None,
    random_directions: int = 1,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> GradientCheck:
    """Compare backpropagation with differences of the loss, for every parameter tensor of a network.

    Parameters
    ----------
    simulator : Checkable
        Standing at the iteration to check; it is only read. The batch, the dropout masks and the statistics of
        batch normalization are those of this iteration. Where pretraining or an evolution moves the weights, it
        is all the same the gradient of the loss that is proven.
    make : callable, optional
        Makes a simulator of an experiment, for the twin in float64; the class of ``simulator`` by default.
    random_directions : int, default 1
        How many random directions per tensor, besides that of the gradient itself.
    progress : callable, optional
        Told words and a share from 0 to 1 before each tensor; may raise to end the check.

    Returns
    -------
    GradientCheck
        With relative errors per tensor; ``passed`` if all agree.
    """
    made: Any = make or type(simulator)
    own, parameters = simulator.record(), simulator.parameters()
    experiment = _by_backpropagation(simulator.experiment)
    if experiment != simulator.experiment:
        own = _standing(made(experiment), own.iteration, parameters).record()
    twin = _standing(made(_in_float64(experiment)), own.iteration, parameters)
    trace = twin.record()
    cut = _truncated(trace)
    has_kinks = any(layer.activation_kind in KINKED for layer in trace.layers)
    lowest = max((layer.index for layer in trace.layers if layer.name in cut), default=-1)
    random = np.random.default_rng([simulator.experiment.seed, own.iteration])
    work = [(layer, tensor) for layer in trace.layers for tensor in parameter_names(layer)]
    tensors, passes = [], 2
    for done, (layer, tensor) in enumerate(work):
        name = stored_name(layer.name, tensor)
        progress(f"Checking {name}", done / len(work))
        gradient = layer[f"{tensor}_gradient"]
        ways = _directions(gradient, random, random_directions)
        at = parameters[name].astype(np.float64)  # without the noise that the record's weights may have
        checks = tuple(
            _direction_check(
                twin, name, at, gradient, along, way, trace.loss, has_kinks, layer.index <= lowest
            )
            for along, way in ways
        )
        twin.load_parameters({name: at})
        passes += sum(check.difference.evaluations for check in checks)
        mine = own.layers[layer.index][f"{tensor}_gradient"]
        tensors.append(
            TensorCheck(
                name,
                layer.index,
                int(gradient.size),
                _norm(gradient),
                checks,
                _own_error(mine, gradient),
                int(np.count_nonzero((mine == 0) & (gradient != 0))),
                int(np.count_nonzero(~np.isfinite(mine) & np.isfinite(gradient))),
                "" if gradient.any() else zero_gradient_reason(trace, layer.index),
            )
        )
    names = tuple(layer.name for layer in trace.layers)
    precision = simulator.experiment.precision
    return GradientCheck(
        own.iteration, precision, trace.loss, own.loss, names, tuple(tensors), passes, tuple(cut)
    )


def _by_backpropagation(experiment: Experiment) -> Experiment:
    """Also where other ways move the weights, it is the gradient of the loss that is proven."""
    training = msgspec.structs.replace(experiment.training, method=Backpropagation())
    return msgspec.structs.replace(experiment, training=training)


def _in_float64(experiment: Experiment) -> Experiment:
    training = msgspec.structs.replace(experiment.training, loss_scale=NoLossScale())
    return msgspec.structs.replace(experiment, precision="float64", parameters=None, training=training)


def _standing(simulator: Checkable, iteration: int, parameters: Mapping[str, Any]) -> Checkable:
    known = simulator.parameters()
    simulator.stand_at(iteration, {name: parameters[name] for name in known})
    return simulator


def _truncated(trace: IterationTrace) -> list[str]:
    """Recurrent layers that forget the gradient of earlier steps."""
    found = []
    for layer, placed in zip(trace.layers, unrolled_layers(trace.experiment.network), strict=True):
        if isinstance(placed.layer, Recurrent) and 0 < placed.layer.truncation < layer["hidden"].shape[1]:
            found.append(layer.name)
    return found


def _directions(
    gradient: NDArray[Any], random: np.random.Generator, count: int
) -> list[tuple[Literal["gradient", "random"], NDArray[np.float64]]]:
    """Directions of rms 1; the random ones are drawn whatever the gradient, so that they stay the same."""
    drawn = [random.standard_normal(gradient.shape) for _ in range(count)]
    ways: list[tuple[Literal["gradient", "random"], NDArray[np.float64]]] = []
    length = _norm(gradient)
    if 0 < length < math.inf:
        ways.append(("gradient", gradient / length * math.sqrt(gradient.size)))
    return ways + [("random", way / math.sqrt(float(np.mean(way * way)))) for way in drawn]


def _direction_check(
    twin: Checkable,
    name: str,
    at: NDArray[np.float64],
    gradient: NDArray[Any],
    along: Literal["gradient", "random"],
    way: NDArray[np.float64],
    loss: float,
    has_kinks: bool,
    is_cut: bool,
) -> DirectionCheck:
    scale = _norm(at) / math.sqrt(at.size)
    way = way * (scale if _SMALLEST_SCALE < scale < math.inf else 0.1)
    told = float(np.sum(gradient * way))
    spread = _norm(gradient) * _norm(way) / math.sqrt(at.size)

    def losses(step: float) -> float:
        twin.load_parameters({name: at + step * way})
        return twin.loss()

    if not (math.isfinite(loss) and math.isfinite(told) and math.isfinite(spread)):
        nothing = Difference(math.nan, math.inf, 0.0, math.nan, math.nan, None, 0)
        return DirectionCheck(along, told, nothing, math.nan, "not finite")
    rounding = _ROUNDING * max(abs(loss), 1e-300)
    size = max(abs(told), spread)
    low, high = _STEPS
    step = min(max(_LOSS_CHANGE * abs(loss) / size, low), high) if size > 0 else high
    found = difference(losses, loss, step, max(_WANTED * size, rounding), rounding)
    if not has_kinks:
        found = replace(found, kink=None)
    error, verdict = _judged(told, spread, found, is_cut)
    return DirectionCheck(along, told, found, error, verdict)


def _judged(told: float, spread: float, found: Difference, is_cut: bool) -> tuple[float, Verdict]:
    if not math.isfinite(found.value):
        return math.nan, "not finite"
    size = max(abs(told), abs(found.value), spread)
    apart = abs(told - found.value)
    if told == 0 and spread == 0 and apart <= 4 * found.uncertainty:
        return 0.0, "zero"
    error = apart / size
    if apart <= TOLERANCE * size + 4 * found.uncertainty:
        return error, "agrees" if found.uncertainty <= _DECISIVE * size else "undecided"
    stands_on_kink = found.kink is not None and found.kink <= found.step
    if stands_on_kink and found.gap > 1e-3 * size:
        return error, "kink"
    if found.uncertainty > size:
        return error, "undecided"
    return error, "deliberate" if is_cut else "disagrees"


def _norm(values: NDArray[Any]) -> float:
    top = float(np.abs(values).max()) if values.size else 0.0
    if top == 0 or not math.isfinite(top):
        return top
    return top * float(np.sqrt(np.sum((values.astype(np.float64) / top) ** 2)))


def _own_error(mine: NDArray[Any], gradient: NDArray[Any]) -> float:
    length = _norm(gradient)
    if not 0 < length < math.inf or not np.isfinite(mine).all():
        return math.nan
    return _norm(mine.astype(np.float64) - gradient) / length
