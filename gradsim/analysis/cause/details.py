"""What a factor is made of: mean slope and correlation, size of the weights and alignment, angle of two gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.analysis.cause.passages import Passage
from gradsim.analysis.cause.records import FactorKind, quotient
from gradsim.analysis.cause.route import Stop
from gradsim.analysis.fit import Direction
from gradsim.analysis.magnitude import rms

DETAIL_WORDS: Mapping[str, str] = {
    "mean_slope": "mean φ'",
    "rms_slope": "rms φ'",
    "correlation": "correlation of slope and signal",
    "rms_weight": "rms W",
    "fan": "terms in each sum",
    "typical": "rms W · √terms",
    "alignment": "alignment of signal and weights",
    "kept": "share kept",
    "gain": "rms γ / sd",
    "remainder": "left by centring and scaling",
    "skip_rms": "rms by the skip",
    "branch_rms": "rms through the branch",
    "angle": "angle between skip and branch in degrees",
    "steps": "time steps",
    "per_step": "per time step back",
}
"""What the details of a factor are, by name. What is not an angle, a count or an rms is a factor itself: slope =
rms φ' · correlation, linear map = typical · alignment, normalization = gain · remainder."""


def details_of(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    """Return what a factor is made of.

    Parameters
    ----------
    passage : Passage
        The operation.
    direction : {"backward", "forward"}
        On which way the signal meets it.
    value : float
        The factor.

    Returns
    -------
    dict from str to float
        By names of ``DETAIL_WORDS``; empty where there is nothing more to tell.
    """
    with np.errstate(all="ignore"):
        return _DETAILS[passage.kind](passage, direction, value)


def _of_weights(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    """Compare with a sum of terms of independent signs, which grows as √terms; more is alignment."""
    names = {"input weights": "input_weight", "projection of the skip": "projection"}
    weight = passage.stop.layer.tensors[names.get(passage.label, "weight")]
    fan = weight.shape[1 if direction == "backward" else 0]
    size = rms(weight)
    typical = size * math.sqrt(fan)
    return {
        "rms_weight": size,
        "fan": float(fan),
        "typical": typical,
        "alignment": quotient(value, typical),
    }


def _of_slope(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    """Were slope and gradient independent, the factor would be rms φ'; softmax has no slope but a Jacobian."""
    slope = None if direction == "forward" else _slope(passage.stop)
    if slope is None:
        return {}
    size = rms(slope)
    return {"mean_slope": float(slope.mean()), "rms_slope": size, "correlation": quotient(value, size)}


def _slope(stop: Stop) -> NDArray[np.float64] | None:
    """φ' of one activation; a simple recurrent cell keeps only φ(z), of which it is a function."""
    layer = stop.layer
    if layer.kind == "recurrent":
        hidden = np.asarray(layer["hidden"], dtype=np.float64)
        of_hidden = {"tanh": lambda a: 1.0 - a * a, "relu": lambda a: (a > 0).astype(np.float64)}
        found = of_hidden.get(layer.activation_kind) if stop.spec.cell == "simple" else None
        return None if found is None else found(hidden)
    if layer.activation_kind == "softmax" or "slope" not in layer.tensors:
        return None
    return np.asarray(layer["slope"], dtype=np.float64)


def _of_dropout(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    mask = passage.stop.layer["slope"]
    size = rms(mask)
    return {
        "kept": float(np.mean(mask != 0)),
        "typical": size,
        "correlation": quotient(value, size),
    }


def _of_normalization(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    """x̂ has the slope γ / sd; on the way back the mean and the part along x̂ are taken out (Ioffe, Szegedy 2015)."""
    layer, spec = passage.stop.layer, passage.stop.spec
    spec = getattr(spec, "normalization", None) or spec
    x = layer["pre_activation" if "scaled" in layer.tensors else "input"]
    axes = tuple(range(x.ndim - 1)) if spec.method == "batch" else -1
    wide = np.asarray(x, dtype=np.float64)
    if spec.method == "rms":
        variance = np.mean(np.square(wide), axis=axes, keepdims=True)
    else:
        variance = np.var(wide, axis=axes, keepdims=True)
    gain = rms(layer.tensors.get("gamma", np.ones(1)) / np.sqrt(variance + spec.eps))
    return {"gain": gain, "remainder": quotient(value, gain)}


def _of_skip(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    if passage.label == "branch scale":
        return {}
    stop = passage.stop
    tensors = stop.layer.tensors
    if direction == "backward":
        skip = tensors.get("skip_gradient", tensors["output_gradient"])
        branch: NDArray[Any] = tensors["branch_input_gradient"]
    else:
        skip = tensors.get("skip", tensors["input"])
        scale = tensors["scale"][0] if "scale" in tensors else stop.spec.scale
        branch = scale * tensors["branch"]
    return {
        "skip_rms": rms(skip),
        "branch_rms": rms(branch),
        "angle": angle_between(skip, branch),
    }


def _of_time(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    hidden = passage.stop.layer["hidden" if direction == "forward" else "hidden_gradient"]
    steps = hidden.shape[1]
    told = {"steps": float(steps)}
    if passage.label == "back through time" and steps > 1:
        change = quotient(rms(hidden[:, 0]), rms(hidden[:, -1]))
        told["per_step"] = math.nan if math.isnan(change) else change ** (1.0 / (steps - 1))
    return told


def _of_bias(passage: Passage, direction: Direction, value: float) -> dict[str, float]:
    return {}


_DETAILS: dict[FactorKind, Callable[[Passage, Direction, float], dict[str, float]]] = {
    "weight": _of_weights,
    "slope": _of_slope,
    "bias": _of_bias,
    "dropout": _of_dropout,
    "normalization": _of_normalization,
    "skip": _of_skip,
    "time": _of_time,
}


def angle_between(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the angle between two arrays taken as vectors.

    Parameters
    ----------
    x, y : ndarray
        Of one shape.

    Returns
    -------
    float
        In degrees, 0 to 180; NaN where one is 0 or not finite.
    """
    sizes = [float(np.max(np.abs(v), initial=0.0)) for v in (x, y)]
    if not all(0.0 < size < math.inf for size in sizes):
        return math.nan
    a, b = (np.asarray(v, dtype=np.float64).ravel() / size for v, size in zip((x, y), sizes, strict=True))
    a, b = a / math.sqrt(a @ a), b / math.sqrt(b @ b)
    # Exact near 0° and 180°, where the arc cosine is not (Kahan, "How futile are mindless assessments", 2006).
    return math.degrees(2.0 * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b))))
