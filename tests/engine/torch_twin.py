"""The PyTorch twin of a recorded iteration: every kind of layer, nested as the network is.

The twin takes parameters, batch and drawn slopes from the record and leaves every derivative to autograd, in
float64. Its forward values are compared with the record and then *pinned* to it: both backward passes start
from the same bits, so a kink or a chaotic net cannot take them apart, and 1e-10 may be asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gradsim.spec import PlacedLayer, kind_of, placed_layers
from gradsim.trace import IterationTrace
from tests.engine.torch_oracle import (
    ACTIVATIONS,
    Array,
    Record,
    double,
    gradient_of_fused_head,
    leaky,
    losses,
    sigmoid,
    tanh,
)

OWN_PARAMETERS = {
    "dense": ("weight", "bias", "prelu_slope", "gamma", "beta"),
    "head": ("weight", "bias", "prelu_slope", "gamma", "beta"),
    "normalization": ("gamma", "beta"),
    "activation": ("prelu_slope",),
    "dropout": (),
    "residual": ("projection", "scale"),
    "recurrent": ("input_weight", "recurrent_weight", "bias", "recurrent_bias"),
}
"""What a kind of layer may train; ``weight`` of the others is another name for one of these."""

CELL_ACTIVATIONS: dict[str, Any] = {"tanh": tanh, "relu": torch.relu, "linear": lambda z: z * 1.0}


class _Pinned(torch.autograd.Function):
    """The recorded values forwards, the identity backwards; both shaken by ``jitter`` of themselves."""

    @staticmethod
    def forward(ctx: Any, computed: Tensor, recorded: Tensor, jitter: float) -> Tensor:
        ctx.jitter = jitter
        return _shaken(recorded, jitter)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _shaken(gradient, ctx.jitter), None, None


def _shaken(values: Tensor, jitter: float) -> Tensor:
    return values * (1.0 + jitter * torch.randn_like(values)) if jitter else values.clone()


def normalize(
    x: Tensor,
    method: str,
    eps: float,
    gamma: Tensor | None,
    beta: Tensor | None,
    passed: Callable[[Tensor], Tensor] = torch.clone,
) -> Tensor:
    """Normalization as its formula says, over all rows of the batch and all steps of time, or over the units.

    Everything on the way goes through ``passed``, so that the terms that cancel can be shaken apart.
    """
    if method == "rms":
        shifted, spread = x, (x * x).mean(dim=-1, keepdim=True)
    else:
        over = tuple(range(x.ndim - 1)) if method == "batch" else (-1,)
        shifted = passed(x - passed(x.mean(dim=over, keepdim=True)))
        spread = (shifted * shifted).mean(dim=over, keepdim=True)
    out = passed(shifted / torch.sqrt(passed(spread) + eps))
    out = out if gamma is None else out * gamma
    return out if beta is None else out + beta


class _Kept(NamedTuple):
    computed: dict[str, Tensor]
    watched: dict[str, Any]
    parameters: dict[str, Tensor]


class _Twin:
    def __init__(self, trace: IterationTrace, jitter: float) -> None:
        self.trace, self.jitter = trace, jitter
        self.kept: dict[str, _Kept] = {}

    def pinned(self, computed: Tensor, recorded: Array) -> Tensor:
        out: Tensor = _Pinned.apply(computed, double(recorded), self.jitter)
        out.retain_grad()
        return out

    def passed(self, x: Tensor) -> Tensor:
        """x again, whose gradient is that of this one way it goes."""
        return self.pinned(x, x.detach().numpy())

    def through(self, placed: tuple[PlacedLayer, ...], x: Tensor) -> Tensor:
        for place in placed:
            kind = "dense" if place.name == "head" else kind_of(place.layer)
            layer = self.trace[place.name]
            parameters = {
                name: double(layer[name]).requires_grad_()
                for name in OWN_PARAMETERS[kind]
                if name in layer.tensors
            }
            kept = self.kept[place.name] = _Kept({}, {}, parameters)
            x = self.passed(x)
            kept.watched["input_gradient"] = x
            x = getattr(self, f"_{kind}")(place, layer, x, kept)
        return x

    def _dense(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        p, spec = kept.parameters, place.layer
        kept.computed["pre_activation"] = x @ p["weight"] + p.get("bias", 0.0)
        z = self.pinned(kept.computed["pre_activation"], layer.pre_activation)
        kept.watched["delta"] = z
        if spec.normalization is not None:
            norm = spec.normalization
            kept.computed["scaled"] = self._normalized(z, norm, p)
            z = self.pinned(kept.computed["scaled"], layer.scaled)
            kept.watched["normalized_gradient"] = z
        return self._activated(spec.activation, layer, z, kept)

    _head = _dense

    def _activated(self, spec: Any, layer: Any, z: Tensor, kept: _Kept) -> Tensor:
        kind = kind_of(spec)
        if kind == "prelu":
            a = leaky(z, kept.parameters["prelu_slope"])
        elif kind == "rrelu":
            a = leaky(z, double(layer.slope))
        else:
            a = ACTIVATIONS[kind](z, spec)
        return self._result(a, layer, kept)

    def _result(self, a: Tensor, layer: Any, kept: _Kept) -> Tensor:
        kept.computed["activation"] = a
        kept.watched["activation_gradient"] = self.pinned(a, layer["activation"])
        result: Tensor = kept.watched["activation_gradient"]
        return result

    def _activation(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._activated(place.layer.activation, layer, x, kept)

    def _dropout(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._result(x * double(layer.slope), layer, kept)

    def _normalization(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._result(self._normalized(x, place.layer, kept.parameters), layer, kept)

    def _normalized(self, x: Tensor, spec: Any, parameters: dict[str, Tensor]) -> Tensor:
        gamma, beta = parameters.get("gamma"), parameters.get("beta")
        return normalize(x, spec.method, spec.eps, gamma, beta, self.passed)

    def _residual(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        p, entrance = kept.parameters, self.passed(x)
        branch = self.passed(self.through(place.branch, entrance))
        kept.watched.update({"delta": x, "branch_input_gradient": entrance, "branch_gradient": branch})
        skip = x
        if "projection" in p:
            way_past = self.passed(x)
            kept.watched["skip_gradient"] = way_past
            kept.computed["skip"] = way_past @ p["projection"]
            skip = self.pinned(kept.computed["skip"], layer.skip)
        return self._result(skip + p.get("scale", place.layer.scale) * branch, layer, kept)

    def _recurrent(self, place: PlacedLayer, layer: Any, x: Tensor, kept: _Kept) -> Tensor:
        """Shapes are (batch, time, units), as in the record; gates in the order of the record."""
        spec, p = place.layer, kept.parameters
        told: dict[str, list[Tensor]] = {name: [] for name in ("pre_activation", "hidden", "cell")}
        pins: dict[str, list[Any]] = {name: [] for name in told}
        h = c = torch.zeros(len(x), spec.units, dtype=torch.float64)
        zero = torch.zeros(p["recurrent_weight"].shape[1], dtype=torch.float64)
        r, b, rb = p["recurrent_weight"], p.get("bias", zero), p.get("recurrent_bias", zero)

        def pin(name: str, values: Tensor, t: int) -> Tensor:
            told[name].append(values)
            pins[name].append(self.pinned(values, layer[name][:, t]))
            return pins[name][-1]

        for t in range(x.shape[1]):
            if spec.truncation and t % spec.truncation == 0:
                h, c = h.detach(), c.detach()
            from_x = x[:, t] @ p["input_weight"] + b
            if spec.cell == "gru":
                both = 2 * spec.units
                recorded = layer.pre_activation[:, t]
                rz = from_x[:, :both] + h @ r[:, :both] + rb[:both]
                rz_pin = self.pinned(rz, recorded[:, :both])
                reset, keep = sigmoid(rz_pin).chunk(2, dim=1)
                if spec.reset_after:
                    felt = reset * (h @ r[:, both:] + rb[both:])
                else:
                    felt = (reset * h) @ r[:, both:]
                new = from_x[:, both:] + felt
                new_pin = self.pinned(new, recorded[:, both:])
                told["pre_activation"].append(torch.cat([rz, new], dim=1))
                pins["pre_activation"].append((rz_pin, new_pin))
                h = pin("hidden", (1 - keep) * tanh(new_pin) + keep * h, t)
                continue
            z = pin("pre_activation", from_x + h @ r, t)
            if spec.cell == "lstm":
                i, f, g, o = z.chunk(4, dim=1)
                c = pin("cell", sigmoid(f) * c + sigmoid(i) * tanh(g), t)
                h = pin("hidden", sigmoid(o) * tanh(c), t)
            else:
                h = pin("hidden", CELL_ACTIVATIONS[spec.activation](z), t)
        kept.computed.update({name: torch.stack(values, 1) for name, values in told.items() if values})
        kept.watched.update({"delta": pins["pre_activation"], "hidden_gradient": pins["hidden"]})
        if pins["cell"]:
            kept.watched["cell_gradient"] = pins["cell"]
        return torch.stack(pins["hidden"], 1) if spec.return_sequences else h


def twin_of(trace: IterationTrace, jitter: float = 0.0) -> tuple[float, Record]:
    """Return loss and tensors of the recorded iteration as PyTorch computes them, named as in the record.

    ``jitter`` shakes every value and gradient between two layers by so much of itself: how far the results
    then move is how far rounding may take them.
    """
    experiment = trace.experiment
    placed, loss_name = placed_layers(experiment.network), experiment.training.loss
    twin, x = _Twin(trace, jitter), double(trace.inputs).requires_grad_()
    y = twin.through(placed, x)
    width = y.shape[-1]
    head = twin.kept["head"].watched
    z = head.get("normalized_gradient", head["delta"])
    targets = double(trace.targets).reshape(-1, width)
    loss = losses(loss_name, z.reshape(-1, width), y.reshape(-1, width), targets)
    loss.backward()
    if y.grad is None:
        y.grad = gradient_of_fused_head(loss_name, z.detach().reshape(-1, width), targets).reshape(y.shape)
    record = {
        name: {key: value.detach().numpy() for key, value in kept.computed.items()}
        | {key: _gradient(value) for key, value in kept.watched.items()}
        | {f"{key}_gradient": _gradient(value) for key, value in kept.parameters.items()}
        for name, kept in twin.kept.items()
    }
    return loss.item(), record


def _gradient(tensor: Any) -> Array:
    if isinstance(tensor, list):
        return np.stack([_gradient(step) for step in tensor], axis=1)
    if isinstance(tensor, tuple):
        return np.concatenate([_gradient(part) for part in tensor], axis=1)
    return (torch.zeros_like(tensor) if tensor.grad is None else tensor.grad).numpy()


def kind_of_placed(place: PlacedLayer) -> str:
    """Return the kind of a layer; the head is dense."""
    return "dense" if place.name == "head" else kind_of(place.layer)
