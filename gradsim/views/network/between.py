"""What stands between the columns: layers without a number, and the arcs of residual skips. Without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradsim.analysis import ResidualBlock
from gradsim.analysis.layer_specs import layer_specs
from gradsim.spec import Dropout, Normalization
from gradsim.trace import IterationTrace, LayerTrace


@dataclass(frozen=True, slots=True)
class Tag:
    """A layer without a number between two columns.

    Attributes
    ----------
    layer : int
        Index into ``IterationTrace.layers``.
    place : float
        In columns: 1.5 is in the middle between columns 1 and 2.
    text : str
        What it is, in a word or two.
    """

    layer: int
    place: float
    text: str


def layer_words(trace: IterationTrace) -> tuple[str, ...]:
    """Return what each layer does besides its weights, such as ``tanh``, ``batch norm`` or ``dropout 0.3``.

    Parameters
    ----------
    trace : IterationTrace
        Any record.

    Returns
    -------
    tuple of str
        One for each of ``IterationTrace.layers``.
    """
    if all(layer.kind == "dense" and "normalized" not in layer.tensors for layer in trace.layers):
        return tuple(layer.activation_kind for layer in trace.layers)
    layers = layer_specs(trace.experiment.network)
    return tuple(_words(layer, spec) for layer, spec in zip(trace.layers, layers, strict=True))


def _words(layer: LayerTrace, spec: Any) -> str:
    if isinstance(spec, Normalization):
        return f"{spec.method} norm"
    if isinstance(spec, Dropout):
        return f"dropout {spec.rate:g}"
    if layer.kind == "dense" and spec.normalization is not None:
        return f"{spec.normalization.method} norm, {layer.activation_kind}"
    if layer.kind == "recurrent":
        return layer.activation_kind if spec.cell == "simple" else str(spec.cell).upper()
    return "residual" if layer.kind == "residual" else layer.activation_kind


def tags_between(layers: Sequence[LayerTrace], words: Sequence[str]) -> tuple[Tag, ...]:
    """Return the layers without a number, those of a gap side by side in the order of the pass.

    Parameters
    ----------
    layers : sequence of LayerTrace
        All layers.
    words : sequence of str
        From ``layer_words``.

    Returns
    -------
    tuple of Tag
        Residual blocks are arcs, not tags.
    """
    gaps: dict[int, list[int]] = {}
    column = 0
    for layer in layers:
        if layer.number is not None:
            column = layer.number
        elif layer.kind != "residual":
            gaps.setdefault(column, []).append(layer.index)
    return tuple(
        Tag(index, column + (place + 1) / (len(indices) + 1), words[index])
        for column, indices in gaps.items()
        for place, index in enumerate(indices)
    )


def arc_levels(blocks: Sequence[ResidualBlock]) -> dict[int, int]:
    """Return how high the arc of each block stands: one above the highest of those inside it, from 1.

    Parameters
    ----------
    blocks : sequence of ResidualBlock
        Inner ones before the block they are in.

    Returns
    -------
    dict from int to int
        Index of the block → level.
    """
    levels: dict[int, int] = {}
    for block in blocks:
        inner = [level for index, level in levels.items() if block.first <= index < block.index]
        levels[block.index] = max(inner, default=0) + 1
    return levels
