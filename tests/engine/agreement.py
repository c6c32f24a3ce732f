"""When a recorded iteration agrees with its PyTorch twin, and what cannot because it is 0 but for rounding.

Every operation, forwards and backwards, is compared on the bits with which the engine's own began (see
``StepwiseTwin``), so whatever is wrong is found at the operation that does it, and nothing is excused by what came
before. Every tensor is within ``AGREEMENT`` of the twin's, norm by norm. The one exception is a tensor that is a sum
of terms that cancel, such as the gradient of a bias before a batch normalization, which is 0: its error is compared
with the magnitudes of its terms.

Why that is enough: let an operation compute s = Σ_k t_k of n terms, each a product of inputs. However the sum is
ordered, ŝ = Σ_k t_k (1 + θ_k) with |θ_k| ≤ γ_m = m u / (1 − m u), u = 2⁻⁵³, where m is n plus the few operations that
make a term (Higham, Accuracy and Stability of Numerical Algorithms, §3.1 and §4.2). Two such computations on the same
inputs are apart by 2 γ_m Σ|t_k| at most. In these nets n ≤ 45 (rows: 9 samples of 5 steps), so 2 γ_m ≤ 2 · 50 · u =
1.1e-14 for the longest sums, whose roundings would all have to point one way. ``ROUNDING`` is 1e-14. Functions of one
value have no terms; their own accuracy is that of ``AGREEMENT``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradsim.spec import Normalization, unrolled_layers
from gradsim.trace import IterationTrace
from tests.engine.cell_terms import cell_terms

Array = NDArray[Any]
AGREEMENT = 1e-10
ROUNDING = 1e-14
"""What a sum may be off by, as a share of the magnitudes of its terms: fifty roundings of float64 on either side."""
CANCELLING = ("gelu", "gelu_tanh", "silu", "mish")
"""Activations whose slope passes through 0 for z < 0, as the difference of two terms of magnitude 1 at most."""


def length(x: Any) -> float:
    """Euclidean norm of all numbers."""
    return float(np.linalg.norm(np.asarray(x).ravel()))


def assert_agrees(trace: IterationTrace) -> dict[str, float]:
    """Compare every tensor; return the largest error of those that are no cancellation, and how many are one."""
    from tests.engine.torch_twin import StepwiseTwin, twin_of

    loss, twin = twin_of(trace, StepwiseTwin)
    assert {layer.name for layer in trace.layers} == twin.keys()
    apart = abs(trace.loss - loss)
    assert apart <= AGREEMENT * loss, f"the loss is wrong by {apart:.1e} of {loss:.1e}"
    worst, cancelled = 0.0, 0
    places = unrolled_layers(trace.experiment.network)
    for place, layer in zip(reversed(places), reversed(trace.layers), strict=True):
        terms = dict(terms_of(layer, place.layer))
        for name, exact in twin[layer.name].items():
            value, what = layer[name], f"{layer.name}.{name}"
            assert value.shape == exact.shape, what
            error, size, of_terms = length(value - exact), length(exact), length(terms.get(name, 0.0))
            allowed = max(AGREEMENT * size, ROUNDING * of_terms)
            if allowed > AGREEMENT * size:
                cancelled += 1
            elif size:
                worst = max(worst, error / size)
            assert error <= allowed, f"{what} is wrong by {error:.1e} of {size:.1e}, allowed {allowed:.1e}"
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
        """The terms of what it hands back: γ / sd · (g − mean g − x̂ · mean(x̂ g)), each x̂ itself a difference."""
        hat, terms = np.abs(self.x - self.centre) * self.inverse, self.normalized_terms()
        g = np.abs(self.gradient) * self.gamma
        return self.inverse * (g + self.mean(g) + terms * self.mean(hat * g) + hat * self.mean(terms * g))


def normalizes(spec: Any) -> bool:
    """Whether a layer is a normalization or has one inside."""
    return isinstance(spec, Normalization) or getattr(spec, "normalization", None) is not None


def terms_of(layer: Any, spec: Any) -> Iterator[tuple[str, Array]]:
    """The sums of the magnitudes of the terms of each tensor that is a sum."""

    def rows(name: str) -> Array:
        tensor = np.abs(layer[name])
        return tensor.reshape(-1, tensor.shape[-1])

    if layer.kind in ("dense", "recurrent"):
        weights = "input_weight" if layer.kind == "recurrent" else "weight"
        yield f"{weights}_gradient", rows("input").T @ rows("delta")
        yield "input_gradient", rows("delta") @ rows(weights).T
        for name in ("bias_gradient", "recurrent_bias_gradient"):
            yield name, rows("delta").sum(axis=0)
    if layer.kind == "dense":
        bias = np.abs(layer.bias) if "bias" in layer.tensors else 0.0
        yield "pre_activation", rows("input") @ rows("weight") + bias
    if layer.kind == "recurrent":
        yield from cell_terms(layer, spec)
    if layer.kind in ("dense", "activation"):
        yield from _slope_terms(layer, "normalized_gradient" if normalizes(spec) else "delta")
    if "prelu_slope" in layer.tensors:
        z = layer[
            "input" if layer.kind == "activation" else "scaled" if normalizes(spec) else "pre_activation"
        ]
        yield "prelu_slope_gradient", np.abs(np.minimum(z, 0.0) * layer["activation_gradient"]).sum()[None]
    if layer.kind == "residual":
        yield from _residual_terms(layer, rows)
    if normalizes(spec):
        lines = Lines(layer, spec)
        yield "activation" if layer.kind == "normalization" else "scaled", lines.forward_terms()
        above = np.abs(lines.gradient)
        for name, terms in (("beta_gradient", above), ("gamma_gradient", above * lines.normalized_terms())):
            yield name, terms.reshape(-1, terms.shape[-1]).sum(axis=0)
        for name in ("delta", "input_gradient") if layer.kind == "normalization" else ("delta",):
            yield name, lines.backward_terms()


def _slope_terms(layer: Any, name: str) -> Iterator[tuple[str, Array]]:
    """The terms of φ'(z) · g, where the slope is a difference, and of the Jacobian of a softmax."""
    g = np.abs(layer.activation_gradient)
    if layer.activation_kind == "softmax":
        a = np.abs(layer.activation)
        terms = a * (g + (a * g).sum(axis=-1, keepdims=True))
    elif layer.activation_kind in CANCELLING:
        terms = g * (1.0 + np.abs(layer.slope))
    else:
        return
    yield name, terms
    if layer.kind == "activation":
        yield "input_gradient", terms


def _residual_terms(layer: Any, rows: Any) -> Iterator[tuple[str, Array]]:
    """Two ways part and meet again, forwards and backwards."""
    gradient = rows("activation_gradient")
    past = rows("skip_gradient") if "skip_gradient" in layer.tensors else gradient
    both = past + rows("branch_input_gradient")
    yield from (("delta", both), ("input_gradient", both))
    yield "activation", rows("skip" if "skip" in layer.tensors else "input") + rows("branch")
    yield "scale_gradient", (rows("branch") * gradient).sum()[None]
    if "projection" in layer.tensors:
        yield "skip", rows("input") @ rows("projection")
        yield "skip_gradient", gradient @ rows("projection").T
        yield "projection_gradient", rows("input").T @ gradient
