"""Small experiments with layers of every kind, on noise that has time steps or has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from gradsim.engine import Simulator
from gradsim.spec import Dense, Experiment, Head, Network, Residual, Training
from gradsim.spec import activation as activations
from gradsim.spec.activation import Linear, Tanh
from gradsim.spec.data import GaussianNoise
from gradsim.spec.initializer import GlorotNormal, HeUniform, Orthogonal
from gradsim.spec.training import Sgd
from gradsim.trace import SampleSet
from tests.spec.nested_networks import nested_networks

FEATURES, OUTPUTS, SAMPLES = 4, 3, 30

SMOOTH_OR_RELU = [
    activations.Linear,
    activations.Sigmoid,
    activations.Tanh,
    activations.Relu,
    activations.LeakyRelu,
    activations.Prelu,
    activations.Rrelu,
    activations.Softplus,
    activations.Softmax,
    activations.Gelu,
    activations.Silu,
    activations.Selu,
]


def experiment_of(
    *layers: Any,
    head: Head | None = None,
    optimizer: Any = None,
    batch_size: int = 8,
    precision: str = "float64",
    seed: int = 5,
    samples: int = SAMPLES,
    **training: Any,
) -> Experiment:
    """These layers on noise of 4 features and 3 targets, under ``mse``."""
    return Experiment(
        seed=seed,
        precision=precision,
        data=GaussianNoise(samples=samples, features=FEATURES, outputs=OUTPUTS),
        network=Network(layers=layers, head=head or Head(activation=Linear())),
        training=Training(
            loss=training.pop("loss", "mse"),
            batch_size=batch_size,
            optimizer=optimizer or Sgd(learning_rate=0.05),
            **training,
        ),
    )


def dense(units: int = 5, **options: Any) -> Dense:
    """A dense layer with tanh and a bias, unless told otherwise."""
    return Dense(units=units, **({"activation": Tanh()} | options))


def sequences(steps: int, every_step: bool, samples: int = SAMPLES, scale: float = 1.0) -> SampleSet:
    """Noise with time steps; targets for every step or one for each sample."""
    random = np.random.default_rng(7)
    inputs = random.normal(size=(samples, steps, FEATURES)) * scale
    targets = random.normal(size=(samples, steps, OUTPUTS) if every_step else (samples, OUTPUTS))
    held = slice(0, 5)
    return SampleSet(
        task="regression",
        training_inputs=inputs,
        training_targets=targets,
        validation_inputs=inputs[held],
        validation_targets=targets[held],
        training_classes=None,
        validation_classes=None,
        feature_names=tuple("abcd"),
        output_names=tuple("xyz"),
        offset=np.zeros(FEATURES),
        factor=np.ones(FEATURES),
        title="noise",
        origin="drawn by the test",
    )


def simulator_of(experiment: Experiment, samples: SampleSet | None = None) -> Simulator:
    """A simulator of the experiment, on given samples instead of those it names."""
    if samples is None:
        return Simulator(experiment)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradsim.engine.simulator.prepare_samples", lambda _: samples)
        return Simulator(experiment)


@st.composite
def nested_experiments(
    draw: st.DrawFn, *, steps: bool = False, every_step: bool = False, **options: Any
) -> Experiment:
    """Random nested networks on noise; weights of a size that neither blows up nor dies."""
    network = draw(
        nested_networks(
            activations=SMOOTH_OR_RELU,
            initializers=[GlorotNormal, HeUniform, Orthogonal],
            head_activations=[Linear, Tanh],
            steps=steps,
            every_step=every_step,
            **options,
        )
    )
    loss = draw(st.sampled_from(["mse", "half_mse", "sse"]))
    experiment = experiment_of(
        *network.layers,
        head=network.head,
        loss=loss,
        batch_size=draw(st.integers(2, 9)),
        seed=draw(st.integers(0, 1000)),
    )
    return experiment


def residual(*layers: Any, **options: Any) -> Residual:
    """A residual around these layers."""
    return Residual(layers=layers, **options)
