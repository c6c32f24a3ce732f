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
from gradsim.views.inspection.recurrent import GATES

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
    "recurrent_bias": "bᵣ",
    "prelu_slope": "p",
    "scale": "α",
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
    if factor.time is not None:
        return _cell_words(layer, factor, unit, way)
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


def _cell_words(layer: LayerTrace, factor: ChainFactor, unit: str, way: str) -> FactorWords:
    """Return a factor inside a recurrent cell, with its step of time."""
    assert factor.time is not None
    here = f"{layer.name}, {unit}, step {factor.time + 1}"
    count = layer.recurrent_weight.shape[1] // layer.fan_out
    gates = next(names for names in GATES.values() if len(names) == count)
    gate = "" if factor.gate is None else gates[factor.gate]
    of_gate = f" of gate {gate}" if gate else ""
    if factor.part == "input":
        return FactorWords("∂z/∂w", "weight", f"what the weight is multiplied by at step {factor.time + 1}")
    if factor.part == "slope":
        return FactorWords("∂h/∂z", "output", f"φ′, {here}")
    if factor.part == "recurrent":
        return FactorWords(
            "∂z/∂h", "none", f"recurrent weight {way}{of_gate} of {layer.name}, to step {factor.time + 1}"
        )
    if factor.part == "weight":
        return FactorWords(
            "∂z/∂x", "none", f"input weight {way}{of_gate} of {layer.name}, step {factor.time + 1}"
        )
    if factor.part == "gate":
        target = "h" if gate in ("o", "u", "n") else "c" if count == len(GATES["lstm"]) else "zₙ"
        return FactorWords(f"∂{target}/∂z", "output", f"slope{of_gate} times what it multiplies, {here}")
    if factor.part == "keep":
        state = "c" if gate == "f" else "h"
        return FactorWords(f"∂{state}/∂{state}₋₁", "none", f"gate {gate} keeps the state, {here}")
    if factor.part == "show":
        return FactorWords("∂h/∂c", "none", f"gate o times tanh′ c, {here}")
    if factor.part == "reset":
        return FactorWords("r", "none", f"reset gate, {here}")
    return FactorWords("∂L/∂h", "loss", f"recorded above {here}")


def _mark(layer: LayerTrace) -> str:
    return f"({layer.name})" if layer.number is None else str(layer.number).translate(_SUBSCRIPTS)


def unit_chain(trace: IterationTrace, chain: WeightChain, path: ChainPath) -> tuple[tuple[int, ...], ...]:
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
    tuple of (int, int) or (int, int, int)
        Index of a layer that has a number, −1 for the input of the network, and unit; of a recurrent layer its
        step of time, too. Where a skip leads past layers, they are left out.
    """
    units = [place for place in path.units if trace.layers[place[0]].number is not None]
    first = path.factors[0].time
    if chain.tensor == "recurrent_weight" and first:
        units.insert(0, (chain.layer, chain.row, first - 1))
    elif chain.tensor in ("weight", "projection", "input_weight"):
        below = layer_below(trace, chain.layer)
        is_recurrent = first is not None and below >= 0 and trace.layers[below].kind == "recurrent"
        units.insert(0, (below, chain.row, *((first,) if is_recurrent and first is not None else ())))
    return tuple(units)


def layer_below(trace: IterationTrace, layer: int) -> int:
    """Return the layer with a number whose units a layer gets as its input: −1 for the input of the network."""
    first = layer
    if trace.layers[layer].kind == "residual":
        first = next(block.first for block in residual_blocks(trace) if block.index == layer)
    below = [one.index for one in trace.layers[:first] if one.number is not None]
    return below[-1] if below else -1


def count_text(count: int) -> str:
    """Return a number of paths: in full, or as a power of ten."""
    if count < 1_000_000:
        return f"{count:,}"
    return f"about {power_of_ten(int(math.log10(count)))}"
