"""The mean-field theory of the layer that most of a network is made of."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np

from gradsim.analysis.theory.mean_field import MeanField, mean_field_of
from gradsim.analysis.theory.variances import bias_moments, weight_variance
from gradsim.spec import Activation, Dense, Experiment, PlacedLayer, placed_layers
from gradsim.spec.activation import Softmax
from gradsim.trace import IterationTrace

Row = tuple[Activation, float, float]


def mean_field(of: IterationTrace | Experiment) -> MeanField | None:
    """Return what mean-field theory says of the plain dense layer that most of a network is made of.

    Parameters
    ----------
    of : IterationTrace or Experiment
        A network. Of a record the signal starts at the measured variance of the first layer's z, of an experiment at
        that of inputs of rms 1.

    Returns
    -------
    MeanField or None
        None where no dense layer follows on another one plainly, without normalization, skip or time between, from
        weights drawn at random and biases of mean 0.
    """
    experiment = of if isinstance(of, Experiment) else of.experiment
    rows: Counter[Row] = Counter()
    before: Dense | None = None
    for placed in placed_layers(experiment.network):
        row = _row(placed, before)
        if row is not None:
            rows[row] += 1
        is_plain = isinstance(placed.layer, Dense) and placed.layer.normalization is None
        before = placed.layer if is_plain and isinstance(placed.layer, Dense) else None
    if not rows:
        return None
    (activation, weight, bias), _ = rows.most_common(1)[0]
    start = None
    if isinstance(of, IterationTrace):
        first = next(layer for layer in of.layers if layer.number is not None)
        measured = float(np.mean(first["pre_activation"].astype(np.float64) ** 2))
        # To two digits: which q* is reached seldom hangs on more, and the question comes at every iteration.
        start = float(f"{measured:.1e}") if np.isfinite(measured) else None
    return _kept(activation, weight, bias, start)


def _row(placed: PlacedLayer, before: Dense | None) -> Row | None:
    layer = placed.layer
    if before is None or not isinstance(layer, Dense) or layer.normalization is not None:
        return None
    variance = weight_variance(layer.initializer, before.units, layer.units)
    mean, bias = bias_moments(layer.bias_initializer, before.units, layer.units) if layer.bias else (0.0, 0.0)
    if variance is None or mean or isinstance(layer.activation, Softmax):
        return None
    return layer.activation, before.units * variance, bias


@lru_cache(256)
def _kept(activation: Activation, weight: float, bias: float, start: float | None) -> MeanField:
    return mean_field_of(activation, weight, bias, start)
