"""Floating-point operations of one iteration, counted layer by layer from the shapes of its record.

The convention, which every number of :mod:`gradsim.analysis.cost` rests on:

- a product of matrices (m × k) @ (k × n) takes 2 m n k operations, a multiplication and an addition per term
  (as ``torch.utils.flop_counter`` counts, and the 2 N per sample of Kaplan et al. 2020);
- every other addition, multiplication, division, comparison, root, exp, log, tanh or erf is 1, in the form in
  which the formula stands in ``numerics``; tables here and in ``layer_operations`` give them per value;
- statistics, random numbers and copies are not counted, nor are passes that only show what happens, such as the
  pass backwards that GradSim records while an evolution runs;
- the gradient of the network's own inputs is not counted either: training does not need it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.layer_operations import passes, products_forward, rows_of
from gradsim.analysis.parameters import parameter_names, stored_name
from gradsim.spec import (
    Residual,
    kind_of,
    phase_at,
    placed_layers,
    training_phases,
    unrolled_layers,
)
from gradsim.spec.method import Evolution, parameter_rules
from gradsim.trace import IterationTrace, LayerTrace

CONVENTION = (
    "A product of m × k and k × n matrices counts 2mnk (a multiply-add is 2); every other arithmetic operation "
    "and every exp, tanh, root or comparison counts 1; statistics, random numbers and copies are not counted."
)


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
    """Floating-point operations of one iteration.

    Attributes
    ----------
    layers : tuple of LayerOperations
        In forward order, the head last.
    loss_forward, loss_backward : int
        Of the loss and of its gradient.
    one_pass : int
        Of one pass of the batch forward through the whole network, with its loss.
    """

    layers: tuple[LayerOperations, ...]
    loss_forward: int
    loss_backward: int
    one_pass: int

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
        """How many forward passes cost as much as one iteration; about 3 for backpropagation."""
        return self.total / self.one_pass if self.one_pass else math.nan


def operations(trace: IterationTrace, iteration: int | None = None) -> Operations:
    """Return the floating-point operations of one iteration.

    Parameters
    ----------
    trace : IterationTrace
        A record, for the shapes; the numbers in it do not matter.
    iteration : int, optional
        Which iteration, where pretraining makes a difference; that of the record by default.

    Returns
    -------
    Operations
        By the convention of this module, exact for the products of matrices. Of backpropagation forward, backward
        and update; of an evolution as many passes forward as it has children, their mutation and the mean of the
        best; of a phase of pretraining the layers up to the one that is trained, and its decoder.

    Notes
    -----
    One sample and one weight of a dense layer cost 2 operations forward and 4 backward, so an iteration is
    about three forward passes (Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1).
    """
    experiment = trace.experiment
    whole = _backpropagation(trace)
    method = experiment.training.method
    if isinstance(method, Evolution):
        return _evolution(trace, whole, method)
    phase = phase_at(experiment, trace.iteration if iteration is None else iteration)
    return whole if phase.layer is None else _pretraining(trace, whole, phase.layer)


def operations_until(trace: IterationTrace, iterations: NDArray[Any]) -> NDArray[np.float64]:
    """Return the floating-point operations spent before some iterations.

    Parameters
    ----------
    trace : IterationTrace
        A record of the run, for the shapes and the settings.
    iterations : ndarray of int, any shape
        Iterations of the run; the settings are taken to have been the same from the start.

    Returns
    -------
    ndarray of float64, the same shape
        0 before iteration 0; phases of pretraining each at their own cost.
    """
    result = np.zeros(np.shape(iterations))
    for phase in training_phases(trace.experiment):
        stop = np.inf if phase.stop is None else phase.stop
        result += operations(trace, phase.start).total * (
            np.clip(iterations, phase.start, stop) - phase.start
        )
    return result


def _backpropagation(trace: IterationTrace) -> Operations:
    placed = unrolled_layers(trace.experiment.network)
    begins_with_block = isinstance(placed_layers(trace.experiment.network)[0].layer, Residual)
    per_parameter = _per_parameter(trace)
    counted = []
    for layer, place in zip(trace.layers, placed, strict=True):
        hands_down = layer.index > 0 or begins_with_block
        forward, backward, products = passes(layer, place.layer, hands_down)
        update = per_parameter * _trained(trace, layer, place.layer)
        counted.append(LayerOperations(layer.name, layer.number, forward, backward, update, products))
    outputs = trace.targets.size
    value, gradient = (per_output * outputs for per_output in LOSS_OPERATIONS[trace.experiment.training.loss])
    one_pass = sum(layer.forward for layer in counted) + value
    return Operations(tuple(counted), value, gradient, one_pass)


def _evolution(trace: IterationTrace, whole: Operations, method: Evolution) -> Operations:
    children = method.population
    parents = max(1, min(children, math.floor(children * method.selection + 0.5)))
    # σ · noise + w for each child; the sum over the parents; σ / μ and the addition.
    per_parameter = 2 * children + parents + 2
    placed = unrolled_layers(trace.experiment.network)
    counted = []
    for layer, place, one in zip(trace.layers, placed, whole.layers, strict=True):
        update = per_parameter * _trained(trace, layer, place.layer)
        products = children * products_forward(layer, place.layer)
        counted.append(LayerOperations(one.name, one.number, children * one.forward, 0, update, products))
    return Operations(tuple(counted), children * whole.loss_forward, 0, whole.one_pass)


def _pretraining(trace: IterationTrace, whole: Operations, trained: str) -> Operations:
    placed = unrolled_layers(trace.experiment.network)
    last = trace[trained].index
    counted = []
    for layer, place, one in zip(trace.layers, placed, whole.layers, strict=True):
        if layer.index > last:
            counted.append(LayerOperations(one.name, one.number, 0, 0, 0, 0))
            continue
        forward, backward, update = one.forward, 0, 0
        products = products_forward(layer, place.layer)
        if layer.index == last:
            _, backward, both = passes(layer, place.layer, False)
            decoder = 2 * rows_of(layer) * layer.fan_in * layer.fan_out
            bias = rows_of(layer) * layer.fan_in
            size = layer.fan_in * layer.fan_out + layer.fan_in
            update = one.update + OPTIMIZER_OPERATIONS[kind_of(trace.experiment.training.optimizer)] * size
            forward, backward = forward + decoder + bias, backward + 2 * decoder + bias
            products = both + 3 * decoder
        counted.append(LayerOperations(one.name, one.number, forward, backward, update, products))
    restored = int(trace.layers[last]["input"].size)
    value, gradient = LOSS_OPERATIONS["mse"]
    return Operations(tuple(counted), value * restored, gradient * restored, whole.one_pass)


def _per_parameter(trace: IterationTrace) -> int:
    training = trace.experiment.training
    decay = 2 if training.optimizer.weight_decay else 0
    clipping = CLIPPING_OPERATIONS[kind_of(training.clipping)]
    return OPTIMIZER_OPERATIONS[kind_of(training.optimizer)] + decay + clipping


def _trained(trace: IterationTrace, layer: LayerTrace, spec: Any) -> int:
    """How many parameters of a layer are updated."""
    if not getattr(spec, "trainable", True):
        return 0
    groups = trace.experiment.training.groups
    return sum(
        int(layer[name].size)
        for name in parameter_names(layer)
        if parameter_rules(groups, stored_name(layer.name, name)).trainable
    )
