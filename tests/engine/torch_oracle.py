"""What PyTorch's twin of a network is made of, and how far rounding alone may take the two apart.

Where PyTorch's own formula loses digits (``1 - tanh²`` for large z, the threshold of softplus, the lower
tail of gelu; the 1/6 of hardsigmoid and the 1/alpha of celu are rounded to float32) the twin writes one that
keeps them; ``STOCK`` holds PyTorch's functions, and a test holds both together where PyTorch is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from gradsim.spec import kind_of, unrolled_layers
from gradsim.trace import IterationTrace

Array = NDArray[Any]
Record = dict[str, dict[str, Array]]
"""Tensors by the name of the layer and the name of the tensor."""

SELU_ALPHA, SELU_LAMBDA = 1.6732632423543772, 1.0507009873554805


def _where(
    condition: Tensor, yes: Callable[[Tensor], Tensor], no: Callable[[Tensor], Tensor], z: Tensor
) -> Tensor:
    """``torch.where`` whose unused branch sees 0, so that its overflow does not become NaN in the backward pass."""
    zero = torch.zeros_like(z)
    return torch.where(condition, yes(torch.where(condition, z, zero)), no(torch.where(condition, zero, z)))


def sigmoid(z: Tensor) -> Tensor:
    return _where(z >= 0, lambda p: 1 / (1 + torch.exp(-p)), lambda n: torch.exp(n) / (1 + torch.exp(n)), z)


def tanh(z: Tensor) -> Tensor:
    def tail(t: Tensor) -> Tensor:
        # n stands here once: an infinite gradient that went two ways would meet itself as ∞ − ∞
        return torch.sign(t) * (2 / (1 + torch.exp(-2 * torch.abs(t))) - 1)

    return _where(torch.abs(z) < 1, torch.tanh, tail, z)


def softsign(z: Tensor) -> Tensor:
    return _where(
        torch.abs(z) < 1,
        functional.softsign,
        lambda t: torch.sign(t) * (1 - 1 / (1 + torch.abs(t))),
        z,
    )


def softplus(z: Tensor) -> Tensor:
    return torch.logaddexp(z, torch.zeros_like(z))


def gelu_tanh(z: Tensor) -> Tensor:
    near = torch.clamp(z, -100.0, 100.0)
    return z * sigmoid(math.sqrt(8 / math.pi) * (near + 0.044715 * near**3))


def leaky(z: Tensor, slope: Any) -> Tensor:
    return torch.where(z > 0, z, z * slope)


class _Sloped(torch.autograd.Function):
    """A value given with its slope, which multiplies: PyTorch's own relu drops a NaN or Inf that meets slope 0."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradient * slope, None, None


ACTIVATIONS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "linear": lambda z, _: z * 1.0,
    "step": lambda z, _: z * 0.0 + (z >= 0),
    "sigmoid": lambda z, _: sigmoid(z),
    "hard_sigmoid": lambda z, _: functional.hardtanh(z + 3, 0.0, 6.0) / 6,
    "tanh": lambda z, _: tanh(z),
    "hard_tanh": lambda z, _: functional.hardtanh(z),
    "softsign": lambda z, _: softsign(z),
    "softplus": lambda z, _: softplus(z),
    "relu": lambda z, s: _Sloped.apply(
        z, functional.relu(z), (z > 0).to(z) + s.slope_at_zero * (z == 0).to(z)
    ),
    "leaky_relu": lambda z, s: leaky(z, s.slope),
    "elu": lambda z, s: functional.elu(z, alpha=s.alpha),
    "selu": lambda z, _: SELU_LAMBDA * functional.elu(z, alpha=SELU_ALPHA),
    "celu": lambda z, s: s.alpha * functional.elu(z / s.alpha),
    "gelu": lambda z, _: 0.5 * z * torch.special.erfc(-z / math.sqrt(2)),
    "gelu_tanh": lambda z, _: gelu_tanh(z),
    "silu": lambda z, _: z * sigmoid(z),
    "mish": lambda z, _: z * tanh(softplus(z)),
    "relu6": lambda z, _: functional.relu6(z),
    "softmax": lambda z, _: torch.softmax(z, dim=-1),
}
"""z and the spec → φ(z); prelu and rrelu take their slopes from the record."""

STOCK: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": functional.hardsigmoid,
    "tanh": torch.tanh,
    "softsign": functional.softsign,
    "softplus": functional.softplus,
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda z: functional.gelu(z, approximate="tanh"),
    "silu": functional.silu,
    "mish": functional.mish,
}
"""PyTorch's own functions, for those the twin writes otherwise."""


def double(array: Array) -> Tensor:
    return torch.tensor(np.asarray(array, np.float64))


def losses(name: str, z: Tensor, a: Tensor, t: Tensor) -> Tensor:
    """The loss of a batch; the fused ones from the pre-activation."""
    if name == "cross_entropy":
        return -(t * torch.log_softmax(z, dim=1)).sum() / len(z)
    if name == "binary_cross_entropy":
        return (softplus(z) - t * z).mean()
    squares = (a - t) ** 2
    return {"mse": squares.mean(), "half_mse": 0.5 * squares.sum() / len(a), "sse": squares.sum()}[name]


def gradient_of_fused_head(name: str, z: Tensor, t: Tensor) -> Tensor:
    """∂L/∂a of a head whose loss takes its pre-activation: autograd once more, from the probabilities."""
    if name == "cross_entropy":
        a = torch.softmax(z, dim=1).detach().requires_grad_()
        loss = -(torch.where(t != 0, t * torch.log(a), torch.zeros_like(a))).sum() / len(z)
        (gradient,) = torch.autograd.grad(loss, a)
        return torch.where(t != 0, gradient, torch.zeros_like(gradient))
    up, down = sigmoid(z).detach().requires_grad_(), sigmoid(-z).detach().requires_grad_()
    loss = -(
        torch.where(t != 0, t * torch.log(up), 0.0) + torch.where(t != 1, (1 - t) * torch.log(down), 0.0)
    )
    by_up, by_down = torch.autograd.grad(loss.mean(), (up, down))
    return torch.where(t != 0, by_up, 0.0) - torch.where(t != 1, by_down, 0.0)


_CANCELLING = ("gelu", "gelu_tanh", "silu", "mish")
"""Activations whose slope passes through 0 for z < 0, as the difference of two terms."""


def rounding_bounds(trace: IterationTrace, eps: float, tiny: float) -> Record:
    """Return by how much each tensor may be wrong by rounding alone: a running error analysis of the record.

    Where terms cancel, a tensor is much smaller than what it is the sum of, and so is not right to a
    fraction of itself. ``eps`` and ``tiny`` are of the precision of the record.
    """
    bounds: Record = {}
    rows = len(trace.inputs)
    gradient_bound: Array | None = None
    for place, layer in zip(
        reversed(unrolled_layers(trace.experiment.network)), reversed(trace.layers), strict=True
    ):
        unit = 16.0 * eps
        wide = {name: np.abs(tensor, dtype=np.float64) for name, tensor in layer.tensors.items()}
        x, z, a, g, delta, weight = (
            wide[name]
            for name in ("input", "pre_activation", "activation", "activation_gradient", "delta", "weight")
        )
        sums = (16.0 + max(rows, *weight.shape)) * eps
        kind, bound = kind_of(place.layer.activation), {}
        bound["pre_activation"] = sums * (x @ weight + wide.get("bias", 0.0)) + tiny
        reach: Any = 1.0  # exponentials turn an absolute error of their argument into a relative one
        if kind in ("gelu", "gelu_tanh"):
            reach = 1.0 + z**2 + z**3 / 8
        elif kind == "softmax":
            reach = 1.0 + np.ptp(layer.pre_activation.astype(np.float64), axis=1, keepdims=True)
        bound["activation"] = unit * reach * a + tiny
        if gradient_bound is None:  # the head: where the loss begins
            targets, fused = np.abs(trace.targets.astype(np.float64)), trace.experiment.training.loss
            if fused in ("cross_entropy", "binary_cross_entropy"):
                g_bound = unit * reach * g + tiny
                delta_bound = np.full_like(delta, unit * (1.0 + z.max()) / rows + tiny)
            else:
                factor = {"mse": 2 / a.size, "half_mse": 1 / rows, "sse": 2.0}[fused]
                g_bound, delta_bound = unit * reach * (a + targets) * factor + tiny, None
        else:
            g_bound, delta_bound = gradient_bound, None
        if delta_bound is None and kind == "softmax":
            mixed = (a * g_bound).sum(axis=1, keepdims=True)
            mixed_size = (a * g).sum(axis=1, keepdims=True)
            delta_bound = a * (g_bound + mixed + sums * reach * (g + mixed_size)) + tiny
        elif delta_bound is None:
            delta_bound = g_bound * wide["slope"] + unit * reach * delta + tiny * (1.0 + g)
            if kind in _CANCELLING:
                near = (layer.pre_activation < 0) & (layer.pre_activation > -8.0)
                delta_bound += unit * g * near
        bound["activation_gradient"], bound["delta"] = g_bound, delta_bound
        bound["weight_gradient"] = x.T @ (delta_bound + sums * delta) + tiny
        if "bias" in layer.tensors:
            bound["bias_gradient"] = (delta_bound + sums * delta).sum(axis=0) + tiny
        if "prelu_slope" in layer.tensors:
            terms = (g_bound + sums * g) * np.where(layer.pre_activation > 0, 0.0, z)
            per_unit = len(layer.prelu_slope) > 1 or layer.fan_out == 1
            bound["prelu_slope_gradient"] = (terms.sum(axis=0) if per_unit else terms.sum()[None]) + tiny
        gradient_bound = (delta_bound + sums * delta) @ weight.T + tiny
        bound["input_gradient"] = gradient_bound
        bounds[layer.name] = bound
    return bounds
