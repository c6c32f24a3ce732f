"""How values, layers and edits are said in a few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gradsim.spec import (
    ActivationLayer,
    Dense,
    Dropout,
    Head,
    Kind,
    Network,
    Normalization,
    Recurrent,
    Repeat,
    Residual,
    kind_of,
)
from gradsim.spec.fields import title_of
from gradsim.views.builder.whole_network import Place


def value_text(value: object) -> str:
    """Return a value as it is said in a line of status."""
    match value:
        case Kind():
            return title_of(type(value))
        case bool():
            return "on" if value else "off"
        case float():
            return number_text(value)
        case tuple() if all(isinstance(item, float) for item in value):
            return ", ".join(map(number_text, value))
        case tuple():
            return f"{len(value)} rows"
        case None | "":
            return "none"
        case _:
            return str(value)


def number_text(value: float) -> str:
    """Return a real as short as it can be said: ``0.001``, ``1e-08``, ``0.3333333333``."""
    return f"{value:.10g}"


def edit_text(title: str, value: object) -> str:
    """Return the words for an edit; those before the colon name the thing that was edited."""
    return f"{title}: {value_text(value)}"


def layer_text(layer: Kind | Head) -> str:
    """Return a layer on one line, such as ``dense 64 · sigmoid · glorot_uniform``."""
    words = LAYER_TEXTS.get(type(layer))
    return words(layer) if words else kind_of(layer) if isinstance(layer, Kind) else "head"


def _weights(layer: Any) -> list[str]:
    parts = [kind_of(layer.activation), kind_of(layer.initializer)]
    if layer.normalization is not None:
        parts.insert(0, f"{layer.normalization.method} norm")
    if not layer.bias:
        parts.append("no bias")
    return [*parts, *_training(layer)]


def _training(layer: Any) -> list[str]:
    parts = [] if layer.trainable else ["frozen"]
    if layer.learning_rate_scale != 1.0:
        parts.append(f"η × {number_text(layer.learning_rate_scale)}")
    return parts


def _dense_text(layer: Any) -> str:
    return " · ".join([f"{layer.name or 'dense'} {layer.units}", *_weights(layer)])


def _repeat_text(layer: Any) -> str:
    return f"{layer.name or 'repeat'} × {layer.times}"


def _normalization_text(layer: Any) -> str:
    parts = [f"{layer.name} · {layer.method}" if layer.name else f"{layer.method} normalization"]
    if not layer.affine:
        parts.append("no gamma, beta")
    return " · ".join([*parts, *_training(layer)])


def _activation_text(layer: Any) -> str:
    return f"{layer.name or 'activation'} {kind_of(layer.activation)}"


def _dropout_text(layer: Any) -> str:
    return f"{layer.name or 'dropout'} {number_text(layer.rate)}"


def _residual_text(layer: Any) -> str:
    if layer.train_scale:
        alpha = [f"α from {number_text(layer.scale)}, trained"]
    else:
        alpha = [f"α {number_text(layer.scale)}"] if layer.scale != 1.0 else []
    return " · ".join([layer.name or "residual", *alpha, *_training(layer)])


def _recurrent_text(layer: Any) -> str:
    parts = [f"{layer.name or layer.cell} {layer.units}"]
    if layer.cell == "simple":
        parts = [f"{layer.name or 'recurrent'} {layer.units}", layer.activation]
    parts.append("every step" if layer.return_sequences else "last step")
    return " · ".join([*parts, *_training(layer)])


def _head_text(layer: Any) -> str:
    return " · ".join(["head", *_weights(layer)])


LAYER_TEXTS: dict[type[msgspec.Struct], Callable[[Any], str]] = {
    Dense: _dense_text,
    Repeat: _repeat_text,
    Head: _head_text,
    Normalization: _normalization_text,
    ActivationLayer: _activation_text,
    Dropout: _dropout_text,
    Residual: _residual_text,
    Recurrent: _recurrent_text,
}
"""One row per kind of layer; a kind without a row is shown by its name alone."""


def layer_numbers(network: Network) -> dict[Place, str]:
    """Return the numbers 1…L that each place of the tree stands for, such as ``2–11``.

    Parameters
    ----------
    network : Network
        Any network.

    Returns
    -------
    dict from Place to str
        Layers inside a repeat carry the numbers of all their copies, from the first to the last. A layer
        without a number, such as a dropout, has no entry.
    """
    spans: dict[Place, tuple[int, int]] = {}

    def walk(layers: tuple[Any, ...], place: Place, start: int) -> int:  # numpydoc ignore=GL08
        # numbers the layers once and returns the next number
        for index, layer in enumerate(layers):
            here, end = (*place, index), start
            if isinstance(layer, Repeat | Residual):
                end = walk(layer.layers, here, start)
            elif isinstance(layer, Dense | Recurrent):
                end = start + 1
            if isinstance(layer, Repeat):
                length = end - start
                for inner in [key for key in spans if key[: len(here)] == here]:
                    first, last = spans[inner]
                    spans[inner] = (first, last + length * (layer.times - 1))
                end = start + length * layer.times
            if end > start:
                spans[here] = (start, end - 1)
            start = end
        return start

    end = walk(network.layers, (), 1)
    texts = {place: f"{a}" if a == b else f"{a}–{b}" for place, (a, b) in spans.items()}
    return texts | {(len(network.layers),): f"{end}"}
