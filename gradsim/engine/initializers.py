"""How parameters start: one rule, ``variance_scaling``, its named cases, and the few that are no case of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Initializer, initializer
from gradsim.spec.initializer import BiasInitializer

Values = NDArray[np.float64]

TRUNCATED_NORMAL_SD = 0.87962566103423978
"""Standard deviation of a standard normal cut at ±2: dividing by it gives back the nominal variance."""

GAINS: dict[str, float | Callable[[float], float]] = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "leaky_relu": lambda slope: math.sqrt(2.0 / (1.0 + slope**2)),
    "selu": 0.75,
}


def calculate_gain(activation: str, slope: float = 0.01) -> float:
    """Return the gain that PyTorch recommends for the activation that follows.

    Parameters
    ----------
    activation : str
        ``linear``, ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` or ``selu``.
    slope : float, default 0.01
        Slope of a leaky ReLU for z ≤ 0.

    Returns
    -------
    float
        Factor on the standard deviation 1/√fan.

    Raises
    ------
    ValueError
        For an activation without a recommendation.
    """
    if activation not in GAINS:
        raise ValueError(f"no recommended gain for {activation!r}; there is one for {', '.join(GAINS)}")
    gain = GAINS[activation]
    return gain(slope) if callable(gain) else gain


def variance_scaling(
    fans: tuple[int, int],
    rng: np.random.Generator,
    scale: float = 1.0,
    mode: str = "fan_in",
    distribution: str = "truncated_normal",
    shape: tuple[int, ...] | None = None,
) -> Values:
    """Return values of mean 0 and variance ``scale / fan``.

    Parameters
    ----------
    fans : tuple of int
        (fan_in, fan_out) of the layer.
    rng : numpy.random.Generator
        The stream of this parameter.
    scale : float
        Numerator of the variance.
    mode : {"fan_in", "fan_out", "fan_avg"}
        Its denominator; ``fan_avg`` is the mean of the two.
    distribution : {"normal", "truncated_normal", "uniform"}
        The truncated normal is cut at ±2 standard deviations and widened to keep the variance; the uniform
        has the limit √(3 · variance).
    shape : tuple of int or None
        Of the values: (fan_in, fan_out) by default, (fan_out,) for a bias.

    Returns
    -------
    ndarray of float64
        To be rounded to the precision of the experiment by the caller.
    """
    fan_in, fan_out = fans
    shape = fans if shape is None else shape
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / fan
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape)
    if distribution == "normal":
        return rng.normal(0.0, math.sqrt(variance), shape)
    return _truncated_normal(shape, rng) * (math.sqrt(variance) / TRUNCATED_NORMAL_SD)


def _truncated_normal(shape: tuple[int, ...], rng: np.random.Generator) -> Values:
    values = rng.standard_normal(shape)
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2.0
    return values


def _orthogonal(shape: tuple[int, int], rng: np.random.Generator, gain: float) -> Values:
    """Return Q of a Gaussian matrix, signs fixed so that Q is uniform (Saxe et al. 2013; Mezzadri 2007)."""
    rows, columns = shape
    gaussian = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(gaussian)
    q = q * np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return np.ascontiguousarray(gain * (q if rows >= columns else q.T))


def _sparse(shape: tuple[int, int], rng: np.random.Generator, sparsity: float, std: float) -> Values:
    """Martens (2010): every unit keeps the same number of inputs, chosen at random."""
    values = rng.normal(0.0, std, shape)
    zeros = math.ceil(sparsity * shape[0])
    for column in range(shape[1]):
        values[rng.permutation(shape[0])[:zeros], column] = 0.0
    return values


def _identity(shape: tuple[int, int], gain: float) -> Values:
    return gain * np.eye(*shape)


_CASES: dict[type[Any], tuple[float, str, str]] = {
    initializer.GlorotNormal: (1.0, "fan_avg", "normal"),
    initializer.GlorotUniform: (1.0, "fan_avg", "uniform"),
    initializer.XavierNormal: (1.0, "fan_avg", "normal"),
    initializer.XavierUniform: (1.0, "fan_avg", "uniform"),
    initializer.HeNormal: (2.0, "fan_in", "normal"),
    initializer.HeUniform: (2.0, "fan_in", "uniform"),
    initializer.KaimingNormal: (2.0, "fan_in", "normal"),
    initializer.KaimingUniform: (2.0, "fan_in", "uniform"),
    initializer.LecunNormal: (1.0, "fan_in", "normal"),
    initializer.LecunUniform: (1.0, "fan_in", "uniform"),
    # U(±1/√fan_in) has variance 1 / (3 fan_in).
    initializer.PytorchLinearDefault: (1.0 / 3.0, "fan_in", "uniform"),
}
"""Scale, fan and distribution of the named cases of ``variance_scaling``."""

_RULES: dict[type[Any], Callable[[Any, Any, np.random.Generator], Values]] = {
    initializer.Zeros: lambda s, shape, rng: np.zeros(shape),
    initializer.Ones: lambda s, shape, rng: np.ones(shape),
    initializer.Constant: lambda s, shape, rng: np.full(shape, s.value),
    initializer.Identity: lambda s, shape, rng: _identity(shape, s.gain),
    initializer.Normal: lambda s, shape, rng: rng.normal(0.0, s.std, shape),
    initializer.Uniform: lambda s, shape, rng: rng.uniform(-s.limit, s.limit, shape),
    initializer.Orthogonal: lambda s, shape, rng: _orthogonal(shape, rng, s.gain),
    initializer.Sparse: lambda s, shape, rng: _sparse(shape, rng, s.sparsity, s.std),
}
"""The rules that know nothing of a fan; identity, orthogonal and sparse want a matrix."""


def _initial(spec: Any, fans: tuple[int, int], shape: tuple[int, ...], rng: np.random.Generator) -> Values:
    if isinstance(spec, initializer.VarianceScaling):
        return variance_scaling(fans, rng, spec.scale, spec.mode, spec.distribution, shape)
    if type(spec) in _CASES:
        scale, mode, distribution = _CASES[type(spec)]
        slope = getattr(spec, "slope", 0.0)
        return variance_scaling(fans, rng, scale / (1.0 + slope**2), mode, distribution, shape)
    return _RULES[type(spec)](spec, shape, rng)


def initial_weight(spec: Initializer, shape: tuple[int, int], rng: np.random.Generator) -> Values:
    """Return the first values of a weight matrix.

    Parameters
    ----------
    spec : Initializer
        Which rule.
    shape : tuple of int
        (fan_in, fan_out).
    rng : numpy.random.Generator
        The stream of this parameter.

    Returns
    -------
    ndarray of float64, shape (fan_in, fan_out)
        The values.
    """
    return _initial(spec, shape, shape, rng)


def initial_bias(spec: BiasInitializer, fan_in: int, fan_out: int, rng: np.random.Generator) -> Values:
    """Return the first values of a bias.

    Parameters
    ----------
    spec : BiasInitializer
        Which rule.
    fan_in, fan_out : int
        Of the layer, so that PyTorch's default takes the layer's fan and not the bias's own.
    rng : numpy.random.Generator
        The stream of this parameter.

    Returns
    -------
    ndarray of float64, shape (fan_out,)
        The values.
    """
    return _initial(spec, (fan_in, fan_out), (fan_out,), rng)
