"""The factors of a chain rule and its paths in symbols and words. Without Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gradsim.analysis.chain_paths import ChainFactor, ChainPath
from gradsim.analysis.chain_rule import WeightChain
from gradsim.analysis.residual_stream import residual_blocks
from gradsim.trace import IterationTrace, LayerTrace
from gradsim.views.inspection.number_text import power_of_ten

Role = Literal["loss", "output", "weight", "both", "none"]
"""Whose colour a factor has: loss by output, output by pre-activation, pre-activation by weight, the first two in
one, or none of the three."""

ROLE_WORDS: dict[Role, str] = {
    "loss": "loss by output",
    "output": "output by pre-activation",
    "weight": "pre-activation by weight",
    "both": "loss by pre-activation",
    "none": "",
}

PARAMETER_LETTERS = {
    "weight": "W",
    "bias": "b",
    "gamma": "γ",
    "beta": "β",
    "projection": "P",
    "recurrent_weight": "R",
    "input_weight": "W",
}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class FactorWords:
    """A factor as it is shown.

    Attributes
    ----------
    symbol : str
        Such as ``∂a₂/∂z₂``.
    role : str
        Whose colour it has.
    words : str
        What it is.
    """

    symbol: str
    role: Role
    words: str


def factor_words(trace: IterationTrace, factor: ChainFactor) -> FactorWords:
    """Return a factor of a path in symbols and words; units are counted from 1.

    Parameters
    ----------
    trace : IterationTrace
        The record.
    factor : ChainFactor
        One of its factors.

    Returns
    -------
    FactorWords
        With the number of the layer as an index, or its name where it has none.
    """
    layer = trace.layers[factor.layer]
    mark = _mark(layer)
    way = f"{factor.source + 1}→{factor.unit + 1}"
    unit = f"unit {factor.unit + 1}"
    if factor.part == "input":
        return FactorWords(f"∂z{mark}/∂w", "weight", "what the weight is multiplied by")
    if factor.part == "slope":
        return FactorWords(f"∂a{mark}/∂z{mark}", "output", f"φ′ of {layer.name}, {unit}")
    if factor.part == "weight":
        return FactorWords(f"∂z{mark}/∂a", "none", f"weight {way} of {layer.name}")
    if factor.part == "jacobian":
        return FactorWords(f"J{mark}", "output", f"Jacobian {way} of {layer.name}")
    if factor.part == "mask":
        return FactorWords("m", "none", f"mask of {layer.name}, {unit}")
    if factor.part == "skip":
        return FactorWords("skip", "none", f"{layer.name}, {way if 'skip' in layer.tensors else unit}")
    if factor.part == "branch":
        return FactorWords("α", "none", f"scale of the branch of {layer.name}")
    if factor.part == "loss":
        return FactorWords(f"∂L/∂a{mark}", "loss", f"output {factor.unit + 1}")
    if factor.part == "loss_and_slope":
        return FactorWords(
            f"∂L/∂z{mark}", "both", f"output {factor.unit + 1}, loss and {layer.activation_kind} in one"
        )
    if layer.kind == "dense":  # before the normalization inside it
        return FactorWords(f"∂L/∂z{mark}", "both", f"recorded δ of {layer.name}, {unit}")
    return FactorWords("∂L/∂x", "loss", f"recorded before {layer.name}, {unit}")


def _mark(layer: LayerTrace) -> str:
    return f"({layer.name})" if layer.number is None else str(layer.number).translate(_SUBSCRIPTS)


def unit_chain(trace: IterationTrace, chain: WeightChain, path: ChainPath) -> tuple[tuple[int, int], ...]:
    """Return the units a path goes through, from the source of the weight on, as a picture of the network shows them.

    Parameters
    ----------
    trace : IterationTrace
        The record.
    chain : WeightChain
        The weight.
    path : ChainPath
        One of its paths.

    Returns
    -------
    tuple of (int, int)
        Index of a layer that has a number, −1 for the input of the network, and unit. Where a skip leads past
        layers, they are left out.
    """
    units = [(layer, unit) for layer, unit in path.units if trace.layers[layer].number is not None]
    if chain.tensor in ("weight", "projection"):
        units.insert(0, (layer_below(trace, chain.layer), chain.row))
    return tuple(units)


def layer_below(trace: IterationTrace, layer: int) -> int:
    """Return the layer with a number whose units a layer gets as its input: −1 for the input of the network."""
    first = layer
    if trace.layers[layer].kind == "residual":
        first = next(block.first for block in residual_blocks(trace) if block.index == layer)
    below = [one.index for one in trace.layers[:first] if one.number is not None]
    return below[-1] if below else -1


def path_text(units: tuple[tuple[int, int], ...], most: int = 7) -> str:
    """Return the units of a path as a line, counted from 1: the input's as x₃; long ones without their middle."""
    names = [f"x{str(u + 1).translate(_SUBSCRIPTS)}" if layer < 0 else str(u + 1) for layer, u in units]
    if len(names) > most:
        names = [*names[: most // 2 + 1], "…", *names[-(most // 2) :]]
    return " → ".join(names)


def count_text(count: int) -> str:
    """Return a number of paths: in full, or as a power of ten."""
    if count < 1_000_000:
        return f"{count:,}"
    return f"about {power_of_ten(int(math.log10(count)))}"
