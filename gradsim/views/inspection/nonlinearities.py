"""Nonlinearities and their slopes with numbers. A row in ``_VALUES`` or ``_SLOPES`` writes one out; others by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradsim.analysis.activation_functions import FUNCTIONS, activation_pair
from gradsim.spec import kind_of
from gradsim.trace import LayerTrace
from gradsim.views.inspection.marked_number import told
from gradsim.views.inspection.sums import factor_text


def _leaky(z: float, slope: float) -> str:
    return told(z) if z > 0 else f"{factor_text(slope)}·{factor_text(z)}"


_VALUES: dict[str, Callable[[float], str]] = {
    "linear": told,
    "sigmoid": lambda z: f"1 / (1 + exp({told(-z)}))",
    "tanh": lambda z: f"tanh({told(z)})",
    "relu": lambda z: f"max({told(z)}, 0)",
    "softplus": lambda z: f"ln(1 + exp({told(z)}))",
    "softsign": lambda z: f"{told(z)} / (1 + |{told(z)}|)",
    "silu": lambda z: f"{factor_text(z)} / (1 + exp({told(-z)}))",
    "hard_tanh": lambda z: f"min(max({told(z)}, −1), 1)",
    "relu6": lambda z: f"min(max({told(z)}, 0), 6)",
}

_SLOPES: dict[str, Callable[[float, float], tuple[str, str]]] = {
    "linear": lambda _z, _a: ("φ′(z) = 1", "1"),
    "sigmoid": lambda _z, a: ("φ′(z) = a (1 − a)", f"{factor_text(a)}·(1 − {told(a)})"),
    "tanh": lambda _z, a: ("φ′(z) = 1 − a²", f"1 − {factor_text(a)}²"),
    "relu": lambda z, _a: ("φ′(z) = 1 for z > 0, else 0", f"z = {told(z)}"),
}


def value_text(layer: LayerTrace, spec: Any, z: float, unit: int) -> str:
    """Return φ(z) with its number filled in, without the result.

    Parameters
    ----------
    layer : LayerTrace
        The layer.
    spec : struct
        Its activation as it was asked for.
    z : float
        What it is applied to.
    unit : int
        Of the layer, for slopes that are trained one per unit.

    Returns
    -------
    str
        Marked, such as ``1 / (1 + exp(−0.5))``; ``gelu(0.5)`` where no short form is known.
    """
    kind = layer.activation_kind
    if kind == "leaky_relu":
        return _leaky(z, float(spec.slope))
    if kind == "prelu":
        slopes = layer.prelu_slope
        return _leaky(z, float(slopes[min(unit, len(slopes) - 1)]))
    if kind in _VALUES:
        return _VALUES[kind](z)
    return f"{kind}({told(z)})"


def value_at(layer: LayerTrace, spec: Any, z: float, unit: int) -> float:
    """Return φ(z) in float64, of a softmax NaN: it needs all units.

    Parameters
    ----------
    layer : LayerTrace
        The layer.
    spec : struct or str
        Its activation as it was asked for; of a simple cell by name.
    z : float
        What it is applied to.
    unit : int
        Of the layer, for slopes that are trained one per unit.

    Returns
    -------
    float
        NaN where z is.
    """
    at = np.array([z], dtype=np.float64)
    if isinstance(spec, str):
        with np.errstate(all="ignore"):
            return float(FUNCTIONS[spec].of(at, 0.0, 0.0)[0][0])
    if kind_of(spec) == "softmax":
        return float("nan")
    slopes = layer.tensors.get("prelu_slope")
    if slopes is not None:
        slopes = slopes[min(unit, len(slopes) - 1), None]
    return float(activation_pair(spec, at, slopes)[0][0])


def slope_text(layer: LayerTrace, z: float, a: float, slope: float, *, is_mean: bool = False) -> str:
    """Return the slope of a nonlinearity as a line of its own, with how it comes from z or a.

    Parameters
    ----------
    layer : LayerTrace
        The layer.
    z, a : float
        Before and after the nonlinearity.
    slope : float
        The recorded φ'(z).
    is_mean : bool, default False
        Whether they are means over a batch, of which no slope follows from the others.

    Returns
    -------
    str
        Marked, such as ``φ′(z) = a (1 − a) = 0.6·(1 − 0.6) = 0.24``.
    """
    if is_mean:
        return f"mean φ′(z) = {told(slope)}"
    if layer.activation_kind not in _SLOPES:
        return f"φ′({told(z)}) = {told(slope)}"
    symbols, numbers = _SLOPES[layer.activation_kind](z, a)
    if layer.activation_kind == "linear":
        return symbols
    if layer.activation_kind == "relu":
        return f"{symbols}: {numbers}, φ′ = {told(slope)}"
    return f"{symbols} = {numbers} = {told(slope)}"
