"""A plain NumPy dense network that records its iterations: forward, loss, backward, clip, update.

Written to be read, not to be fast: no compiled code, nothing taken from the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradsim.data import prepare_samples
from gradsim.spec import Clipping, Data, Dense, Experiment, Head, Network, Training, kind_of, unrolled_layers
from gradsim.spec.activation import Linear, Sigmoid, Softmax
from gradsim.spec.checks import task
from gradsim.spec.data import Moons
from gradsim.spec.initializer import GlorotNormal
from gradsim.spec.training import LossName, NoClipping, Sgd
from gradsim.trace import TENSORS, IterationTrace, LayerTrace, SampleSet, Step
from tests.reference_functions import (
    ACTIVATIONS,
    activation_of,
    frozen,
    loss_and_gradients,
    tensor_statistics,
)

Fault = Literal["zero", "nan", "inf", "mixed", "subnormal"]
Array = NDArray[Any]

_BROKEN = {
    "zero": [0.0],
    "nan": [np.nan],
    "inf": [np.inf],
    "mixed": [0.0, np.nan, np.inf, None],
    "subnormal": [5e-324, 1e-320],
}
_KEPT_BY_A_FAULT = ("input", "weight", "bias", "prelu_slope")


def reference_experiment(
    layers: int = 3,
    units: int = 8,
    activation: str = "tanh",
    data: Data | None = None,
    batch: int = 16,
    seed: int = 0,
    loss: LossName | None = None,
    clipping: Clipping | None = None,
    precision: Literal["float32", "float64"] = "float32",
) -> Experiment:
    """Return an experiment with ``layers`` layers that carry weights, the head among them."""
    data = Moons(samples=200) if data is None else data
    regression = task(Experiment(data=data)) == "regression"
    dense = Dense(units=units, activation=ACTIVATIONS[activation].spec, initializer=GlorotNormal())
    loss = loss or ("mse" if regression else "cross_entropy")
    answer = Linear() if regression else Sigmoid() if loss == "binary_cross_entropy" else Softmax()
    head = Head(activation=answer, initializer=GlorotNormal())
    return Experiment(
        name=f"Reference with {layers} layers of {units} units",
        seed=seed,
        precision=precision,
        data=data,
        network=Network(layers=(dense,) * (layers - 1), head=head),
        training=Training(
            loss=loss,
            optimizer=Sgd(learning_rate=0.1),
            clipping=clipping or NoClipping(),
            batch_size=batch,
        ),
    )


class Reference:
    """A dense network under plain gradient descent, clipping ``none`` or ``global_norm``.

    Weights start with variance 1 / fan_avg whatever the initializer of the experiment, unless parameters are
    given by name.
    """

    def __init__(self, experiment: Experiment, parameters: Mapping[str, Array] | None = None) -> None:
        self.experiment = experiment
        self.samples = reference_samples(experiment)
        self.iteration = 0
        self.placed = unrolled_layers(experiment.network)
        self.layers: list[dict[str, Array]] = []
        random = np.random.default_rng(experiment.seed)
        fan_in = self.samples.features
        for place in self.placed:
            fan_out = place.layer.units if isinstance(place.layer, Dense) else self.samples.outputs
            parts = {"weight": random.normal(0.0, np.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))}
            if place.layer.bias:
                parts["bias"] = np.zeros(fan_out)
            if kind_of(place.layer.activation) == "prelu":
                parts["prelu_slope"] = np.full(1, place.layer.activation.initial)
            for part in parts:
                given = (parameters or {}).get(f"{place.name}.{part.removeprefix('prelu_')}", parts[part])
                parts[part] = np.array(given, dtype=experiment.precision)
            self.layers.append(parts)
            fan_in = fan_out

    def batch(self) -> NDArray[np.int64]:
        """Return the rows of the present batch: a new order in every epoch, the last batch may be short."""
        count = len(self.samples.training_inputs)
        size = min(self.experiment.training.batch_size, count)
        epoch, number = divmod(self.iteration, -(-count // size))
        order = np.random.default_rng((self.experiment.seed, epoch)).permutation(count)
        return order[number * size : (number + 1) * size]

    def outputs(self, inputs: Array) -> Array:
        """Return the activations of the head."""
        a = inputs.astype(self.experiment.precision)
        for place, parts in zip(self.placed, self.layers, strict=True):
            z = a @ parts["weight"] + parts.get("bias", 0)
            a = activation_of(place.layer.activation, z, parts.get("prelu_slope"))[0]
        return a

    def record(self, fault: Fault | None = None) -> IterationTrace:
        """Return one whole iteration at the present parameters; nothing is updated."""
        with np.errstate(all="ignore"):
            return self._recorded(fault)

    def step(self, trace: IterationTrace) -> None:
        """Add the updates of a record of the present iteration to the parameters."""
        for parts, layer in zip(self.layers, trace.layers, strict=True):
            for part in parts:
                parts[part] = parts[part] + layer.tensors[f"{part}_update"]
        self.iteration += 1

    def _recorded(self, fault: Fault | None) -> IterationTrace:
        training, rows = self.experiment.training, self.batch()
        x = self.samples.training_inputs[rows].astype(self.experiment.precision)
        targets = self.samples.training_targets[rows].astype(self.experiment.precision)
        tensors: list[dict[str, Array]] = []
        a = x
        for place, parts in zip(self.placed, self.layers, strict=True):
            z = a @ parts["weight"] + parts.get("bias", 0)
            previous, (a, slope) = (
                a,
                activation_of(place.layer.activation, z, parts.get("prelu_slope")),
            )
            tensors.append(
                {"input": previous, "pre_activation": z, "activation": a, "output": a, "slope": slope}
            )
        loss, gradient, delta = loss_and_gradients(
            training.loss, self.placed[-1].layer.activation, z, a, targets
        )
        for layer, parts in zip(reversed(tensors), reversed(self.layers), strict=True):
            delta = gradient * layer["slope"] if layer is not tensors[-1] or delta is None else delta
            layer |= {"delta": delta, "activation_gradient": gradient, "output_gradient": gradient}
            layer["input_gradient"] = gradient_below = delta @ parts["weight"].T
            layer["weight_gradient"] = layer["input"].T @ delta
            if "bias" in parts:
                layer["bias_gradient"] = delta.sum(axis=0)
            if "prelu_slope" in parts:
                negative = np.minimum(layer["pre_activation"], 0)
                layer["prelu_slope_gradient"] = (gradient * negative).sum(keepdims=True)[0]
            gradient = gradient_below
        gradients = [
            layer[f"{part}_gradient"]
            for layer, parts in zip(tensors, self.layers, strict=True)
            for part in parts
        ]
        norm = float(np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients)))
        threshold = getattr(training.clipping, "threshold", np.inf)
        shrink = threshold / norm if norm > threshold else 1.0
        for layer, parts in zip(tensors, self.layers, strict=True):
            for part, value in parts.items():
                clipped = (layer[f"{part}_gradient"] * shrink).astype(value.dtype)
                update = (-training.optimizer.learning_rate * clipped).astype(value.dtype)
                layer |= {part: value.copy(), f"{part}_clipped_gradient": clipped, f"{part}_update": update}
        if fault is not None:
            loss = float("nan") if fault in ("nan", "mixed") else float("inf") if fault == "inf" else loss
            norm = norm * 0 if fault == "zero" else loss
            _break(tensors, _BROKEN[fault])
        return IterationTrace(
            experiment=self.experiment,
            iteration=self.iteration,
            loss=loss,
            accuracy=self.accuracy(a, rows),
            learning_rate=training.optimizer.learning_rate,
            gradient_norm=norm,
            layers=tuple(self._layer_trace(i, layer) for i, layer in enumerate(tensors)),
            steps=reference_steps(len(tensors), clips=kind_of(training.clipping) != "none"),
            inputs=frozen(x),
            targets=frozen(targets),
            sample_indices=frozen(rows),
        )

    def accuracy(self, outputs: Array, rows: NDArray[np.int64], part: str = "training") -> float | None:
        classes = getattr(self.samples, f"{part}_classes")
        if classes is None:
            return None
        found = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > 0.5
        return float(np.mean(found == classes[rows]))

    def _layer_trace(self, index: int, tensors: dict[str, Array]) -> LayerTrace:
        tensors["update"] = tensors["weight_update"]
        tensors["clipped_gradient"] = tensors["weight_clipped_gradient"]
        place, slope = self.placed[index], tensors["slope"]
        steepest = ACTIVATIONS[kind_of(place.layer.activation)].steepest
        return LayerTrace(
            name=place.name,
            kind="dense",
            index=index,
            number=index + 1,
            activation_kind=kind_of(place.layer.activation),
            fan_in=tensors["weight"].shape[0],
            fan_out=tensors["weight"].shape[1],
            tensors={name: frozen(array) for name, array in tensors.items()},
            statistics={name: tensor_statistics(tensors[name]) for name in TENSORS},
            saturation=float(1.0 - np.mean(slope) / steepest) if steepest else float("nan"),
        )


def reference_steps(layers: int, clips: bool = False) -> tuple[Step, ...]:
    """Return the told moments of one iteration of a dense network, in order."""
    forward = [
        Step("forward", i, *told)
        for i in range(layers)
        for told in (("linear", "pre_activation"), ("activation", "activation"))
    ]
    backward = [
        Step("backward", i, told, told)
        for i in reversed(range(layers))
        for told in ("activation_gradient", "delta", "weight_gradient")
    ]
    clip = [Step("clip", None, "clip", "clipped_gradient")] if clips else []
    update = [Step("update", i, "update", "update") for i in range(layers)]
    return (*forward, Step("loss", None, "loss", "loss"), *backward, *clip, *update)


def reference_samples(experiment: Experiment) -> SampleSet:
    """Return the samples of an experiment."""
    return prepare_samples(experiment)


def _break(tensors: list[dict[str, Array]], values: list[float | None]) -> None:
    for index, layer in enumerate(tensors):
        value = values[index % len(values)]
        for name in layer:
            if value is not None and name not in _KEPT_BY_A_FAULT:
                layer[name] = np.full_like(layer[name], value)
