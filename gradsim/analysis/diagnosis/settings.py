"""Findings about what stands around the network: the scale of the inputs, clipping, the batch."""

from __future__ import annotations

import math

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.spec import Dense, Head, Normalization, kind_of
from gradsim.spec.training import NoClipping

CLIPPING_RECORDS = 100


def unscaled_inputs(case: Case) -> Measurement | Unknown:
    """Largest rms of an input column over the training samples, as the network sees it.

    LeCun et al. 1998 ask for mean 0 and sd 1; at 10 the first layer's weights get gradients a hundred times larger
    than they would (inputs enter the gradient's curvature squared).
    """
    values = case.samples.training_inputs.reshape(-1, case.samples.features)
    if not len(values):
        return Unknown("there are no samples")
    sizes = np.sqrt(np.square(values).mean(axis=0))
    worst = int(np.argmax(sizes))
    varying = values.std(axis=0)
    varying = varying[varying > 0]
    name = case.samples.feature_names[worst]
    kind = case.experiment.data.scaling
    return Measurement(
        float(sizes[worst]),
        f"The input “{name}” has an rms of {number(float(sizes[worst]))} over the training samples.",
        "The inputs enter as they are." if kind == "none" else f"The scaling “{kind}” leaves them so.",
        {},
        {
            f"mean of {name}": float(values[:, worst].mean()),
            f"standard deviation of {name}": float(values[:, worst].std()),
            "largest / smallest standard deviation of a column": float(varying.max() / varying.min())
            if len(varying)
            else math.nan,
        },
    )


def clipping_always(case: Case) -> Measurement | Unknown:
    """Share of the last 100 records in which clipping acted."""
    shares = _clipping(case)
    if isinstance(shares, Unknown):
        return shares
    share, evidence = shares
    return Measurement(
        share,
        f"Clipping acted in {percent(share)} of the last iterations: the length of a step no longer depends on the "
        "gradient.",
        f"The median gradient norm is {number(evidence['median gradient norm'])}; the threshold "
        f"{number(evidence['threshold'])} lies below it.",
        {},
        evidence,
    )


def clipping_never(case: Case) -> Measurement | Unknown:
    """Share of the last 100 records in which clipping acted."""
    shares = _clipping(case)
    if isinstance(shares, Unknown):
        return shares
    share, evidence = shares
    return Measurement(
        share,
        "Clipping is set but acted in none of the last iterations.",
        f"The largest gradient norm was {number(evidence['largest gradient norm'])}; the threshold "
        f"{number(evidence['threshold'])} lies above it.",
        {},
        evidence,
    )


def small_batch(case: Case) -> Measurement | Unknown:
    """Rows over which batch normalization takes its mean and variance.

    Wu and He 2018, table 2: the error of a ResNet-50 is 23.7 % at 16 rows, 24.8 % at 8, 27.3 % at 4, 34.7 % at 2.
    """
    batch = [placed for placed in case.placed.values() if _normalizes_batch(placed.layer)]
    if not batch:
        return Unknown("there is no batch normalization")
    rows = {placed.name: float(case.rows * _steps(case, placed.name)) for placed in batch}
    worst = min(rows, key=lambda name: rows[name])
    return Measurement(
        rows[worst],
        f"Batch normalization in {worst} takes its mean and variance over {number(rows[worst])} values per unit.",
        f"The mean of {number(rows[worst])} values is itself off by {percent(rows[worst] ** -0.5)} of a standard "
        "deviation: every sample's answer depends on the others in its batch.",
        rows,
        {"error of the batch mean, in standard deviations": rows[worst] ** -0.5},
    )


def _clipping(case: Case) -> tuple[float, dict[str, float]] | Unknown:
    clipping = case.experiment.training.clipping
    if isinstance(clipping, NoClipping):
        return Unknown("nothing is clipped")
    if len(case.history) < 20:
        return Unknown("fewer than 20 iterations are known")
    clipped = case.history.clipped[-CLIPPING_RECORDS:]
    norms = case.history.gradient_norm[-CLIPPING_RECORDS:]
    usable = np.isfinite(clipped) & np.isfinite(norms)
    if not usable.any():
        return Unknown("the gradient is not finite")
    clipped, norms = clipped[usable], norms[usable]
    return float((clipped < 1.0 - 1e-6).mean()), {
        "threshold": float(clipping.threshold),
        "median gradient norm": float(np.median(norms)),
        "largest gradient norm": float(norms.max()),
        "median of the norm after / before": float(np.median(clipped)),
    }


def _normalizes_batch(layer: object) -> bool:
    inner = layer.normalization if isinstance(layer, Dense | Head) else layer
    return isinstance(inner, Normalization) and kind_of(inner) == "normalization" and inner.method == "batch"


def _steps(case: Case, name: str) -> int:
    """Time steps that count as rows, of a layer that sees a sequence."""
    shape = np.shape(case.trace[name].tensors["input"])
    return int(shape[1]) if len(shape) == 3 else 1
