"""Small experiments with layers of every kind, on noise that has time steps or has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import strategies as st

from gradsim.engine import Simulator
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
)
from gradsim.spec import activation as activations
from gradsim.spec.activation import Linear, Prelu, Relu, Rrelu, Softmax, Tanh
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


METHODS = ("batch", "layer", "rms")
CELLS: dict[str, dict[str, Any]] = {
    "tanh": {"cell": "simple"},
    "relu": {"cell": "simple", "activation": "relu"},
    "linear": {"cell": "simple", "activation": "linear"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "gru, reset before": {"cell": "gru", "reset_after": False},
}
KINDS: dict[str, Any] = {
    "dense": dense(),
    "dense without a bias": dense(bias=False),
    "dense with a prelu": dense(activation=Prelu()),
    "dense with a prelu per unit": dense(activation=Prelu(per="unit")),
    "dense with an rrelu": dense(activation=Rrelu()),
    "dense with a softmax": dense(activation=Softmax()),
    **{f"dense with {m} inside": dense(normalization=Normalization(method=m)) for m in METHODS},  # type: ignore[arg-type]
    **{m: Normalization(method=m) for m in METHODS},  # type: ignore[arg-type]
    **{f"{m} without gamma": Normalization(method=m, affine=False) for m in METHODS},  # type: ignore[arg-type]
    "activation": ActivationLayer(activation=Relu()),
    "prelu": ActivationLayer(activation=Prelu(per="unit")),
    "dropout": Dropout(rate=0.3),
    "residual": residual(dense(FEATURES), scale=0.7),
    "residual, projected": residual(dense(FEATURES + 2)),
    "residual, trained scale": residual(dense(FEATURES), scale=0.5, train_scale=True),
    "residual of scale 0": residual(dense(FEATURES), scale=0.0, train_scale=True),
    "residual, normalized before": residual(Normalization(method="layer"), dense(FEATURES)),
    "residual in a residual": residual(dense(FEATURES), residual(dense(3)), Normalization()),
    "repeat": Repeat(times=3, layers=(residual(Normalization(), dense(FEATURES)),)),
    "frozen": dense(trainable=False),
}
"""A layer of every kind."""
KINDS_IN_TIME: dict[str, Any] = {
    **{name: Recurrent(units=4, return_sequences=True, **cell) for name, cell in CELLS.items()},
    **{
        f"{name}, truncated": Recurrent(units=4, return_sequences=True, truncation=2, **cell)
        for name, cell in CELLS.items()
    },
    **{
        f"{name} without a bias": Recurrent(units=4, return_sequences=True, bias=False, **cell)
        for name, cell in CELLS.items()
    },
    "residual with an lstm": residual(Recurrent(units=FEATURES, cell="lstm", return_sequences=True)),
    "stacked": Repeat(times=2, layers=(Recurrent(units=FEATURES, cell="gru", return_sequences=True),)),
}
"""A layer of every kind that needs time steps."""


def last_step_only(layer: Any) -> Any:
    """The layer, where it is recurrent handing on its last step only."""
    ends = isinstance(layer, Recurrent)
    return msgspec.structs.replace(layer, return_sequences=False) if ends else layer


def everything_in(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    """Every layer of a network as written, those inside others too."""
    for layer in layers:
        yield layer
        yield from everything_in(getattr(layer, "layers", ()))


@st.composite
def experiments_around(
    draw: st.DrawFn, layer: Any, *, in_time: bool = False, every_step: bool = False, **options: Any
) -> Experiment:
    """Random nested networks with a given layer at a random place: one that has time steps, where it needs them."""
    steps = in_time or every_step
    experiment = draw(nested_experiments(steps=steps, every_step=every_step, **options))
    layers = experiment.network.layers
    ends = [i for i, other in enumerate(layers) if last_step_only(other) == other and in_time]
    ends = [i for i in ends if isinstance(layers[i], Recurrent)]
    most = min(ends) if ends and not every_step else len(layers)
    placed = _inserted(draw, layers, layer, most)
    network = msgspec.structs.replace(experiment.network, layers=placed)
    return msgspec.structs.replace(experiment, network=network)


def _inserted(draw: st.DrawFn, layers: tuple[Any, ...], layer: Any, most: int) -> tuple[Any, ...]:
    """The layers with one more before that of number ``most`` at the latest, or inside one of those."""
    place = draw(st.integers(0, most))
    around = layers[place] if place < most else None
    if isinstance(around, Residual | Repeat) and draw(st.booleans()):
        inner = _inserted(draw, around.layers, layer, len(around.layers))
        around = msgspec.structs.replace(around, layers=inner)
        return (*layers[:place], around, *layers[place + 1 :])
    return (*layers[:place], layer, *layers[place:])
