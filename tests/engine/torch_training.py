"""A PyTorch network that trains alone: given start parameters, batches and drawn masks, nothing else of ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradsim.spec import Experiment, PlacedLayer, kind_of, unrolled_layers
from gradsim.spec.training import (
    AdaptiveClipping,
    CosineSchedule,
    GlobalNormClipping,
    NormClipping,
    StepSchedule,
    ValueClipping,
)
from tests.engine.torch_oracle import Array, double
from tests.engine.torch_twin import OWN_PARAMETERS, Twin, kind_of_placed, loss_of

RECORDED_AS = {"slope": "prelu_slope"}
"""Parameters that have another name in a record."""


def rate_share(schedule: Any, iteration: int) -> float:
    """The factor on the learning rate, written again from the specs' docstrings."""
    if iteration < schedule.warm_up:
        return (iteration + 1) / schedule.warm_up
    since = iteration - schedule.warm_up
    match schedule:
        case StepSchedule():
            return float(schedule.factor ** math.floor(since / schedule.every))
        case CosineSchedule():
            falling = (1 + math.cos(math.pi * min(1.0, since / schedule.iterations))) / 2
            return float(schedule.lowest + (1 - schedule.lowest) * falling)
    return 1.0


def clip(clipping: Any, parameters: list[Any]) -> None:
    """Change the gradients as the specs say; PyTorch's own norm clipping adds 1e-6 to the norm."""
    gradients = [parameter.grad for parameter in parameters]
    match clipping:
        case ValueClipping():
            torch.nn.utils.clip_grad_value_(parameters, clipping.threshold)
        case NormClipping():
            for gradient in gradients:
                norm = float(gradient.norm())
                gradient *= clipping.threshold / norm if norm > clipping.threshold else 1.0
        case GlobalNormClipping():
            norm = float(torch.cat([gradient.flatten() for gradient in gradients]).norm())
            for gradient in gradients:
                gradient *= clipping.threshold / norm if norm > clipping.threshold else 1.0
        case AdaptiveClipping():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                along = 0 if parameter.ndim == 2 else None
                weight = parameter.detach().norm(dim=along, keepdim=True)
                limit = clipping.threshold * weight.clamp(min=clipping.eps)
                norm = gradient.norm(dim=along, keepdim=True)
                gradient *= torch.where(norm > limit, limit / norm, 1.0)


def optimizer_of(spec: Any, groups: list[dict[str, Any]]) -> Any:
    known = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": "momentum"}),
        "nesterov": (torch.optim.SGD, {"momentum": "momentum", "nesterov": True}),
        "rmsprop": (torch.optim.RMSprop, {"alpha": "alpha", "eps": "eps"}),
        "adagrad": (torch.optim.Adagrad, {"eps": "eps"}),
        "adam": (torch.optim.Adam, {"betas": "betas", "eps": "eps"}),
        "adamw": (torch.optim.AdamW, {"betas": "betas", "eps": "eps"}),
    }
    make, options = known[kind_of(spec)]
    given = {key: getattr(spec, name) if isinstance(name, str) else name for key, name in options.items()}
    return make(groups, lr=spec.learning_rate, weight_decay=spec.weight_decay, **given)


class FreeTwin(Twin):
    """A pass that follows no record: every value is the one PyTorch has computed itself."""

    def __init__(self, parameters: Mapping[str, Tensor], drawn: Mapping[str, Array]) -> None:
        super().__init__(None)
        self.own, self.given = parameters, drawn

    def parameters_of(self, place: PlacedLayer) -> dict[str, Tensor]:
        names = OWN_PARAMETERS[kind_of_placed(place)]
        own = {key.removeprefix(f"{place.name}."): value for key, value in self.own.items()}
        recorded = {RECORDED_AS.get(name, name): value for name, value in own.items() if "." not in name}
        return {name: recorded[name] for name in names if name in recorded}

    def drawn(self, place: PlacedLayer) -> Tensor:
        return double(self.given[place.name])

    def pinned(self, computed: Tensor, name: str, tensor: str, part: Any = ...) -> Tensor:
        return computed

    def passed(self, x: Tensor, name: str, gradient: str) -> Tensor:
        return x

    def normalized(self, x: Tensor, place: PlacedLayer, spec: Any, parameters: dict[str, Tensor]) -> Tensor:
        """PyTorch's own layers, which keep the running values themselves."""
        gamma, beta, units = parameters.get("gamma"), parameters.get("beta"), x.shape[-1:]
        if spec.method == "layer":
            return functional.layer_norm(x, units, gamma, beta, spec.eps)
        if spec.method == "rms":
            return functional.rms_norm(x, units, gamma, spec.eps)
        mean, variance = (self.own[f"{place.name}.running_{name}"] for name in ("mean", "variance"))
        rows = x.reshape(-1, *units)
        out = functional.batch_norm(rows, mean, variance, gamma, beta, True, spec.momentum, spec.eps)
        return out.reshape(x.shape)


class TrainingTwin:
    """The network of an experiment and its optimizer, in float64, from given parameters on."""

    def __init__(self, experiment: Experiment, start: Mapping[str, Array]) -> None:
        self.experiment, self.iteration = experiment, 0
        self.parameters = {name: double(value) for name, value in start.items()}
        self.trained: list[Tensor] = []
        groups = []
        for place in unrolled_layers(experiment.network):
            of_layer = [
                value.requires_grad_()
                for name, value in self.parameters.items()
                if name.startswith(f"{place.name}.") and "running_" not in name
            ]
            # An activation without a trained slope, a dropout: nothing, and frozen layers are left alone.
            if of_layer and place.layer.trainable:  # type: ignore[union-attr]
                self.trained += of_layer
                groups.append({"params": of_layer, "scale": place.layer.learning_rate_scale})  # type: ignore[union-attr]
        self.optimizer = optimizer_of(experiment.training.optimizer, groups) if groups else None

    def gradients(self, inputs: Array, targets: Array, drawn: Mapping[str, Array]) -> float:
        """Leave the gradients of a batch in the parameters; return its loss. Running values move."""
        for value in self.parameters.values():
            value.grad = None
        twin = FreeTwin(self.parameters, drawn)
        loss, _ = loss_of(twin, self.experiment, double(inputs), double(targets))
        if self.trained:
            loss.backward()
        return float(loss.detach())

    def step(self, inputs: Array, targets: Array, drawn: Mapping[str, Array] | None = None) -> float:
        """Train on a batch; ``drawn`` are masks of dropouts and random slopes by name of the layer."""
        training, loss = self.experiment.training, self.gradients(inputs, targets, drawn or {})
        for value in self.trained:  # a branch of scale 0, a state that truncation cuts off
            value.grad = torch.zeros_like(value) if value.grad is None else value.grad
        clip(training.clipping, self.trained)
        rate = training.optimizer.learning_rate * rate_share(training.schedule, self.iteration)
        if self.optimizer is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = rate * group["scale"]
            self.optimizer.step()
        self.iteration += 1
        return loss
