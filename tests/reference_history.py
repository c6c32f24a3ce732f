"""Histories of the reference network: statistics of truly trained, or openly repeated, iterations."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.spec import Experiment
from gradsim.trace import COUNTS, TENSORS, VALUES, History, IterationTrace
from tests.reference_functions import Array, activation_of, frozen, histogram, loss_and_gradients
from tests.reference_network import Reference


def trained_history(experiment: Experiment, records: int) -> History:
    """Return the history of ``records`` iterations of training; the validation part every tenth."""
    net, traces, evaluations = Reference(experiment), [], []
    for iteration in range(records):
        if iteration % 10 == 0 and len(net.samples.validation_inputs):
            evaluations.append((iteration, *_evaluation(net)))
        traces.append(net.record())
        net.step(traces[-1])
    return _history(traces, evaluations)


def repeated_history(trace: IterationTrace, records: int) -> History:
    """Return a history in which every record is the same trace: nothing was trained."""
    return _history([trace] * records, [])


def _evaluation(net: Reference) -> tuple[float, float]:
    samples, head = net.samples, net.placed[-1].layer.activation
    a = samples.validation_inputs
    for place, parts in zip(net.placed, net.layers, strict=True):
        z = a @ parts["weight"] + parts.get("bias", 0)
        a = activation_of(place.layer.activation, z, parts.get("prelu_slope"))[0]
    loss, *_ = loss_and_gradients(net.experiment.training.loss, head, z, a, samples.validation_targets)
    accuracy = net.accuracy(a, np.arange(len(a)), "validation")
    return loss, float("nan") if accuracy is None else accuracy


def _history(traces: list[IterationTrace], evaluations: list[tuple[int, float, float]]) -> History:
    every = range(0, len(traces), max(1, len(traces) // 10))
    counted = {
        id(traces[i]): [[histogram(layer[t]) for t in TENSORS] for layer in traces[i].layers] for i in every
    }
    told = {id(t): [[layer.statistics[name] for name in TENSORS] for layer in t.layers] for t in traces}

    def table(names: tuple[str, ...], dtype: type) -> Array:
        per = {k: [[[getattr(s, n) for n in names] for s in layer] for layer in v] for k, v in told.items()}
        return frozen(np.array([per[id(t)] for t in traces], dtype=dtype))

    def series(values: list[Any], dtype: type = np.float64) -> Array:
        return frozen(np.array(values, dtype=dtype))

    first = traces[0]
    threshold = getattr(first.experiment.training.clipping, "threshold", np.inf)
    return History(
        layer_names=tuple(layer.name for layer in first.layers),
        sizes=series([[layer[t].size for t in TENSORS] for layer in first.layers], np.int64),
        stride=1,
        iterations=series(list(range(len(traces))), np.int64),
        values=table(VALUES, np.float64),
        counts=table(COUNTS, np.int32),
        saturation=series([[layer.saturation for layer in t.layers] for t in traces], np.float32),
        loss=series([t.loss for t in traces]),
        accuracy=series([np.nan if t.accuracy is None else t.accuracy for t in traces]),
        learning_rate=series([t.learning_rate for t in traces]),
        gradient_norm=series([t.gradient_norm for t in traces]),
        clipped=series([threshold / t.gradient_norm if t.gradient_norm > threshold else 1.0 for t in traces]),
        validation_iterations=series([e[0] for e in evaluations], np.int64),
        validation_loss=series([e[1] for e in evaluations]),
        validation_accuracy=series([e[2] for e in evaluations]),
        histogram_iterations=series(list(every), np.int64),
        histograms=series([counted[id(traces[i])] for i in every], np.int32),
    )
