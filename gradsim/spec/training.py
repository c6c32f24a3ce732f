"""How the parameters move: loss, optimizer, schedule, clipping, batches."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gradsim.spec.method import (
    Backpropagation,
    LossScale,
    Method,
    NoLossScale,
    ParameterGroup,
)
from gradsim.spec.struct import Kind, Spec

LearningRate = Annotated[float, Meta(ge=0.0, le=1e6, title="Learning rate", description="η")]
WeightDecay = Annotated[float, Meta(ge=0.0, le=1e3, title="Weight decay", description="λ")]
Decay = Annotated[float, Meta(ge=0.0, lt=1.0)]
Epsilon = Annotated[float, Meta(ge=0.0, le=1.0, title="Epsilon")]


class Sgd(Kind, frozen=True, kw_only=True, tag="sgd"):
    """w ← w − η g."""

    learning_rate: LearningRate = 0.1
    weight_decay: WeightDecay = 0.0


class Momentum(Kind, frozen=True, kw_only=True, tag="momentum"):
    """v ← μ v + g; w ← w − η v."""

    learning_rate: LearningRate = 0.1
    momentum: Annotated[Decay, Meta(title="Momentum", description="μ")] = 0.9
    weight_decay: WeightDecay = 0.0


class Nesterov(Kind, frozen=True, kw_only=True, tag="nesterov"):
    """v ← μ v + g; w ← w − η (g + μ v), as PyTorch does it."""

    learning_rate: LearningRate = 0.1
    momentum: Annotated[Decay, Meta(title="Momentum", description="μ")] = 0.9
    weight_decay: WeightDecay = 0.0


class Rmsprop(Kind, frozen=True, kw_only=True, tag="rmsprop"):
    """s ← α s + (1 − α) g²; w ← w − η g / (√s + eps)."""

    learning_rate: LearningRate = 0.01
    alpha: Annotated[Decay, Meta(title="Alpha", description="Smoothing of the mean square")] = 0.99
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.0


class Adagrad(Kind, frozen=True, kw_only=True, tag="adagrad"):
    """s ← s + g²; w ← w − η g / (√s + eps)."""

    learning_rate: LearningRate = 0.01
    eps: Epsilon = 1e-10
    weight_decay: WeightDecay = 0.0


class Adam(Kind, frozen=True, kw_only=True, tag="adam"):
    """Bias-corrected first and second moments (Kingma and Ba 2015)."""

    learning_rate: LearningRate = 0.001
    betas: Annotated[tuple[Decay, Decay], Meta(title="Betas")] = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.0


class Adamw(Kind, frozen=True, kw_only=True, tag="adamw"):
    """Adam whose weight decay does not pass through the moments (Loshchilov and Hutter 2019)."""

    learning_rate: LearningRate = 0.001
    betas: Annotated[tuple[Decay, Decay], Meta(title="Betas")] = (0.9, 0.999)
    eps: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.01


Optimizer = Sgd | Momentum | Nesterov | Rmsprop | Adagrad | Adam | Adamw

WarmUp = Annotated[
    int, Meta(ge=0, le=10_000_000, title="Warm-up", description="Iterations over which the rate rises from 0")
]


class ConstantSchedule(Kind, frozen=True, kw_only=True, tag="constant"):
    """The learning rate stays, after the warm-up if there is one."""

    warm_up: WarmUp = 0


class StepSchedule(Kind, frozen=True, kw_only=True, tag="step"):
    """The learning rate is multiplied by the factor every so many iterations."""

    every: Annotated[int, Meta(ge=1, le=10_000_000, title="Every", description="Iterations")] = 100
    factor: Annotated[float, Meta(gt=0.0, le=1.0, title="Factor")] = 0.5
    warm_up: WarmUp = 0


class CosineSchedule(Kind, frozen=True, kw_only=True, tag="cosine"):
    """The learning rate falls along half a cosine, then stays lowest (Loshchilov and Hutter 2017)."""

    iterations: Annotated[int, Meta(ge=1, le=10_000_000, title="Iterations")] = 1000
    lowest: Annotated[
        float, Meta(ge=0.0, le=1.0, title="Lowest share", description="Of the learning rate")
    ] = 0.0
    warm_up: WarmUp = 0


Schedule = ConstantSchedule | StepSchedule | CosineSchedule

Threshold = Annotated[float, Meta(gt=0.0, le=1e30, title="Threshold", description="c")]


class NoClipping(Kind, frozen=True, kw_only=True, tag="none"):
    """The gradient as it is."""


class ValueClipping(Kind, frozen=True, kw_only=True, tag="value"):
    """Each element to ±threshold: turns the direction."""

    threshold: Threshold = 1.0


class NormClipping(Kind, frozen=True, kw_only=True, tag="norm"):
    """Each parameter tensor on its own to l2 norm ≤ threshold (Keras' clipnorm)."""

    threshold: Threshold = 1.0


class GlobalNormClipping(Kind, frozen=True, kw_only=True, tag="global_norm"):
    """All gradients together to l2 norm ≤ threshold (Pascanu et al. 2013): g · c / ‖g‖ when ‖g‖ > c."""

    threshold: Threshold = 1.0


class AdaptiveClipping(Kind, frozen=True, kw_only=True, tag="adaptive"):
    """Gradient norm of each unit to ≤ threshold × its weight norm (AGC, Brock et al. 2021)."""

    threshold: Threshold = 0.01
    eps: Annotated[float, Meta(gt=0.0, le=1.0, title="Epsilon", description="Least weight norm")] = 1e-3


Clipping = NoClipping | ValueClipping | NormClipping | GlobalNormClipping | AdaptiveClipping

LossName = Literal["mse", "half_mse", "sse", "cross_entropy", "binary_cross_entropy"]


class Training(Spec, frozen=True, kw_only=True):
    """How the parameters move."""

    loss: Annotated[LossName, Meta(title="Loss")] = "cross_entropy"
    optimizer: Annotated[Optimizer, Meta(title="Optimizer")] = Sgd()
    schedule: Annotated[Schedule, Meta(title="Schedule")] = ConstantSchedule()
    clipping: Annotated[Clipping, Meta(title="Clipping")] = NoClipping()
    batch_size: Annotated[int, Meta(ge=1, le=1_000_000, title="Batch size")] = 64
    shuffle: Annotated[bool, Meta(title="Shuffle", description="New order of the samples in every epoch")] = (
        True
    )
    method: Annotated[Method, Meta(title="Method")] = Backpropagation()
    weight_noise: Annotated[
        float,
        Meta(
            ge=0.0,
            le=1e6,
            title="Weight noise",
            description="Standard deviation of the noise on every weight matrix, new in every iteration",
        ),
    ] = 0.0
    groups: Annotated[tuple[ParameterGroup, ...], Meta(title="Parameter groups", max_length=100)] = ()
    loss_scale: Annotated[LossScale, Meta(title="Loss scale")] = NoLossScale()
