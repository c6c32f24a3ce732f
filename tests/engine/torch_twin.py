"""The PyTorch twin of a recorded iteration: every kind of layer, nested as the network is.

The twin takes parameters, batch and drawn slopes from the record and leaves every derivative to autograd, in
float64. Its forward values are compared with the record and then *pinned* to it: both backward passes start
from the same bits, so a kink or a chaotic net cannot take them apart. ``torch_training`` has the twin that is
pinned to nothing and trains alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gradsim.spec import Experiment, PlacedLayer, kind_of, placed_layers
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
    "normalization": ("gamma", "beta"),
    "activation": ("prelu_slope",),
    "dropout": (),
    "residual": ("projection", "scale"),
    "recurrent": ("input_weight", "recurrent_weight", "bias", "recurrent_bias"),
}
"""What a kind of layer may train; ``weight`` of the others is another name for one of these."""

CELL_ACTIVATIONS: dict[str, Any] = {"tanh": tanh, "relu": torch.relu, "linear": lambda z: z * 1.0}


class _Pinned(torch.autograd.Function):
    """The recorded values forwards, the identity backwards."""

    @staticmethod
    def forward(ctx: Any, computed: Tensor, recorded: Tensor) -> Tensor:
        return recorded.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def normalize(x: Tensor, method: str, eps: float, gamma: Tensor | None, beta: Tensor | None) -> Tensor:
    """Normalization as its formula says, over all rows of the batch and all steps of time, or over the units."""
    if method == "rms":
        shifted, spread = x, (x * x).mean(dim=-1, keepdim=True)
    else:
        over = tuple(range(x.ndim - 1)) if method == "batch" else (-1,)
        shifted = x - x.mean(dim=over, keepdim=True)
        spread = (shifted * shifted).mean(dim=over, keepdim=True)
    out = shifted / torch.sqrt(spread + eps)
    out = out if gamma is None else out * gamma
    return out if beta is None else out + beta


class _Kept(NamedTuple):
    computed: dict[str, Tensor]
    watched: dict[str, Any]
    parameters: dict[str, Tensor]


class Twin:
    """The pass of one record. What a subclass replaces, so as to follow no record, stands first."""

    def __init__(self, trace: Any) -> None:
        self.trace = trace
        self.kept: dict[str, _Kept] = {}

    def parameters_of(self, place: PlacedLayer) -> dict[str, Tensor]:
        """The parameters of a layer, by the names they have in its record."""
        layer = self.trace[place.name]
        names = OWN_PARAMETERS[kind_of_placed(place)]
        return {name: double(layer[name]).requires_grad_() for name in names if name in layer.tensors}

    def drawn(self, place: PlacedLayer) -> Tensor:
        """The slopes that were drawn for this pass: the mask of a dropout, the slopes of an rrelu."""
        return double(self.trace[place.name].slope)

    def pinned(self, computed: Tensor, name: str, tensor: str, part: Any = ...) -> Tensor:
        """What was recorded in its place, with a gradient of its own."""
        out: Tensor = _Pinned.apply(computed, double(self.trace[name][tensor][part]))
        out.retain_grad()
        return out

    def passed(self, x: Tensor, name: str, gradient: str) -> Tensor:
        """x again, whose gradient is that of this one way it goes: of layer ``name``, recorded as ``gradient``."""
        out = x.clone()
        out.retain_grad()
        return out

    def normalized(self, x: Tensor, place: PlacedLayer, spec: Any, parameters: dict[str, Tensor]) -> Tensor:
        gamma, beta = parameters.get("gamma"), parameters.get("beta")
        return normalize(x, spec.method, spec.eps, gamma, beta)

    def through(self, placed: tuple[PlacedLayer, ...], x: Tensor) -> Tensor:
        for place in placed:
            kept = self.kept[place.name] = _Kept({}, {}, self.parameters_of(place))
            x = self.passed(x, place.name, "input_gradient")
            kept.watched["input_gradient"] = x
            x = getattr(self, f"_{kind_of_placed(place)}")(place, x, kept)
        return x

    def _dense(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        p, spec = kept.parameters, place.layer
        kept.computed["pre_activation"] = x @ p["weight"] + p.get("bias", 0.0)
        z = self.pinned(kept.computed["pre_activation"], place.name, "pre_activation")
        kept.watched["delta"] = z
        if spec.normalization is not None:
            kept.computed["scaled"] = self.normalized(z, place, spec.normalization, p)
            z = self.pinned(kept.computed["scaled"], place.name, "scaled")
            kept.watched["normalized_gradient"] = z
        return self._activated(place, z, kept)

    def _activated(self, place: PlacedLayer, z: Tensor, kept: _Kept) -> Tensor:
        spec: Any = place.layer
        kind = kind_of(spec.activation)
        if kind == "prelu":
            a = leaky(z, kept.parameters["prelu_slope"])
        elif kind == "rrelu":
            a = leaky(z, self.drawn(place))
        else:
            a = ACTIVATIONS[kind](z, spec.activation)
        return self._result(a, place, kept)

    def _result(self, a: Tensor, place: PlacedLayer, kept: _Kept) -> Tensor:
        kept.computed["activation"] = a
        kept.watched["activation_gradient"] = self.pinned(a, place.name, "activation")
        result: Tensor = kept.watched["activation_gradient"]
        return result

    def _activation(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._activated(place, x, kept)

    def _dropout(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._result(x * self.drawn(place), place, kept)

    def _normalization(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        kept.watched["delta"] = x
        return self._result(self.normalized(x, place, place.layer, kept.parameters), place, kept)

    def _residual(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        p, entrance = kept.parameters, self.passed(x, place.name, "branch_input_gradient")
        branch = self.passed(self.through(place.branch, entrance), place.name, "branch_gradient")
        kept.watched.update({"delta": x, "branch_input_gradient": entrance, "branch_gradient": branch})
        skip = x
        if "projection" in p:
            way_past = self.passed(x, place.name, "skip_gradient")
            kept.watched["skip_gradient"] = way_past
            kept.computed["skip"] = way_past @ p["projection"]
            skip = self.pinned(kept.computed["skip"], place.name, "skip")
        return self._result(skip + p.get("scale", place.layer.scale) * branch, place, kept)

    def _recurrent(self, place: PlacedLayer, x: Tensor, kept: _Kept) -> Tensor:
        """Shapes are (batch, time, units), as in the record; gates in the order of the record."""
        spec, p = place.layer, kept.parameters
        told: dict[str, list[Tensor]] = {name: [] for name in ("pre_activation", "hidden", "cell")}
        pins: dict[str, list[Any]] = {name: [] for name in told}
        h = c = torch.zeros(len(x), spec.units, dtype=torch.float64)
        zero = torch.zeros(p["recurrent_weight"].shape[1], dtype=torch.float64)
        r, b, rb = p["recurrent_weight"], p.get("bias", zero), p.get("recurrent_bias", zero)

        def pin(name: str, values: Tensor, t: int) -> Tensor:
            told[name].append(values)
            pins[name].append(self.pinned(values, place.name, name, (slice(None), t)))
            return pins[name][-1]

        for t in range(x.shape[1]):
            if spec.truncation and t % spec.truncation == 0:
                h, c = h.detach(), c.detach()
            from_x = x[:, t] @ p["input_weight"] + b
            if spec.cell == "gru":
                both = 2 * spec.units
                rz = from_x[:, :both] + h @ r[:, :both] + rb[:both]
                rz_pin = self.pinned(rz, place.name, "pre_activation", (slice(None), t, slice(both)))
                reset, keep = sigmoid(rz_pin).chunk(2, dim=1)
                if spec.reset_after:
                    felt = reset * (h @ r[:, both:] + rb[both:])
                else:
                    felt = (reset * h) @ r[:, both:]
                new = from_x[:, both:] + felt
                new_pin = self.pinned(new, place.name, "pre_activation", (slice(None), t, slice(both, None)))
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


GRADIENT_AT = {
    "pre_activation": "delta",
    "scaled": "normalized_gradient",
    "activation": "activation_gradient",
    "hidden": "hidden_gradient",
    "cell": "cell_gradient",
}
"""What is recorded on the way forward → its gradient. ``skip`` has none of its own: it is that of the output."""


class _Handed(torch.autograd.Function):
    """The recorded values forwards, and backwards the recorded gradient, whatever arrives."""

    @staticmethod
    def forward(ctx: Any, computed: Tensor, recorded: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return recorded.clone()

    @staticmethod
    def backward(ctx: Any, arriving: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient, None, None


class StepwiseTwin(Twin):
    """Pinned on the way back as on the way forward: every operation begins with the recorded gradient.

    What it has computed itself is compared with the record and not used any further. So every operation is
    compared on the very bits that the engine's own began with, and no rounding is handed on.
    """

    def pinned(self, computed: Tensor, name: str, tensor: str, part: Any = ...) -> Tensor:
        if tensor not in GRADIENT_AT:
            return super().pinned(computed, name, tensor, part)
        layer = self.trace[name]
        return self._handed(computed, layer[tensor][part], layer[GRADIENT_AT[tensor]][part])

    def passed(self, x: Tensor, name: str, gradient: str) -> Tensor:
        return self._handed(x, x.detach().numpy(), self.trace[name][gradient])

    def _handed(self, computed: Tensor, values: Array, gradient: Array) -> Tensor:
        out: Tensor = _Handed.apply(computed, double(values), double(gradient))
        out.retain_grad()
        return out


class StockTwin(Twin):
    """With PyTorch's own normalizations, whose backward passes are closed formulas as ours.

    What is left of ∞ − ∞ is a matter of the order of terms; in lines of two values they lose more digits than
    ``normalize``.
    """

    def normalized(self, x: Tensor, place: PlacedLayer, spec: Any, parameters: dict[str, Tensor]) -> Tensor:
        gamma, beta, units = parameters.get("gamma"), parameters.get("beta"), x.shape[-1:]
        if spec.method == "layer":
            return functional.layer_norm(x, units, gamma, beta, spec.eps)
        if spec.method == "rms":
            return functional.rms_norm(x, units, gamma, spec.eps)
        rows = x.reshape(-1, *units)
        return functional.batch_norm(rows, None, None, gamma, beta, True, eps=spec.eps).reshape(x.shape)


def loss_of(twin: Twin, experiment: Experiment, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Take x through the network; return the loss and the outputs."""
    y = twin.through(placed_layers(experiment.network), x)
    width = y.shape[-1]
    z = head_input_of(twin)
    loss = losses(
        experiment.training.loss, z.reshape(-1, width), y.reshape(-1, width), targets.reshape(-1, width)
    )
    return loss, y


def head_input_of(twin: Twin) -> Tensor:
    """What the activation of the head takes."""
    head = twin.kept["head"].watched
    z: Tensor = head.get("normalized_gradient", head["delta"])
    return z


def twin_of(trace: IterationTrace, kind: type[Twin] = Twin) -> tuple[float, Record]:
    """Return loss and tensors of the recorded iteration as PyTorch computes them, named as in the record."""
    twin, targets = kind(trace), double(trace.targets)
    loss, y = loss_of(twin, trace.experiment, double(trace.inputs).requires_grad_(), targets)
    loss.backward()
    if y.grad is None:
        z, width = head_input_of(twin).detach(), y.shape[-1]
        fused = trace.experiment.training.loss
        flat = gradient_of_fused_head(fused, z.reshape(-1, width), targets.reshape(-1, width))
        y.grad = flat.reshape(y.shape)
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
