"""For every rule a small network that it must find, and a neighbour, as like it as can be, that it must not.

They are what the tests hold the rules against, and what the remedies are measured on for ``resources/remedies.md``.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec.structs import replace

from gradsim.analysis.diagnosis.example import Example
from gradsim.spec import (
    Activation,
    Dense,
    Experiment,
    Head,
    Layer,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Training,
)
from gradsim.spec.activation import Linear, Relu, Sigmoid, Tanh
from gradsim.spec.data import Adding, Curve, Data, Inline, Iris, Spirals, Wine
from gradsim.spec.initializer import (
    Constant,
    GlorotUniform,
    HeNormal,
    Initializer,
    Normal,
    Orthogonal,
    VarianceScaling,
)
from gradsim.spec.training import Adam, GlobalNormClipping, Sgd

RELU, TANH, SIGMOID = Relu(), Tanh(), Sigmoid()
HE, GLOROT = HeNormal(), GlorotUniform()


def _stack(
    times: int,
    activation: Activation,
    initializer: Initializer = GLOROT,
    *,
    units: int = 16,
    **fields: Any,
) -> tuple[Layer, ...]:
    layer = Dense(units=units, activation=activation, initializer=initializer, **fields)
    return (Repeat(times=times, layers=(layer,)),)


def _net(layers: tuple[Layer, ...], data: Data, **training: Any) -> Experiment:
    regression = data.task == "regression"
    settings: dict[str, Any] = {"loss": "mse" if regression else "cross_entropy", "batch_size": 32}
    return Experiment(
        data=data,
        network=Network(layers=layers, head=Head(activation=Linear()) if regression else Head()),
        training=Training(**(settings | training)),
    )


def _trained(experiment: Experiment, **fields: Any) -> Experiment:
    return replace(experiment, training=replace(experiment.training, **fields))


def _sgd(rate: float, **fields: Any) -> Sgd:
    return Sgd(learning_rate=rate, **fields)


def _recurrent(**fields: Any) -> tuple[Layer, ...]:
    return (Recurrent(units=8, initializer=GLOROT, **fields),)


ADDING = Adding(samples=100, steps=20)
FEW = Spirals(samples=200)


def _columns(scale: float, offset: float) -> Inline:
    """Return two classes told apart by the second of two columns, which has another scale or is off centre."""
    rows = [(math.sin(12.9898 * k), math.sin(78.233 * k)) for k in range(1, 101)]
    return Inline(
        inputs=tuple((x, offset + scale * y) for x, y in rows), targets=tuple(int(y > 0) for _, y in rows)
    )


def _scaled(data: Inline) -> Inline:
    return replace(data, scaling="standard")


_SMALL_COLUMN, _FAR_COLUMN = _columns(0.005, 0.0), _columns(0.1, 8.0)

_SIGMOID_8 = _net(_stack(8, SIGMOID), FEW)
_TANH_8 = _net(_stack(8, TANH), FEW)
_SIGMOID_6 = _net(_stack(6, SIGMOID), FEW)
_TANH_6 = _net(_stack(6, TANH), FEW)
_CURVE = _net(_stack(2, TANH), Curve(samples=100), optimizer=_sgd(0.05), batch_size=80)
_SMALL_TANH = replace(
    _net(_stack(6, TANH, VarianceScaling(scale=0.2, mode="fan_avg")), FEW), precision="float16"
)
_SPIKES = _net(_stack(6, RELU, Normal(std=0.5)), FEW, optimizer=_sgd(0.3))

EXAMPLES: tuple[Example, ...] = (
    Example(
        "not_finite",
        "2 tanh layers, squared error, learning rate 1",
        _trained(_CURVE, optimizer=_sgd(1.0)),
        60,
        "learning rate 0.05",
        _CURVE,
    ),
    Example("vanishing_gradient", "8 sigmoid layers", _SIGMOID_8, 0, "tanh", _TANH_8),
    Example(
        "exploding_gradient",
        "14 ReLU layers, weights of standard deviation 0.8",
        _net(_stack(14, RELU, Normal(std=0.8)), FEW),
        0,
        "He weights",
        _net(_stack(14, RELU, HE), FEW),
    ),
    Example(
        "vanishing_signal",
        "10 tanh layers, weights of a third of Glorot's size",
        _net(_stack(10, TANH, VarianceScaling(scale=0.1, mode="fan_avg")), FEW),
        0,
        "Glorot weights",
        _net(_stack(10, TANH), FEW),
    ),
    Example(
        "exploding_signal",
        "10 ReLU layers, weights of standard deviation 1",
        _net(_stack(10, RELU, Normal(std=1.0)), FEW),
        0,
        "He weights",
        _net(_stack(10, RELU, HE), FEW),
    ),
    Example(
        "vanishing_through_time",
        "simple cells, orthogonal recurrent weights of gain 0.7, 20 steps",
        _net(
            _recurrent(recurrent_initializer=Orthogonal(gain=0.7)), ADDING, optimizer=Adam(learning_rate=0.01)
        ),
        0,
        "LSTM cells with forget bias 3",
        _net(_recurrent(cell="lstm", forget_bias=3.0), ADDING, optimizer=Adam(learning_rate=0.01)),
    ),
    Example(
        "exploding_through_time",
        "simple linear cells, orthogonal recurrent weights of gain 1.5, 20 steps",
        _net(
            _recurrent(activation="linear", recurrent_initializer=Orthogonal(gain=1.5)),
            ADDING,
            optimizer=_sgd(0.001),
        ),
        0,
        "gain 1",
        _net(_recurrent(activation="linear"), ADDING, optimizer=_sgd(0.001)),
    ),
    Example(
        "symmetry",
        "3 tanh layers, all weights 0.5",
        _net(_stack(3, TANH, Constant(value=0.5)), FEW),
        0,
        "Glorot weights",
        _net(_stack(3, TANH), FEW),
    ),
    Example(
        "poor_initialization",
        "10 ReLU layers, Glorot weights",
        _net(_stack(10, RELU), FEW),
        0,
        "He weights",
        _net(_stack(10, RELU, HE), FEW),
    ),
    Example(
        "unscaled_inputs",
        "wine as it is: proline up to 1680",
        _net(_stack(1, RELU, HE), Wine(scaling="none")),
        0,
        "scaled",
        _net(_stack(1, RELU, HE), Wine()),
    ),
    Example(
        "dead_units",
        "8 ReLU layers, Adam with learning rate 0.5",
        _net(_stack(8, RELU, HE), FEW, optimizer=Adam(learning_rate=0.5)),
        60,
        "learning rate 0.01",
        _net(_stack(8, RELU, HE), FEW, optimizer=Adam(learning_rate=0.01)),
    ),
    Example(
        "saturation",
        "10 tanh layers, weights of standard deviation 2",
        _net(_stack(10, TANH, Normal(std=2.0)), FEW),
        0,
        "Glorot weights",
        _net(_stack(10, TANH), FEW),
    ),
    Example(
        "avalanche",
        "2 tanh layers, squared error, learning rate 1",
        _trained(_CURVE, optimizer=_sgd(1.0)),
        8,
        "learning rate 0.05",
        _CURVE,
    ),
    Example(
        "collapsing_weights",
        "2 tanh layers, weight decay 0.5",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(0.1, weight_decay=0.5)),
        80,
        "weight decay 0.0001",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(0.1, weight_decay=1e-4)),
    ),
    Example(
        "fast_updates",
        "2 tanh layers, learning rate 10",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(10.0)),
        10,
        "learning rate 0.1",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(0.1)),
    ),
    Example(
        "slow_updates",
        "2 tanh layers, learning rate 0.00001",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(1e-5)),
        10,
        "learning rate 0.1",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(0.1)),
    ),
    Example("unchanged_first_layers", "6 sigmoid layers", _SIGMOID_6, 100, "tanh", _TANH_6),
    Example(
        "oscillating_loss",
        "4 tanh layers, all samples at once, learning rate 10",
        _net(_stack(4, TANH), FEW, optimizer=_sgd(10.0), batch_size=160),
        100,
        "learning rate 0.1",
        _net(_stack(4, TANH), FEW, optimizer=_sgd(0.1), batch_size=160),
    ),
    Example(
        "stagnating_loss",
        "6 sigmoid layers",
        _SIGMOID_6,
        150,
        "ReLU with He weights",
        _net(_stack(6, RELU, HE), FEW),
    ),
    Example(
        "deeper_but_worse",
        "6 sigmoid layers against 3, Adam",
        _net(_stack(6, SIGMOID), Iris(), optimizer=Adam(learning_rate=0.02)),
        0,
        "6 ReLU layers with He weights against 3, Adam",
        _net(_stack(6, RELU, HE), Iris(), optimizer=Adam(learning_rate=0.002)),
    ),
    Example(
        "small_batch",
        "batch normalization over 4 samples",
        _net(_stack(3, RELU, HE, normalization=Normalization()), FEW, batch_size=4),
        0,
        "over 32",
        _net(_stack(3, RELU, HE, normalization=Normalization()), FEW),
    ),
    Example(
        "clipping_always",
        "2 tanh layers, gradient clipped to norm 0.001",
        _net(_stack(2, TANH), FEW, clipping=GlobalNormClipping(threshold=0.001)),
        40,
        "to norm 0.3",
        _net(_stack(2, TANH), FEW, clipping=GlobalNormClipping(threshold=0.3)),
    ),
    Example(
        "clipping_never",
        "6 ReLU layers, weights of standard deviation 0.5, learning rate 0.3, gradient clipped to norm 1e30",
        _trained(_SPIKES, clipping=GlobalNormClipping(threshold=1e30)),
        40,
        "to norm 1",
        _trained(_SPIKES, clipping=GlobalNormClipping(threshold=1.0)),
    ),
    Example(
        "dead_units",
        "2 ReLU layers, biases −3",
        _net(_stack(2, RELU, HE, bias_initializer=Constant(value=-3.0)), FEW),
        0,
        "biases 0",
        _net(_stack(2, RELU, HE), FEW),
    ),
    Example(
        "not_finite",
        "20 ReLU layers, weights of standard deviation 1, squared error",
        _net(_stack(20, RELU, Normal(std=1.0)), Curve(samples=100)),
        5,
        "He weights, learning rate 0.01",
        _net(_stack(20, RELU, HE), Curve(samples=100), optimizer=_sgd(0.01)),
    ),
    Example(
        "uneven_inputs",
        "two columns, the one that matters 200 times smaller",
        _net(_stack(1, TANH), _SMALL_COLUMN),
        0,
        "scaled",
        _net(_stack(1, TANH), _scaled(_SMALL_COLUMN)),
    ),
    Example(
        "offset_inputs",
        "two columns, one around 8 with a standard deviation of 0.07",
        _net(_stack(1, TANH), _FAR_COLUMN),
        0,
        "scaled",
        _net(_stack(1, TANH), _scaled(_FAR_COLUMN)),
    ),
    Example(
        "lost_to_rounding",
        "6 tanh layers, weights of half of Glorot's size, float16, Adam",
        replace(_SMALL_TANH, training=replace(_SMALL_TANH.training, optimizer=Adam(learning_rate=0.01))),
        0,
        "gradient descent, which squares no gradient",
        _SMALL_TANH,
    ),
    Example(
        "vanishing_gradient",
        "8 ReLU layers, Adam with learning rate 0.5",
        _net(_stack(8, RELU, HE), FEW, optimizer=Adam(learning_rate=0.5)),
        60,
        "learning rate 0.01",
        _net(_stack(8, RELU, HE), FEW, optimizer=Adam(learning_rate=0.01)),
    ),
    Example(
        "slow_updates",
        "2 ReLU layers, biases −3",
        _net(_stack(2, RELU, HE, bias_initializer=Constant(value=-3.0)), FEW),
        10,
        "biases 0",
        _net(_stack(2, RELU, HE), FEW),
    ),
    Example("slow_updates", "8 sigmoid layers", _SIGMOID_8, 10, "tanh", _TANH_8),
    Example(
        "stagnating_loss",
        "2 tanh layers, learning rate 0.0001",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(1e-4), batch_size=160),
        150,
        "learning rate 0.5",
        _net(_stack(2, TANH), FEW, optimizer=_sgd(0.5), batch_size=160),
    ),
)
"""At least one per rule."""
