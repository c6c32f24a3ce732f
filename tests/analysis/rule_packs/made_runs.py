"""Runs made by hand: every number that a rule reads can be set."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from gradsim.trace import TENSORS, VALUES, LayerTrace, Run
from tests.reference import reference_history, reference_trace
from tests.reference_functions import tensor_statistics

SAMPLES = 200


def made_layer(
    name: str = "dense_1",
    number: int | None = 1,
    kind: str = "dense",
    activation: str = "tanh",
    weight: Any = 1.0,
    gradient: Any = 0.1,
    update: Any = 1e-3,
    bias_gradient: Any = 0.1,
    pre_activation: Any = 0.5,
    activation_values: Any = 1.0,
) -> LayerTrace:
    """Return a layer of 4 units that saw 200 samples; a number stands for an array full of it."""
    shapes = {
        "weight": (4, 4),
        "weight_gradient": (4, 4),
        "weight_update": (4, 4),
        "bias": (4,),
        "bias_gradient": (4,),
        "bias_update": (4,),
        "pre_activation": (SAMPLES, 4),
        "activation": (SAMPLES, 4),
    }
    numbers = (weight, gradient, update, 0.0, bias_gradient, 0.0, pre_activation, activation_values)
    tensors: dict[str, Any] = {
        key: np.array(np.broadcast_to(np.asarray(number, np.float64), shape))
        for (key, shape), number in zip(shapes.items(), numbers, strict=True)
    }
    tensors["update"] = tensors["weight_update"]
    measured = {tensor: tensors.get(tensor, np.zeros(1)) for tensor in TENSORS}
    statistics = {tensor: tensor_statistics(array) for tensor, array in measured.items()}
    return LayerTrace(name, kind, 0, number, activation, 4, 4, tensors, statistics, 0.0)


def made_run(
    *layers: LayerTrace,
    iteration: int = 20,
    loss: float = 1.0,
    losses: dict[int, float] | None = None,
    accuracies: Any = None,
    gradients: Any = None,
    weight_sd: Any = 1.0,
) -> Run:
    """Return a run of these layers and a head, with every iteration in its history.

    ``losses`` sets the loss of single iterations, ``accuracies`` the accuracy of each epoch of four iterations,
    ``gradients`` the rms of the weight gradients of the last iterations of every layer.
    """
    head = made_layer("head", len(layers) + 1, activation="softmax")
    template = reference_trace(layers=len(layers) + 1)
    trace = replace(
        template,
        iteration=iteration,
        loss=loss,
        layers=(*layers, head),
        inputs=np.zeros((SAMPLES // 4, 4)),
        accuracy=None if accuracies is None else 0.5,
    )
    history = reference_history(template, max(iteration, 1))
    values, loss_course, accuracy = history.values.copy(), np.ones(len(history)), np.zeros(len(history))
    values[0, :, TENSORS.index("weight"), VALUES.index("sd")] = weight_sd
    for at, number in (losses or {}).items():
        loss_course[at] = number
    if accuracies is not None:
        accuracy[:] = np.repeat(accuracies, 4)[: len(history)]
    if gradients is not None:
        course = np.asarray(gradients, np.float64)
        values[-len(course) :, :, TENSORS.index("weight_gradient"), VALUES.index("rms")] = course[:, None]
    names = tuple(layer.name for layer in trace.layers)
    history = replace(history, layer_names=names, values=values, loss=loss_course, accuracy=accuracy)
    samples = SimpleNamespace(training_inputs=np.zeros((SAMPLES, 4)))
    return Run("made", trace.experiment, samples, trace, None, history)  # type: ignore[arg-type]
