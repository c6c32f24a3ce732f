"""The variance with which the weights and biases of a layer start, by the rules of ``gradsim.spec.initializer``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradsim.spec import initializer as rules

_FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: float(fan_in),
    "fan_out": lambda fan_in, fan_out: float(fan_out),
    "fan_avg": lambda fan_in, fan_out: 0.5 * (fan_in + fan_out),
}

_VARIANCES: dict[type[Any], Callable[[Any, int, int], float]] = {
    rules.VarianceScaling: lambda r, i, o: r.scale / _FANS[r.mode](i, o),
    rules.GlorotNormal: lambda r, i, o: 2.0 / (i + o),
    rules.GlorotUniform: lambda r, i, o: 2.0 / (i + o),
    rules.XavierNormal: lambda r, i, o: 2.0 / (i + o),
    rules.XavierUniform: lambda r, i, o: 2.0 / (i + o),
    rules.HeNormal: lambda r, i, o: 2.0 / (1.0 + r.slope**2) / i,
    rules.HeUniform: lambda r, i, o: 2.0 / (1.0 + r.slope**2) / i,
    rules.KaimingNormal: lambda r, i, o: 2.0 / (1.0 + r.slope**2) / i,
    rules.KaimingUniform: lambda r, i, o: 2.0 / (1.0 + r.slope**2) / i,
    rules.LecunNormal: lambda r, i, o: 1.0 / i,
    rules.LecunUniform: lambda r, i, o: 1.0 / i,
    rules.PytorchLinearDefault: lambda r, i, o: 1.0 / (3.0 * i),
    rules.Normal: lambda r, i, o: r.std**2,
    rules.Uniform: lambda r, i, o: r.limit**2 / 3.0,
    rules.Orthogonal: lambda r, i, o: r.gain**2 / max(i, o),
    rules.Sparse: lambda r, i, o: r.std**2 * (1.0 - r.sparsity),
}
_FIXED: dict[type[Any], Callable[[Any], float]] = {
    rules.Zeros: lambda r: 0.0,
    rules.Ones: lambda r: 1.0,
    rules.Constant: lambda r: r.value,
}


def weight_variance(rule: rules.Initializer, fan_in: int, fan_out: int) -> float | None:
    """Return the variance of each weight of a layer at its start.

    Parameters
    ----------
    rule : Initializer
        As in the experiment.
    fan_in, fan_out : int
        Width of the layer's input and output.

    Returns
    -------
    float or None
        None for rules that draw nothing (zeros, ones, constant, identity): no theory of random weights applies.
    """
    variance = _VARIANCES.get(type(rule))
    return None if variance is None else variance(rule, fan_in, fan_out)


def bias_moments(rule: rules.BiasInitializer, fan_in: int, fan_out: int) -> tuple[float, float]:
    """Return mean and variance of the biases of a layer at its start.

    Parameters
    ----------
    rule : BiasInitializer
        As in the experiment.
    fan_in, fan_out : int
        Width of the layer's input and output.

    Returns
    -------
    mean, variance : float
        The variance is 0 where all biases are the same.
    """
    if type(rule) in _FIXED:
        return _FIXED[type(rule)](rule), 0.0
    return 0.0, _VARIANCES[type(rule)](rule, fan_in, fan_out)
