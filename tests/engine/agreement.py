"""When a recorded iteration agrees with its PyTorch twin, and what cannot because it is 0 but for rounding.

Every tensor is within ``AGREEMENT`` of the twin's, norm by norm. There are two exceptions, both of numbers that
theory makes 0 or nearly 0 as a sum of terms that cancel:

- a gradient that is such a sum itself (a bias before a batch normalization has none) is compared with the sum of
  the magnitudes of its terms;
- behind a normalization that takes nearly all of a gradient away (two values in a line are ±1 whatever they were),
  what is left is as wrong as the terms were, and so is what comes of it in the layers before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradsim.spec import Normalization, unrolled_layers
from gradsim.trace import IterationTrace

Array = NDArray[Any]
AGREEMENT = 1e-9
BEFORE_THE_NORMALIZATION = ("delta", "input_gradient", "weight_gradient", "bias_gradient")
"""What a normalization inside a dense layer, or one of its own, hands its loss of digits to."""
ROUNDING = 1e-14
"""What a sum may be wrong by, as a share of the magnitudes of its terms: some fifty roundings of float64."""
CANCELLED = 1e-5
"""A sum so much smaller than its terms is 0 but for rounding, or nearly."""


def length(x: Any) -> float:
    """Euclidean norm of all numbers."""
    return float(np.linalg.norm(np.asarray(x).ravel()))


def assert_agrees(trace: IterationTrace) -> dict[str, float]:
    """Compare every tensor; return the largest error of those that are no cancellation, and how many are one."""
    from tests.engine.torch_twin import twin_of

    loss, twin = twin_of(trace)
    assert {layer.name for layer in trace.layers} == twin.keys()
    assert trace.loss == pytest.approx(loss, rel=AGREEMENT)
    worst, cancelled, lost = 0.0, 0, 0.0
    places = unrolled_layers(trace.experiment.network)
    for place, layer in zip(reversed(places), reversed(trace.layers), strict=True):
        terms, here = dict(terms_of(layer, place.layer)), lost_in(layer, place.layer)
        for name, exact in twin[layer.name].items():
            value, what = layer[name], f"{layer.name}.{name}"
            assert value.shape == exact.shape, what
            forward = not name.endswith("gradient") and name != "delta"
            before = name in BEFORE_THE_NORMALIZATION
            share = 0.0 if forward else lost + here * before
            error, size = length(value - exact), length(exact)
            of_terms = length(terms.get(name, 0.0))
            if size < CANCELLED * of_terms:
                cancelled += 1
                allowed = (ROUNDING + share) * of_terms
            else:
                allowed = max(AGREEMENT, share) * size
                cancelled += share > AGREEMENT
                worst = max(worst, error / size if size and share <= AGREEMENT else 0.0)
            assert error <= allowed, f"{what} is wrong by {error:.1e} of {size:.1e}, allowed {allowed:.1e}"
        lost += here
    return {"worst": worst, "cancelled": cancelled}


class Lines:
    """What a normalization takes, in the lines it normalizes: columns of the batch, or rows."""

    def __init__(self, layer: Any, spec: Any) -> None:
        own = isinstance(spec, Normalization)
        self.spec = spec if own else spec.normalization
        self.x = layer.input if own else layer.pre_activation
        self.gradient = layer["activation_gradient" if own else "normalized_gradient"]
        self.gamma = np.abs(layer.gamma) if "gamma" in layer.tensors else 1.0
        self.beta = np.abs(layer.beta) if "beta" in layer.tensors else 0.0
        self.over = tuple(range(self.x.ndim - 1)) if self.spec.method == "batch" else (-1,)
        self.centre = 0.0 if self.spec.method == "rms" else self.mean(self.x)
        self.inverse = 1.0 / np.sqrt(self.mean((self.x - self.centre) ** 2) + self.spec.eps)

    def mean(self, x: Array) -> Array:
        """Of every line."""
        return np.asarray(x.mean(axis=self.over, keepdims=True))

    def normalized_terms(self) -> Array:
        """The terms of x̂ = (x − mean) / sd."""
        return np.asarray((np.abs(self.x) + np.abs(self.centre)) * self.inverse)

    def forward_terms(self) -> Array:
        """The terms of what it hands on: γ x̂ + β."""
        return np.asarray(self.normalized_terms() * self.gamma + self.beta)

    def backward_terms(self) -> Array:
        """The terms of what it hands back: γ / sd · (g − mean g − x̂ · mean(x̂ g))."""
        hat = np.abs(self.x - self.centre) * self.inverse
        g = np.abs(self.gradient) * self.gamma
        return self.inverse * (g + self.mean(g) + hat * self.mean(hat * g))


def normalizes(spec: Any) -> bool:
    """Whether a layer is a normalization or has one inside."""
    return isinstance(spec, Normalization) or getattr(spec, "normalization", None) is not None


def lost_in(layer: Any, spec: Any) -> float:
    """What share of the gradient that a normalization hands back is rounding: that of its terms beside their sum."""
    left = length(layer.delta) if normalizes(spec) else 0.0
    return ROUNDING * length(Lines(layer, spec).backward_terms()) / left if left else 0.0


def terms_of(layer: Any, spec: Any) -> Iterator[tuple[str, Array]]:
    """The sums of the magnitudes of the terms of each tensor that is a sum."""

    def rows(name: str) -> Array:
        tensor = np.abs(layer[name])
        return tensor.reshape(-1, tensor.shape[-1])

    has_weights = layer.kind in ("dense", "head", "recurrent")
    if has_weights:
        weights = "input_weight" if layer.kind == "recurrent" else "weight"
        yield f"{weights}_gradient", rows("input").T @ rows("delta")
        yield "input_gradient", rows("delta") @ rows(weights).T
        for name in ("bias_gradient", "recurrent_bias_gradient"):
            yield name, rows("delta").sum(axis=0)
    if layer.kind == "recurrent":
        before = np.zeros_like(layer.hidden)
        before[:, 1:] = np.abs(layer.hidden[:, :-1])
        yield "recurrent_weight_gradient", before.reshape(-1, before.shape[-1]).T @ rows("delta")
    if "prelu_slope" in layer.tensors:
        z = layer[
            "input" if layer.kind == "activation" else "scaled" if normalizes(spec) else "pre_activation"
        ]
        yield "prelu_slope_gradient", np.abs(np.minimum(z, 0.0) * layer["activation_gradient"]).sum()[None]
    if layer.kind == "residual":
        yield "projection_gradient", rows("input").T @ rows("activation_gradient")
        yield "scale_gradient", (rows("branch") * rows("activation_gradient")).sum()[None]
    if normalizes(spec):
        lines = Lines(layer, spec)
        yield "activation" if layer.kind == "normalization" else "scaled", lines.forward_terms()
        above = np.abs(lines.gradient)
        for name, terms in (("beta_gradient", above), ("gamma_gradient", above * lines.normalized_terms())):
            yield name, terms.reshape(-1, terms.shape[-1]).sum(axis=0)
