"""Hypothesis strategies for networks in which layers of every kind nest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from gradsim.spec import (
    Activation,
    ActivationLayer,
    Dense,
    Dropout,
    Experiment,
    Head,
    Initializer,
    Layer,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    unrolled_layers,
)
from tests.spec.strategies import any_of

RATES = {"trainable": st.sampled_from([True, True, True, False]), "learning_rate_scale": st.floats(0.0, 2.0)}


def normalizations() -> st.SearchStrategy[Normalization]:
    """A normalization of any method."""
    return st.builds(
        Normalization,
        method=st.sampled_from(["batch", "layer", "rms"]),
        eps=st.sampled_from([1e-5, 1e-3]),
        momentum=st.floats(0.0, 1.0),
        affine=st.booleans(),
        **RATES,
    )


def recurrent_layers(max_units: int, initializers: Any) -> st.SearchStrategy[Recurrent]:
    """A recurrent layer of any cell."""
    return st.builds(
        Recurrent,
        cell=st.sampled_from(["simple", "lstm", "gru"]),
        units=st.integers(1, max_units),
        activation=st.sampled_from(["tanh", "relu", "linear"]),
        initializer=any_of(initializers),
        bias=st.booleans(),
        forget_bias=st.floats(-2.0, 2.0),
        reset_after=st.booleans(),
        return_sequences=st.booleans(),
        truncation=st.integers(0, 4),
        **RATES,
    )


def _with_weights(kind: Any, activations: Any, initializers: Any, **more: Any) -> st.SearchStrategy[Any]:
    return st.builds(
        kind,
        normalization=st.none() | normalizations(),
        activation=any_of(activations),
        initializer=any_of(initializers),
        bias=st.booleans(),
        **RATES,
        **more,
    )


@st.composite
def nested_networks(
    draw: st.DrawFn,
    *,
    max_depth: int = 10,
    max_units: int = 6,
    activations: Any = Activation,
    initializers: Any = Initializer,
    head_activations: Any = Activation,
    steps: bool = False,
    every_step: bool = False,
) -> Network:
    """Networks of 1 to ``max_depth`` unrolled layers of any kind and a head, inside each other at random.

    Parameters
    ----------
    draw : callable
        Given by hypothesis.
    max_depth, max_units : int
        Most layers after repeats, and most units of each.
    activations, initializers, head_activations : union or sequence of struct classes
        What to choose from.
    steps : bool
        Whether the samples have time steps; only then there are recurrent layers.
    every_step : bool
        Whether the head answers at every step; if not, a recurrent layer that ends with the last is added
        where none has been drawn.
    """
    leaves: dict[Any, st.SearchStrategy[Any]] = {
        Dense: _with_weights(Dense, activations, initializers, units=st.integers(1, max_units)),
        Normalization: normalizations(),
        ActivationLayer: st.builds(ActivationLayer, activation=any_of(activations)),
        Dropout: st.builds(Dropout, rate=st.floats(0.0, 0.9)),
    }
    recurrent = recurrent_layers(max_units, initializers)

    def layers(room: int, nested: int, in_time: bool) -> tuple[list[Layer], int, bool]:
        made: list[Layer] = []
        depth = 0
        while depth < room and (not made or draw(st.booleans())):
            shape = draw(st.sampled_from(["leaf", "leaf", "leaf", "repeat", "residual"]))
            if shape == "repeat" and nested < 3:
                times = draw(st.integers(1, min(3, room - depth)))
                inner, inner_depth, _ = layers((room - depth) // times, nested + 1, in_time)
                made.append(Repeat(times=times, layers=tuple(inner)))
                depth += times * inner_depth
            elif shape == "residual" and nested < 3 and room - depth > 1:
                inner, inner_depth, _ = layers(room - depth - 1, nested + 1, in_time)
                made.append(
                    Residual(
                        layers=tuple(inner),
                        scale=draw(st.sampled_from([1.0, 0.0, -0.5, 0.3])),
                        train_scale=draw(st.booleans()),
                        projection=draw(any_of(initializers)),
                        trainable=draw(st.booleans()),
                    )
                )
                depth += 1 + inner_depth
            elif in_time and draw(st.integers(0, 1)) == 0:
                drawn = draw(recurrent)
                keeps = nested > 0 or every_step or drawn.return_sequences
                made.append(msgspec.structs.replace(drawn, return_sequences=keeps))
                in_time, depth = keeps, depth + 1
            else:
                kind = draw(st.sampled_from([Dense, Dense, *leaves]))
                made.append(draw(leaves[kind]))
                depth += 1
        return made, depth, in_time

    made, _, in_time = layers(draw(st.integers(1, max_depth)), 0, steps)
    if in_time and not every_step:
        made.append(msgspec.structs.replace(draw(recurrent), return_sequences=False))
    named = [
        msgspec.structs.replace(layer, name=f"given_{i}") if draw(st.booleans()) else layer
        for i, layer in enumerate(made)
    ]
    head = draw(_with_weights(Head, head_activations, initializers))
    return Network(layers=tuple(named), head=head)


def normalizes_batches(experiment: Experiment) -> bool:
    """Whether the experiment has a batch normalization anywhere, which needs more than one row."""
    found: Sequence[Any] = [
        place.layer if isinstance(place.layer, Normalization) else getattr(place.layer, "normalization", None)
        for place in unrolled_layers(experiment.network)
    ]
    return any(normalization is not None and normalization.method == "batch" for normalization in found)
