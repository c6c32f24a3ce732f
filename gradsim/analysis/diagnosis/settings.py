"""Findings about what stands around the network: clipping, the batch."""

from __future__ import annotations

import numpy as np

from gradsim.analysis.diagnosis.case import Case, Measurement, Unknown
from gradsim.analysis.diagnosis.words import number, percent
from gradsim.spec import Dense, Head, Normalization, kind_of
from gradsim.spec.training import NoClipping

CLIPPING_RECORDS = 100


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
