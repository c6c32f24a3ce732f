"""Hypothesis strategies that draw valid experiments, generated from the fields of the structs themselves.

A new kind, or a new field of one, is drawn the day it exists. Unless a strategy is asked to be ``wide``,
sizes and numbers stay so small that a drawn experiment can be run within milliseconds; wide ones use every
limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from gradsim.spec import (
    Activation,
    Clipping,
    Data,
    Dense,
    Experiment,
    Head,
    Initializer,
    Layer,
    LossName,
    Network,
    Optimizer,
    Recurrent,
    Repeat,
    Schedule,
    Spec,
    Training,
    task,
)
from gradsim.spec.activation import Rrelu, Sigmoid, Softmax
from gradsim.spec.data import Checkerboard, Inline
from gradsim.spec.fields import Field, fields_of
from gradsim.spec.initializer import BiasInitializer

Kinds = Sequence[type[Spec]]

TIMELESS = tuple(kind for kind in get_args(Data) if not kind.is_sequence)
"""The kinds of data whose samples have no time steps."""

MODERATE: dict[str, tuple[float, float]] = {
    "alpha": (0.1, 2.0),
    "batch_size": (1, 24),
    "bits": (1, 4),
    "classes": (2, 4),
    "delay": (1, 6),
    "eps": (1e-10, 1e-3),
    "features": (1, 6),
    "forget_bias": (-2.0, 2.0),
    "gain": (-2.0, 2.0),
    "learning_rate": (0.0, 0.1),
    "learning_rate_scale": (0.0, 2.0),
    "length": (1, 4),
    "limit": (0.0, 1.0),
    "outputs": (1, 5),
    "samples": (20, 60),
    "scale": (0.1, 4.0),
    "std": (0.0, 1.0),
    "steps": (2, 12),
    "symbols": (2, 5),
    "threshold": (0.01, 10.0),
    "truncation": (0, 8),
    "validation": (0.0, 0.5),
    "value": (-1.0, 1.0),
    "warm_up": (0, 10),
    "weight_decay": (0.0, 0.1),
}
"""What a field is drawn from where its own limits are wider."""


def _integers(field: Field, wide: bool) -> st.SearchStrategy[int]:
    lowest, highest = _limits(field, wide)
    return st.integers(math.ceil(lowest), math.floor(highest))


def _reals(field: Field, wide: bool) -> st.SearchStrategy[float]:
    lowest, highest = _limits(field, wide)
    return st.floats(
        lowest,
        highest,
        exclude_min=field.excludes_minimum and lowest == field.minimum,
        exclude_max=field.excludes_maximum and highest == field.maximum,
        allow_subnormal=wide,
    )


def _limits(field: Field, wide: bool) -> tuple[float, float]:
    lowest = -1e9 if field.minimum is None else field.minimum
    highest = 1e9 if field.maximum is None else field.maximum
    if field.name == "samples":
        lowest = max(lowest, 10)  # enough for the most classes
    if wide or field.name not in MODERATE:
        return lowest, highest
    return max(lowest, MODERATE[field.name][0]), min(highest, MODERATE[field.name][1])


def _values(field: Field, wide: bool) -> st.SearchStrategy[Any]:
    match field.form:
        case "integer":
            return _integers(field, wide)
        case "real":
            return _reals(field, wide)
        case "pair":
            return st.tuples(_reals(field, wide), _reals(field, wide))
        case "boolean":
            return st.booleans()
        case "choice":
            return st.sampled_from(field.choices)
        case "kind":
            return any_of(field.kinds, wide=wide)
        case _:
            raise TypeError(f"no strategy draws {field}")


def any_of(kinds: Any, *, wide: bool = False) -> st.SearchStrategy[Any]:
    """Structs of any of the kinds: a union such as ``Activation``, or a sequence of classes."""
    classes: Kinds = kinds if isinstance(kinds, Sequence) else get_args(kinds)
    return st.sampled_from(list(classes)).flatmap(lambda struct: structs(struct, wide=wide))


def structs(struct: type[Spec], *, wide: bool = False) -> st.SearchStrategy[Any]:
    """Structs of one class, every field drawn within its limits."""
    if struct is Inline:
        return inline_data(wide=wide)
    drawn = st.builds(struct, **{field.name: _values(field, wide) for field in fields_of(struct)})
    return drawn.map(FITTING[struct]) if struct in FITTING else drawn


def _with_slopes_in_order(activation: Rrelu) -> Rrelu:
    lower, upper = sorted((activation.lower, activation.upper))
    return Rrelu(lower=lower, upper=upper)


def _with_enough_squares(data: Checkerboard) -> Checkerboard:
    return msgspec.structs.replace(data, squares=max(data.squares, data.classes // 2 + 1))


FITTING: dict[Any, Any] = {Rrelu: _with_slopes_in_order, Checkerboard: _with_enough_squares}
"""What makes two fields of one struct fit each other."""


@st.composite
def inline_data(draw: st.DrawFn, *, wide: bool = False) -> Inline:
    """Rows written into the experiment, for a classification or a regression."""
    number = st.floats(-1e300, 1e300) if wide else st.floats(-3.0, 3.0, width=32, allow_subnormal=False)
    count = draw(st.integers(4, 8))
    features = draw(st.integers(1, 4))
    inputs = tuple(tuple(draw(number) for _ in range(features)) for _ in range(count))
    targets: tuple[Any, ...]
    if draw(st.booleans()):
        classes = draw(st.integers(2, 4))
        targets = tuple(draw(st.permutations([index % classes for index in range(count)])))
    else:
        outputs = draw(st.integers(1, 3))
        targets = tuple(tuple(draw(number) for _ in range(outputs)) for _ in range(count))
    scaling = draw(st.sampled_from(["none", "standard", "min_max"]))
    return Inline(inputs=inputs, targets=targets, scaling=scaling)


@st.composite
def dense_layers(
    draw: st.DrawFn,
    *,
    activations: Any = Activation,
    initializers: Any = Initializer,
    max_units: int = 6,
    wide: bool = False,
) -> Dense:
    """One dense layer without a name."""
    return Dense(
        units=draw(st.integers(1, 4096 if wide else max_units)),
        **draw(_weights(activations, initializers, wide)),
    )


def _weights(activations: Any, initializers: Any, wide: bool) -> st.SearchStrategy[dict[str, Any]]:
    known = {field.name: field for field in fields_of(Head)}
    return st.fixed_dictionaries(
        {
            "activation": any_of(activations, wide=wide),
            "initializer": any_of(initializers, wide=wide),
            "bias": st.booleans(),
            "bias_initializer": any_of(BiasInitializer, wide=wide),
            "trainable": st.sampled_from([True, True, True, False]),
            "learning_rate_scale": _values(known["learning_rate_scale"], wide),
        }
    )


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    max_depth: int = 12,
    max_units: int = 6,
    activations: Any = Activation,
    initializers: Any = Initializer,
    head_activations: Any = Activation,
    wide: bool = False,
) -> Network:
    """Networks of 1 to ``max_depth`` unrolled layers and a head; some layers repeated, some named."""

    def layers(room: int, nested: int) -> tuple[list[Layer], int]:
        made: list[Layer] = []
        depth = 0
        while depth < room and (not made or draw(st.booleans())):
            if nested < 2 and draw(st.integers(0, 3)) == 0:
                times = draw(st.integers(1, room - depth))
                inner, inner_depth = layers((room - depth) // times, nested + 1)
                made.append(Repeat(times=times, layers=tuple(inner)))
                depth += times * inner_depth
            else:
                made.append(
                    draw(
                        dense_layers(
                            activations=activations,
                            initializers=initializers,
                            max_units=max_units,
                            wide=wide,
                        )
                    )
                )
                depth += 1
        return made, depth

    made, _ = layers(draw(st.integers(1, max_depth)), 0)
    named = [_named(layer, f"given_{i}") if draw(st.booleans()) else layer for i, layer in enumerate(made)]
    return Network(layers=tuple(named), head=Head(**draw(_weights(head_activations, initializers, wide))))


def _named(layer: Layer, name: str) -> Layer:
    return msgspec.structs.replace(layer, name=name)


@st.composite
def recurrent_layers(
    draw: st.DrawFn,
    *,
    every_step: bool,
    initializers: Any = Initializer,
    max_units: int = 6,
    wide: bool = False,
) -> tuple[Recurrent, ...]:
    """One to three recurrent layers on top of each other without names.

    Parameters
    ----------
    draw : callable
        Given by hypothesis.
    every_step : bool
        Whether the last of them hands on every step, as those before it do.
    initializers : union or sequence of struct classes
        What to choose from, for the input weights and the recurrent ones.
    max_units : int
        Most units of each.
    wide : bool
        Draw every number from its whole range.
    """
    known = {field.name: field for field in fields_of(Recurrent)}
    chosen = ("cell", "activation", "bias", "forget_bias", "reset_after", "truncation", "learning_rate_scale")
    count = draw(st.integers(1, 3))
    return tuple(
        Recurrent(
            units=draw(st.integers(1, 4096 if wide else max_units)),
            initializer=draw(any_of(initializers, wide=wide)),
            recurrent_initializer=draw(any_of(initializers, wide=wide)),
            trainable=draw(st.sampled_from([True, True, True, False])),
            return_sequences=every_step or number < count,
            **{name: draw(_values(known[name], wide)) for name in chosen},
        )
        for number in range(1, count + 1)
    )


@st.composite
def trainings(draw: st.DrawFn, *, loss: str | None = None, wide: bool = False) -> Training:
    """Any optimizer, schedule and clipping."""
    known = {field.name: field for field in fields_of(Training)}
    return Training(
        loss=loss if loss is not None else draw(st.sampled_from(get_args(LossName))),
        optimizer=draw(any_of(Optimizer, wide=wide)),
        schedule=draw(any_of(Schedule, wide=wide)),
        clipping=draw(any_of(Clipping, wide=wide)),
        batch_size=draw(_values(known["batch_size"], wide)),
        shuffle=draw(st.booleans()),
    )


HEADS: dict[str, Any] = {"cross_entropy": [Softmax], "binary_cross_entropy": [Sigmoid]}


@st.composite
def experiments(
    draw: st.DrawFn,
    *,
    data: Any = Data,
    losses: Sequence[str] = get_args(LossName),
    activations: Any = Activation,
    initializers: Any = Initializer,
    precisions: Sequence[str] = ("float32", "float64"),
    max_depth: int = 12,
    max_units: int = 6,
    wide: bool = False,
) -> Experiment:
    """Valid experiments: any combination of data, loss and head that fits together.

    On data with time steps the network begins with recurrent layers.

    Parameters
    ----------
    draw : callable
        Given by hypothesis.
    data, activations, initializers : union or sequence of struct classes
        What to choose from; ``data=TIMELESS`` draws no sequences and so no recurrent layers.
    losses, precisions : sequence of str
        What to choose from; a loss that compares with classes is drawn only for data that have some.
    max_depth, max_units : int
        Most layers after repeats, the recurrent ones not counted, and most units of each.
    wide : bool
        Draw every number from its whole range; such an experiment is valid but may be too large to run.
    """
    drawn = draw(any_of(data, wide=wide))
    fitting = [
        loss for loss in losses if loss not in HEADS or task(Experiment(data=drawn)) == "classification"
    ]
    loss = draw(st.sampled_from(fitting))
    network = draw(
        networks(
            max_depth=max_depth,
            max_units=max_units,
            activations=activations,
            initializers=initializers,
            head_activations=HEADS.get(loss, activations),
            wide=wide,
        )
    )
    if drawn.is_sequence:
        every_step = drawn.answers_every_step
        recurrent = recurrent_layers(
            every_step=every_step, initializers=initializers, max_units=max_units, wide=wide
        )
        network = msgspec.structs.replace(network, layers=(*draw(recurrent), *network.layers))
    return Experiment(
        name=draw(st.text(st.characters(codec="utf-8"), max_size=20)),
        seed=draw(st.integers(0, 2**53 - 1)),
        precision=draw(st.sampled_from(precisions)),
        data=drawn,
        network=network,
        training=draw(trainings(loss=loss, wide=wide)),
    )
