"""Small networks with every kind of layer, run by the real engine: what views, tables and profiles must stand."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Head,
    Layer,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    Training,
    checked,
)
from gradsim.spec.activation import Gelu, Linear, Softmax, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.experiment import Precision
from gradsim.spec.training import GlobalNormClipping, Sgd
from gradsim.trace import Run, SampleSet

if TYPE_CHECKING:
    from gradsim.engine import Simulator

TANH = Tanh()
STEPS = 9
"""Time steps of the sequences."""


def _dense(units: int, method: str | None = None) -> Dense:
    normalization = Normalization(method=method) if method else None  # type: ignore[arg-type]
    return Dense(units=units, activation=TANH, normalization=normalization)


def _recurrent(cell: str, **fields: object) -> tuple[Layer, ...]:
    return (
        Recurrent(cell=cell, units=5, return_sequences=True, **fields),  # type: ignore[arg-type]
        Recurrent(cell=cell, units=4, **fields),  # type: ignore[arg-type]
        _dense(6),
    )


NETWORKS: dict[str, tuple[Layer, ...]] = {
    "batch normalization": (
        Normalization(method="batch"),
        Repeat(times=3, layers=(_dense(8, "batch"),)),
    ),
    "layer normalization": (_dense(8, "layer"), Normalization(method="layer"), _dense(20)),
    "rms normalization": (Normalization(method="rms", affine=False), _dense(8, "rms")),
    "activation": (_dense(8), ActivationLayer(activation=Gelu()), ActivationLayer()),
    "dropout": (_dense(8), Dropout(rate=0.3), _dense(8), Dropout()),
    "residual": (_dense(8), Repeat(times=4, layers=(Residual(scale=0.5, layers=(_dense(8),)),))),
    "nested residual": (
        _dense(8),
        Residual(
            layers=(
                Normalization(method="layer"),
                _dense(8),
                Residual(layers=(_dense(8), _dense(8)), train_scale=True, scale=0.3),
            )
        ),
        Residual(layers=(_dense(5),)),
    ),
    "residual without weights": (_dense(8), Residual(layers=(ActivationLayer(),))),
    "wide residual": (_dense(24), Repeat(times=2, layers=(Residual(layers=(_dense(24),)),))),
    "simple recurrent": _recurrent("simple"),
    "lstm": _recurrent("lstm"),
    "gru": _recurrent("gru"),
    "gru, reset before": _recurrent("gru", reset_after=False),
    "residual recurrent": (
        Recurrent(units=5, return_sequences=True),
        Residual(layers=(Recurrent(units=5, return_sequences=True),)),
        Recurrent(units=4),
    ),
    "every step to the loss": (Recurrent(units=5, return_sequences=True),),
}
"""Name → the layers before the head."""

SEQUENCES = (
    "simple recurrent",
    "lstm",
    "gru",
    "gru, reset before",
    "residual recurrent",
    "every step to the loss",
)


def kind_simulator(name: str, precision: Precision = "float64") -> Simulator:
    """Return a simulator of one of ``NETWORKS`` at its start."""
    from gradsim.engine import Simulator

    head = Head(activation=Linear() if name in SEQUENCES else Softmax())
    experiment = Experiment(
        name=name,
        precision=precision,
        data=GaussianNoise(samples=40, features=5, outputs=3),
        network=Network(layers=NETWORKS[name], head=head),
        training=Training(
            loss="mse",
            batch_size=16,
            optimizer=Sgd(learning_rate=0.05),
            clipping=GlobalNormClipping(threshold=1.0),
        ),
    )
    if name in SEQUENCES:
        with mock.patch("gradsim.engine.simulator.prepare_samples", _sequences):
            return Simulator(experiment)
    return Simulator(checked(experiment))


@cache
def kind_run(name: str) -> Run:
    """Return a run of one of ``NETWORKS``: a few iterations of training, recorded, with what was before.

    Parameters
    ----------
    name : str
        Key of ``NETWORKS``.

    Returns
    -------
    Run
        In float64; of 11 iterations.
    """
    simulator = kind_simulator(name)
    ghost = simulator.record()
    simulator.advance(11)
    return Run(
        label=name,
        experiment=simulator.experiment,
        samples=simulator.samples,
        trace=simulator.record(),
        ghost=ghost,
        history=simulator.history(),
    )


def _sequences(experiment: Experiment) -> SampleSet:
    random = np.random.default_rng(experiment.seed)
    inputs = random.normal(size=(40, STEPS, 3))
    shape = (40, STEPS, 2) if experiment.name == "every step to the loss" else (40, 2)
    targets = random.normal(size=shape)
    return SampleSet(
        "regression",
        inputs,
        targets,
        inputs[:7],
        targets[:7],
        None,
        None,
        ("a", "b", "c"),
        ("y", "z"),
        np.zeros(3),
        np.ones(3),
        "Sequences",
        "Drawn at random",
    )
