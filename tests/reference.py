"""Records of a plain NumPy network: what the views are tested with, and an oracle of the engine.

``reference_run()`` gives everything a view is handed, for any depth and width, without compiled code;
``fault`` asks for the records of a net that broke down.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradsim.spec import Data
from gradsim.trace import DecisionMap, History, IterationTrace, Run
from tests.reference_functions import frozen
from tests.reference_history import repeated_history, trained_history
from tests.reference_network import Fault, Reference, reference_experiment, reference_samples, reference_steps

__all__ = [
    "Fault",
    "Reference",
    "reference_experiment",
    "reference_history",
    "reference_run",
    "reference_samples",
    "reference_steps",
    "reference_trace",
    "repeated_history",
    "trained_history",
]

_MOST_LAYERS_TRAINED = 12


def reference_trace(
    layers: int = 3,
    units: int = 8,
    activation: str = "tanh",
    data: Data | None = None,
    batch: int = 16,
    seed: int = 0,
    fault: Fault | None = None,
    iteration: int = 0,
    **options: Any,
) -> IterationTrace:
    """Return the record of one iteration after ``iteration`` updates.

    ``zero``, ``nan`` and ``inf`` fill every computed tensor of every layer with that value; ``mixed``
    takes 0, NaN, Inf and the true values in turn, layer by layer; ``subnormal`` the least numbers of float64.
    Other options: ``reference_experiment``.
    """
    net = Reference(reference_experiment(layers, units, activation, data, batch, seed, **options))
    while net.iteration < iteration:
        net.step(net.record())
    return net.record(fault)


def reference_history(trace: IterationTrace, records: int = 50) -> History:
    """Return the history of a true training where that is cheap and the trace sound, else a repeated one."""
    sound = all(0.0 < layer.statistics["delta"].rms < np.inf for layer in trace.layers)
    if sound and len(trace.layers) <= _MOST_LAYERS_TRAINED:
        return trained_history(trace.experiment, records)
    return repeated_history(trace, records)


def reference_run(
    layers: int = 3,
    units: int = 8,
    activation: str = "tanh",
    data: Data | None = None,
    batch: int = 16,
    seed: int = 0,
    fault: Fault | None = None,
    records: int = 50,
    label: str = "reference",
    **options: Any,
) -> Run:
    """Return a run whose trace is iteration 0, with a decision map where the data have two features."""
    trace = reference_trace(layers, units, activation, data, batch, seed, fault, **options)
    net = Reference(trace.experiment)
    return Run(
        label=label,
        experiment=trace.experiment,
        samples=net.samples,
        trace=trace,
        ghost=None,
        history=reference_history(trace, records),
        decision_map=_decision_map(net) if net.samples.features == 2 else None,
    )


def _decision_map(net: Reference, side: int = 40) -> DecisionMap:
    low, high = net.samples.training_inputs.min(axis=0) - 0.5, net.samples.training_inputs.max(axis=0) + 0.5
    x, y = (np.linspace(low[i], high[i], side + 10 * i) for i in (0, 1))
    points = np.stack(np.meshgrid(x, y), axis=-1)
    outputs = net.outputs(points.reshape(-1, 2)).reshape(len(y), len(x), -1)
    return DecisionMap(frozen(x), frozen(y), frozen(outputs.astype(np.float64)))
